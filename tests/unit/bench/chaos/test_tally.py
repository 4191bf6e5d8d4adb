"""The account of a run: each way in which a reply can go wrong shows."""

from typing import Any

from bench.chaos.tally import Letter, account
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


def test_a_reply_sent_once_is_in_order_however_often_it_was_tried_under_its_token() -> None:
    calls = [call(accepted=False, status=500), call(status=None), call(accepted=False, repeat=True)]
    found = account([given()], calls, [[]])
    assert found.wrong == {}
    assert (found.replies, found.sent, found.calls, found.repeats, found.answers_lost) == (1, 1, 3, 1, 1)


def test_a_reply_that_cannot_be_sent_is_in_order_on_the_dead_letter_queue() -> None:
    assert account([given("unknown")], [call(accepted=False, status=404)], [[letter()]]).wrong == {}
    assert account([given("invalid")], [], [[letter(), letter()]]).wrong == {}


def test_a_reply_that_is_nowhere_is_lost() -> None:
    assert account([given()], [call(accepted=False)], [[]]).wrong == {"lost": ["reply-0000"]}
    assert account([given("unknown")], [], [[letter()], []]).wrong == {"lost": ["reply-0000"]}


def test_a_second_email_shows_and_so_does_its_other_token() -> None:
    found = account([given()], [call(token="first"), call(token="second")], [[]])
    assert found.wrong == {"twice": ["reply-0000"], "wrong_token": ["reply-0000"]}


def test_a_dead_letter_without_token_or_reason_shows_even_if_it_was_redriven() -> None:
    looks = [[letter(None)], [letter()]]
    assert account([given("invalid")], [], looks).wrong == {"without_reason": ["reply-0000"]}


def test_a_sound_reply_on_the_dead_letter_queue_shows_even_if_it_was_redriven_and_sent() -> None:
    assert account([given()], [call()], [[letter()], []]).wrong == {"dead_though_sound": ["reply-0000"]}


def test_a_mended_reply_may_be_there_until_it_is_mended() -> None:
    assert account([given("mended")], [call()], [[letter()], []]).wrong == {}
    assert account([given("mended")], [], [[letter()], [letter()]]).wrong == {"dead_though_sound": ["reply-0000"]}


def test_a_reply_that_was_sent_and_is_dead_lettered_as_well_shows() -> None:
    assert account([given("unknown")], [call()], [[letter()]]).wrong == {"dead_though_sound": ["reply-0000"]}


def test_a_reply_that_waits_because_its_token_was_used_was_sent_and_is_counted_apart() -> None:
    found = account([given()], [call()], [[letter("TokenAlreadyUsed")]])
    assert (found.wrong, found.waits_though_sent) == ({}, ("reply-0000",))
    assert account([given()], [call(accepted=False)], [[letter("TokenAlreadyUsed")]]).wrong
