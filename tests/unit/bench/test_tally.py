"""The tally of a run shows each way in which a reply or an event can go wrong."""

from typing import Any

from bench.tally import Letter, false_events, lost_events, missing_events, tally
from local.replies import Kind, Reply


def given(kind: Kind = "sound", label: str = "reply-0000") -> Reply:
    return Reply(label, body="", kind=kind, attributes={})


def call(*, accepted: bool = True, token: str = "t", status: int | None = 200, repeat: bool = False) -> dict[str, Any]:
    return {
        "contact_id": "reply-0000",
        "client_token": token,
        "accepted": accepted,
        "status": status,
        "repeat": repeat,
    }


def letter(reason: str | None = "NotFound") -> Letter:
    return Letter("reply-0000", reason)


def test_a_reply_sent_once_is_right_after_any_number_of_attempts() -> None:
    calls = [call(accepted=False, status=500), call(status=None), call(accepted=False, repeat=True)]
    found = tally([given()], calls, [[]])
    assert found.wrong == {}
    assert (found.replies, found.sent, found.calls, found.repeats, found.answers_lost) == (1, 1, 3, 1, 1)


def test_a_reply_that_cannot_be_sent_belongs_on_the_dead_letter_queue() -> None:
    assert tally([given("unknown")], [call(accepted=False, status=404)], [[letter()]]).wrong == {}
    assert tally([given("invalid")], [], [[letter(), letter()]]).wrong == {}


def test_a_reply_that_is_nowhere_is_lost() -> None:
    assert tally([given()], [call(accepted=False)], [[]]).wrong == {"lost": ["reply-0000"]}
    assert tally([given("unknown")], [], [[letter()], []]).wrong == {"lost": ["reply-0000"]}


def test_a_second_email_shows_and_so_does_its_other_token() -> None:
    found = tally([given()], [call(token="first"), call(token="second")], [[]])
    assert found.wrong == {"twice": ["reply-0000"], "several_tokens": ["reply-0000"]}


def test_a_dead_letter_without_reason_shows_even_after_a_redrive() -> None:
    snapshots = [[letter(None)], [letter()]]
    assert tally([given("invalid")], [], snapshots).wrong == {"without_reason": ["reply-0000"]}


def test_a_dead_lettered_sound_reply_shows_even_after_a_redrive() -> None:
    assert tally([given()], [call()], [[letter()], []]).wrong == {"dead_though_sound": ["reply-0000"]}


def test_a_mended_reply_may_be_a_dead_letter_until_it_is_mended() -> None:
    assert tally([given("mended")], [call()], [[letter()], []]).wrong == {}
    assert tally([given("mended")], [], [[letter()], [letter()]]).wrong == {"dead_though_sound": ["reply-0000"]}


def test_a_reply_that_is_both_sent_and_dead_lettered_shows() -> None:
    assert tally([given("unknown")], [call()], [[letter()]]).wrong == {"dead_though_sound": ["reply-0000"]}


def test_a_sent_reply_that_waits_as_token_already_used_is_not_wrong() -> None:
    found = tally([given()], [call()], [[letter("TokenAlreadyUsed")]])
    assert (found.wrong, found.sent_and_waiting) == ({}, ("reply-0000",))
    assert tally([given()], [call(accepted=False)], [[letter("TokenAlreadyUsed")]]).wrong


LETTER = Letter("reply-0001", "NotFound", "t-2")


def event(kind: str, token: str | None, reason: str | None = None) -> dict[str, Any]:
    data = {"client_token": token, "message_id": "m-1", "reason": reason}
    return {"detail-type": kind, "detail": {"metadata": {"id": f"{token}/{kind}"}, "data": data}}


def test_true_events_are_neither_false_nor_missing() -> None:
    events = [event("Reply Sent", "t-1"), event("Reply Dead-Lettered", "t-2", "NotFound")]
    assert false_events(events, {"t-1"}, [LETTER]) == []
    assert missing_events(events, {"t-1"}, [LETTER], 0) == []


def test_false_events_show() -> None:
    assert false_events([event("Reply Sent", "t-1")], {"t-2"}, [LETTER]) == ["t-1/Reply Sent"]
    assert false_events([event("Reply Dead-Lettered", "t-2", "Refused")], {"t-2"}, [LETTER]) != []
    assert false_events([event("Reply Dead-Lettered", "t-1", "NotFound")], {"t-1"}, [LETTER]) != []


def test_an_event_without_token_is_compared_by_its_message_id() -> None:
    assert false_events([event("Reply Dead-Lettered", None, "NotFound")], (), [Letter("l", "NotFound", "m-1")]) == []


def test_a_missing_event_shows_unless_the_log_reports_it_lost() -> None:
    assert missing_events([event("Reply Sent", "t-1")], {"t-1", "t-3"}, [LETTER], 1) == ["t-2", "t-3"]
    assert missing_events([event("Reply Sent", "t-1")], {"t-1", "t-3"}, [LETTER], 2) == []


def test_the_log_reports_how_many_events_were_lost() -> None:
    lines = ['{"message":"outcomes_lost","outcomes":2}', "not json", '{"message":"outcomes_lost","outcomes":1}']
    assert lost_events(lines) == 3
