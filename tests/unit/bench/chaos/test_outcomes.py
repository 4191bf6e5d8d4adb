from typing import Any

from bench.chaos.outcomes import counted_as_lost, told_falsely, untold
from bench.chaos.tally import Letter

LETTER = Letter("reply-0001", "NotFound", "t-2")


def event(kind: str, token: str | None, reason: str | None = None) -> dict[str, Any]:
    data = {"client_token": token, "message_id": "m-1", "reason": reason}
    return {"detail-type": kind, "detail": {"metadata": {"id": f"{token}/{kind}"}, "data": data}}


def test_what_is_so_is_not_false() -> None:
    events = [event("Reply Sent", "t-1"), event("Reply Dead-Lettered", "t-2", "NotFound")]
    assert told_falsely(events, {"t-1"}, [LETTER]) == []
    assert untold(events, {"t-1"}, [LETTER], 0) == []


def test_what_is_not_so_is_false() -> None:
    assert told_falsely([event("Reply Sent", "t-1")], {"t-2"}, [LETTER]) == ["t-1/Reply Sent"]
    assert told_falsely([event("Reply Dead-Lettered", "t-2", "Refused")], {"t-2"}, [LETTER]) != []
    assert told_falsely([event("Reply Dead-Lettered", "t-1", "NotFound")], {"t-1"}, [LETTER]) != []


def test_a_letter_whose_token_is_withheld_is_known_by_its_message_id() -> None:
    assert told_falsely([event("Reply Dead-Lettered", None, "NotFound")], (), [Letter("l", "NotFound", "m-1")]) == []


def test_a_reply_that_nobody_heard_of_shows_unless_it_is_counted() -> None:
    assert untold([event("Reply Sent", "t-1")], {"t-1", "t-3"}, [LETTER], 1) == ["t-2", "t-3"]
    assert untold([event("Reply Sent", "t-1")], {"t-1", "t-3"}, [LETTER], 2) == []


def test_the_log_says_how_many_were_lost() -> None:
    lines = ['{"message":"outcomes_lost","outcomes":2}', "not json", '{"message":"outcomes_lost","outcomes":1}']
    assert counted_as_lost(lines) == 3
