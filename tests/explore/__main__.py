"""``make explore``: every scenario within its bounds; the table goes to bench/results/explorer.md.

``python -m tests.explore table`` explores the rows whose names have this part, and writes no table.
"""

import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from typing import Any

from bench.report import markdown, report
from local.aws import ROOT
from tests.explore.search import Found, as_test, explore
from tests.explore.world import Budget, Repeat, Scenario, Scope, Unknowns

RESULT = ROOT / "bench" / "results" / "explorer.md"
SCOPES: tuple[Scope, ...] = ("token", "pair")
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
it; 429, 500, 403, 404 and every answer of Connect's own; the answer to Lambda lost; a message delivered again while it
is in flight; the console's redrive; SQS's own move; the retry window over; Connect's memory over; a contact repaired.
Two environments and two operators work at once. Worlds: Connect answers a repeated token with 200, with 200 if the
request is the same, or with 409. In each, it remembers refused tokens or not, refuses spent contacts or not, and SQS
moves messages itself or not.

With drafts: every call to the table (refused, killed before and after it, done with the answer lost, late, repeated by
AWS itself), every answer of CreateContact (also lost, repeated on its way, and killed before and after it), StopContact
and DescribeContact, an attempt that arrives late, one receive that Lambda runs twice, and a draft that expires during a
delivery. Worlds: Connect remembers a token alone or with its contact, checks the contact or the token first, answers a
repeat with 200 or 409, remembers refused tokens or not, and refuses spent contacts or not. StopContact works, is
refused, or has no effect. The table is lost, restored from a backup, or forgets an expired item: each counts as a
fault.

In every state: no reply was sent twice, none is nowhere, none was called sent that was not, every letter has its reason
and its token (but for those that SQS moved). Every attempt uses the item's contact, and its mark is in the item. The
contact of an item changes only while the item has no marks. No attempt is made on a contact that was stopped, or on a
draft that was made for another reply. From every state in which nothing more goes wrong, all comes to an end.

Bounds: faults, duplicates, what operators begin, steps of time.

"""


def scenarios(name: str, repeat: Repeat) -> list[Scenario]:
    """The eight variations of a world."""
    return [
        Scenario(name, repeat, BUDGETS[name], remembers_refusals, refuses_spent, sqs_moves)
        for remembers_refusals, refuses_spent, sqs_moves in product((False, True), repeat=3)
    ]


def draft_worlds(name: str, budget: Budget, **more: Any) -> list[Scenario]:
    """All that AWS leaves open about drafts: 32 worlds."""
    both: tuple[Repeat, Repeat] = ("200", "409")
    return [
        Scenario(name, repeat, budget, remembers_refusals, refuses_spent, drafts=Unknowns(scope, contact_first, **more))
        for repeat in both
        for scope in SCOPES
        for contact_first, remembers_refusals, refuses_spent in product((False, True), repeat=3)
    ]


def four(worlds: list[Scenario]) -> list[Scenario]:
    """Four worlds that differ most: a token alone or with its contact, answered with 200 or 409."""
    return [
        world
        for world in worlds
        if world.drafts and world.drafts.contact_first and world.refuses_spent and not world.remembers_refusals
    ]


ONE, REFUSED, OWN, TWICE = (
    "a drafted reply",
    "a refused drafted reply",
    "a drafted reply, a producer's token",
    "a drafted reply, put twice",
)
DRAFTS: dict[str, list[Scenario]] = {
    "32 worlds": draft_worlds(ONE, Budget(1, 0, 1, 1)),
    "32 worlds, duplicates": draft_worlds(ONE, Budget(0, 1, 0, 1)),
    "32 worlds, refused": draft_worlds(REFUSED, Budget(1, 0, 1, 1)),
    "32 worlds, refused, duplicates": draft_worlds(REFUSED, Budget(0, 1, 0, 1)),
    "32 worlds, a producer's token": draft_worlds(OWN, Budget(1, 0, 1, 1)),
    "StopContact is refused": four(draft_worlds(REFUSED, Budget(1, 0, 1, 1), stop="refused")),
    "StopContact has no effect": four(draft_worlds(REFUSED, Budget(1, 0, 1, 1), stop="no effect")),
    "a second copy": four(draft_worlds(TWICE, Budget(1, 0, 0, 0))),
    "a lost table": four(draft_worlds(ONE, Budget(1, 0, 1, 1), loses_table=True)),
    "a lost table and duplicates": four(draft_worlds(ONE, Budget(1, 1, 0, 1), loses_table=True)),
    "a lost table and a fault": four(draft_worlds(ONE, Budget(2, 0, 0, 1), loses_table=True)),
    "an item that expires": four(draft_worlds(OWN, Budget(2, 0, 1, 3), loses_table=True)),
    "a fault and duplicates": four(draft_worlds(ONE, Budget(1, 1, 0, 1))),
    "two faults": four(draft_worlds(ONE, Budget(2, 0, 0, 1))),
    "two faults, refused": four(draft_worlds(REFUSED, Budget(2, 0, 0, 1))),
}
"""What is explored of replies whose draft the function makes. (A repeated CreateContact is one of the faults.)"""
MOST = 1_500_000
"""States of one search; where there are more, the table says so."""


def main() -> int:
    """Explore all; return the exit status: 1 if the promise is broken."""
    groups = {f"{name} / {repeat}": scenarios(name, repeat) for name in BUDGETS for repeat in REPEATS} | DRAFTS
    if chosen := sys.argv[1:]:
        groups = {name: worlds for name, worlds in groups.items() if any(part in name for part in chosen)}
    everything = [scenario for worlds in groups.values() for scenario in worlds]
    rows, broken, known = [], 0, Counter[str]()
    with ProcessPoolExecutor(2) as pool:
        found = dict(zip(everything, pool.map(explored, everything), strict=True))
    for name, worlds in groups.items():
        results = [found[scenario] for scenario in worlds]
        for scenario in worlds:
            known += found[scenario].known
            if found[scenario].broken:
                broken += 1
                print(as_test(scenario, found[scenario]))
        states, seconds = sum(each.states for each in results), sum(each.seconds for each in results)
        cut = sum(each.is_cut for each in results)
        named = sum(each.known.total() for each in results)
        bounds = " / ".join(map(str, worlds[0].budget))
        row = [name, str(len(worlds)), bounds, f"{states:,}", f"{seconds:.0f}", str(cut), f"{named:,}"]
        rows.append([*row, str(sum(bool(each.broken) for each in results))])
    head = ["", "worlds", "bounds", "states", "seconds", "cut off", "named", "broken"]
    total = sum(each.states for each in found.values())
    drafted = sum(found[scenario].states for scenario in everything if scenario.drafts)
    text = EXPLANATION + markdown(head, rows)
    text += f"\n{total:,} states in all, {drafted:,} of them with drafts. Named, as in docs/design.md:\n\n"
    text += "".join(f"- {count:,} times: {words}.\n" for words, count in known.items())
    if not chosen:
        RESULT.write_text(report("make explore", text))
    print(text)
    return 1 if broken else 0


def explored(scenario: Scenario) -> Found:
    """Explore one, and say so."""
    found = explore(scenario, MOST)
    print(scenario, f"{found.states:,} states, {found.seconds:.0f} s", found.broken or "", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
