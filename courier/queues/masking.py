"""The words of a letter's Detail that may be printed. Detail may quote the reply, so a word has to be known to pass."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

from contract.dead_letter import MAX_DETAIL_CHARACTERS
from contract.reply import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MASK = "…"
MAX_CHARACTERS = 200
_QUOTE = r"['\"`\u00b4\u2018-\u201f\u00ab\u00bb\u2039\u203a]"
_CODE = re.compile(
    r"(?:Last: )?(?:[A-Z][a-z]+[A-Z][A-Za-z]{,60} \(\d{3}\)|[A-Z][A-Za-z]{,60}(?:Error|Exception)):(?: |$)"
)
"""What a Detail of Connect's begins with: its error code and HTTP status, or botocore's error."""
_PATH = re.compile(r"at '([A-Za-z0-9.]+)' failed to satisfy constraint")
"""How AWS names the member that breaks a rule, after its value in quotes."""
_WORD = re.compile(r"[A-Za-z]+")
_NUMBER = re.compile(r"\d+")
_PLAIN = re.compile(r"[A-Za-z0-9._/\[\]()-]+")
_EDGES = ".,:;()[]{}!?"
_KNOWN = frozenset(
    _WORD.findall(
        """
        a accept accepted access active actual after again all allow allowed already an and another answered
        any api are array as asked at attachment attachments attempt attribute attributes available be because
        been before begins being between body boolean bucket but by byte bytes call called calls can cannot cause
        channel character characters client closed column come coming complete completed conflict connect connection
        constraint contact contacts contain contains content could count crash create created data deeply
        deleted denied deserialize destination detected did disabled display does draft duplicate either email
        emails empty enabled encoded end ended endpoint entity enum equal error errors every exceed exceeded
        exceeds exist existing exists expected expecting expired failed failure few field fields first fit flow
        follow following for form format found from function given gone greater had has have header http id
        idempotency identifier if in inactive instance integer internal invalid is it item items its json key
        knowledge known last least leave length less limit limited long longer malformed many match matches
        matching maximum may mean member members message messages method minimum missing more most must name named
        names needs nested no not null number object of on once one only open operation or order other out outbound
        parameter parameters parse pattern per permission permitted pointer points policy present process processed
        processing properties property provided queue queued quota range rate raw reached read received
        receives recipient recipients refused regular rejected reply request requested requests required
        resource response result retry right same satisfy say says scan schema seen sent service set shorter should
        size source specified stack state status still string successfully support supported system template
        terminated than that the then there this throttled time timeout times to token too tries try twice
        type types unable unauthorized unexpected unique unknown unsupported update url use used utf user valid
        validation value values version was were when where which with within without would write wrong you
        """
    )
)
"""What Connect, botocore and the function say of a request. None of them is anybody's name, but for these:"""
_NAMES = {"Field", "Fields", "Key", "Long", "May"}
_LONE = 2
"""So many known words or fewer, between two that are masked, are masked as well: they are likely the reply's."""


def masked(detail: str) -> str:
    """The Detail with the mask in place of whatever could be the reply's own: quoted text, ids, addresses, names.

    Digits become N. Texts that differ in what is masked alone become the same, so that letters can be grouped by them.
    """
    told = ""
    detail = detail[:MAX_DETAIL_CHARACTERS]
    if code := _CODE.match(detail):
        told, detail = code[0].rstrip() + " ", detail[code.end() :]
    words = [_word(word) for word in _without_quotations(detail).split()]
    text = told + " ".join(_joined(words))
    return text.rstrip() if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + MASK


def _without_quotations(text: str) -> str:
    """The text before the first quotation mark, and after the last one: what is quoted may hold such marks itself.

    An apostrophe between two letters is none of them. With an odd number of marks, or in a Detail that was shortened,
    the last one may begin a quotation that is cut off: nothing after it is safe. The member that AWS names is put in
    the place of all that.
    """
    marks = [mark.start() for mark in re.finditer(rf"(?<![A-Za-z]){_QUOTE}|{_QUOTE}(?![A-Za-z])", text)]
    if not marks:
        return text
    is_cut_off = len(marks) % 2 == 1 or len(text) >= MAX_DETAIL_CHARACTERS
    after = "" if is_cut_off else text[marks[-1] + 1 :]
    members = " ".join(f"at {path}" for path in _PATH.findall(text))
    return f"{text[: marks[0]]} {MASK} {members} {after}"


def _joined(words: Sequence[str]) -> Iterator[str]:
    """The words, one mask for all that stand together, and for the few known ones among them."""
    runs = [list(run) for _, run in groupby(words, lambda word: word == MASK)]
    for n, run in enumerate(runs):
        follows_lone = n > 1 and len(runs[n - 1]) <= _LONE
        is_lone = 0 < n < len(runs) - 1 and len(run) <= _LONE
        if run[0] == MASK:
            yield from () if follows_lone else (MASK,)
        else:
            yield from () if is_lone else run


def _word(word: str) -> str:
    core = word.strip(_EDGES)
    if not core:
        return word
    known = _PLAIN.fullmatch(core) and all(map(_is_known, _WORD.findall(core)))
    return word.replace(core, _NUMBER.sub("N", core)) if known else MASK


def _is_known(word: str) -> bool:
    """Whether the word is one of a request's members, or of what is said about requests."""
    if word in _contract() or word[0].upper() + word[1:] in _contract():
        return True
    return word.lower() in _KNOWN and (word.islower() or word.title() not in _NAMES)


@cache
def _contract() -> frozenset[str]:
    """The words of the contract's schema: its members, and the descriptions that the function's faults quote."""
    return frozenset(_WORD.findall(json.dumps(SCHEMA)))
