// Renews the list and the status every two seconds; the open email, its scrolling and the focus stay as they are.
async function renew() {
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
}

// While the program is away the page stays as it was, and goes on when it is back.
setInterval(() => renew().catch(() => {}), 2000);
