// Refreshes the list and the status every two seconds; the open email, its scroll position and the focus stay.
async function refresh() {
  const answer = await fetch(location.href);
  const renewed = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["status", "list"]) {
    const old = document.getElementById(id);
    const now = renewed.getElementById(id);
    if (old.innerHTML === now.innerHTML) continue;
    const focused = document.activeElement?.id;
    old.innerHTML = now.innerHTML;
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
  document.body.className = renewed.body.className; // the first entry ends the layout of an empty page
}

// The emulated Connect receives inbound emails, which count as active.
document.getElementById("inbound").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = new FormData(event.target);
  const numbers = Object.fromEntries([...fields].map(([name, value]) => [name, Number(value)]));
  await fetch("/_local/inbound", { method: "POST", body: JSON.stringify(numbers) });
  await refresh();
});

// While the program is down the page stays as it is; when the program is back, it refreshes again.
setInterval(() => refresh().catch(() => {}), 2000);
