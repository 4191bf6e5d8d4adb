"""``make explore``: every scenario within its bounds; the table goes to bench/results/explorer.md."""

import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import product

from bench.report import markdown, report
from local.aws import ROOT
from tests.explore.search import Found, as_test, explore
from tests.explore.world import REPLIES, Budget, Repeat, Scenario

RESULT = ROOT / "bench" / "results" / "explorer.md"
REPEATS: tuple[Repeat, ...] = ("200", "200 if the same", "409")
BUDGETS = {
    "one reply": Budget(faults=3, duplicates=1, operations=1, times=1),
    "one reply, a producer's token": Budget(faults=1, duplicates=1, operations=2, times=1),
    "a refused reply": Budget(faults=1, duplicates=1, operations=1, times=1),
    "two replies, one token": Budget(faults=1, duplicates=0, operations=1, times=0),
    "one reply, put twice": Budget(faults=1, duplicates=0, operations=1, times=0),
    "a killer and its neighbour": Budget(faults=1, duplicates=1, operations=0, times=1),
}
"""What may happen in each: the more messages there are, the less."""
EXPLANATION = """\
# Every state

The shipped code of the function and of `courier` (`replay`, `edit`, `renew`), run anew with the answers that it got so
far, and every answer to its next call: done, refused, done with the answer lost, the process killed before and after
it; 429, 500, 403, 404 and every answer of Connect's own; the answer to Lambda lost; a message handed out again while it
is in flight; the console's redrive; SQS's own move; the retry window over; Connect's memory over; a contact mended. Two
environments and two operators work at once. Three worlds: a repeated token is always answered with 200; with 200 if the
request is the same, else 409; always with 409. In each, refused tokens are remembered or not, spent contacts are
refused or not, and SQS moves messages itself or not: eight variations, added up in a row.

In every state: no reply was sent twice, none is nowhere, none was called sent that was not, every letter has its reason
and its token (but for those that SQS moved). From every state in which nothing more goes wrong, all comes to an end.

Bounds: faults, messages handed out twice, what operators begin, steps of time.

"""


def scenarios(name: str, repeat: Repeat) -> list[Scenario]:
    """The eight variations of a world."""
    return [
        Scenario(name, repeat, BUDGETS[name], remembers_refusals, refuses_spent, sqs_moves)
        for remembers_refusals, refuses_spent, sqs_moves in product((False, True), repeat=3)
    ]


def main() -> int:
    """Explore all; return the exit status: 1 if the promise is broken."""
    worlds = [(name, repeat) for name in REPLIES for repeat in REPEATS]
    everything = [scenario for world in worlds for scenario in scenarios(*world)]
    rows, broken, known = [], 0, Counter[str]()
    with ProcessPoolExecutor(2) as pool:
        found = dict(zip(everything, pool.map(explored, everything), strict=True))
    for name, repeat in worlds:
        results = [found[scenario] for scenario in scenarios(name, repeat)]
        for scenario in scenarios(name, repeat):
            known += found[scenario].known
            if found[scenario].broken:
                broken += 1
                print(as_test(scenario, found[scenario]))
        states, seconds = sum(each.states for each in results), sum(each.seconds for each in results)
        named = sum(each.known.total() for each in results)
        row = [name, repeat, " / ".join(map(str, BUDGETS[name])), f"{states:,}", f"{seconds:.0f}", f"{named:,}"]
        rows.append([*row, str(sum(bool(each.broken) for each in results))])
    head = ["", "a repeat", "bounds", "states", "seconds", "named", "broken"]
    total = sum(each.states for each in found.values())
    text = EXPLANATION + markdown(head, rows) + f"\n{total:,} states in all. Named, as in docs/design.md:\n\n"
    text += "".join(f"- {count:,} times: {words}.\n" for words, count in known.items())
    RESULT.write_text(report("make explore", text))
    print(text)
    return 1 if broken else 0


def explored(scenario: Scenario) -> Found:
    """Explore one, and say so."""
    found = explore(scenario)
    print(scenario, f"{found.states:,} states, {found.seconds:.0f} s", found.broken or "", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
