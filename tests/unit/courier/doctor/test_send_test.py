"""Which calls a send test makes, by the answers to those before."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from courier.doctor.send_test import (
    PATIENCE,
    SENTENCES,
    Answer,
    Sentence,
    Step,
    Trial,
    accepted,
    conclusions,
    emails,
    lost,
    refused,
)
from tests.fakes.connect import FakeConnect
from tests.fakes.faults import refusal
from tests.fakes.function import FakeClock
from tests.samples import ADDRESS

OK, BAD, MISSING, USED = (
    {"ContactId": "contact-1"},
    refusal(400, "InvalidRequestException"),
    refusal(404, "X"),
    refusal(409, "Y"),
)
THROTTLED = refusal(429, "ThrottlingException")


def tried(*answers: Any) -> tuple[list[dict[str, Any]], dict[Step, Answer]]:
    """Return the requests, each with the time at which it was made, and the answers by step."""
    clock, ids, times = FakeClock(), itertools.count(1), list[float]()
    connect = FakeConnect(answers=iter(answers), before=lambda: times.append(clock.now))
    trial = Trial(connect, "instance-1", lambda: f"id-{next(ids)}", clock.sleep)  # type: ignore[arg-type]  # its only call
    told = dict(trial.run("contact-1", "me@customer.example"))
    assert told == trial.answers
    assert len(connect.calls) == len(answers)
    return [{**call, "at": at} for call, at in zip(connect.calls, times, strict=True)], told


def test_a_forgotten_refusal_takes_five_calls() -> None:
    calls, told = tried(BAD, OK, OK, BAD, MISSING)
    assert list(told) == [Step.BAD_BODY, Step.MENDED_BODY, Step.REPEAT, Step.SPENT_CONTACT, Step.WRONG_CONTACT]
    bad, mended, repeat, spent, wrong = calls
    assert bad["ClientToken"] == mended["ClientToken"]
    assert bad["FromEmailAddress"] == {"EmailAddress": "nobody@reply-courier.invalid"}
    assert "FromEmailAddress" not in mended
    assert {**repeat, "at": mended["at"]} == mended
    assert spent["ContactId"] == "contact-1"
    assert wrong["ContactId"] != "contact-1"
    assert len({call["ClientToken"] for call in (bad, spent, wrong)}) == 3
    assert {call["InstanceId"] for call in calls} == {"instance-1"}


def test_a_remembered_refusal_is_told_from_a_bad_contact_by_a_new_token() -> None:
    calls, told = tried(BAD, USED, OK, USED, BAD, MISSING)
    assert list(told)[2] is Step.MENDED_BODY_NEW_TOKEN
    assert told[Step.MENDED_BODY_NEW_TOKEN].is_accepted
    assert calls[1]["ClientToken"] != calls[2]["ClientToken"] == calls[3]["ClientToken"]


def test_with_a_bad_contact_nothing_is_repeated() -> None:
    _, told = tried(MISSING, MISSING, MISSING, MISSING)
    assert list(told) == [Step.BAD_BODY, Step.MENDED_BODY, Step.MENDED_BODY_NEW_TOKEN, Step.WRONG_CONTACT]


def test_a_bad_body_that_is_accepted_is_the_one_that_is_repeated() -> None:
    calls, told = tried(OK, OK, BAD, MISSING)
    assert list(told) == [Step.BAD_BODY, Step.REPEAT, Step.SPENT_CONTACT, Step.WRONG_CONTACT]
    assert {**calls[1], "at": 0} == {**calls[0], "at": 0}


@pytest.mark.parametrize("answer", [refusal(500, "InternalServiceException"), ReadTimeoutError(endpoint_url="x")])
def test_after_a_call_without_an_answer_no_other_goes_on_it(answer: Exception) -> None:
    _, told = tried(answer, MISSING)
    assert list(told) == [Step.BAD_BODY, Step.WRONG_CONTACT]
    _, told = tried(BAD, answer, MISSING)
    assert list(told) == [Step.BAD_BODY, Step.MENDED_BODY, Step.WRONG_CONTACT]


def test_a_200_without_a_contact_id_is_like_no_answer() -> None:
    _, told = tried(BAD, {}, MISSING)
    assert list(told) == [Step.BAD_BODY, Step.MENDED_BODY, Step.WRONG_CONTACT]
    assert (told[Step.MENDED_BODY].status, told[Step.MENDED_BODY].error) == (None, "AnswerWithoutContactId")


def test_fewer_than_two_calls_are_made_a_second_and_a_throttled_one_again() -> None:
    calls, told = tried(BAD, THROTTLED, THROTTLED, OK, OK, BAD, MISSING)
    assert told[Step.MENDED_BODY].is_accepted
    times = [call["at"] for call in calls]
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 0.5


def test_a_call_that_is_throttled_again_and_again_is_given_up() -> None:
    _, told = tried(*[THROTTLED] * PATIENCE, MISSING)
    assert told[Step.BAD_BODY].status == 429
    assert not told[Step.BAD_BODY].is_refused


def test_who_may_not_send_learns_it_at_once() -> None:
    with pytest.raises(ClientError):
        tried(refusal(403, "AccessDeniedException"))


@pytest.mark.parametrize(
    ("answer", "is_accepted", "is_refused"),
    [
        (Answer(200), True, False),
        (Answer(400), False, True),
        (Answer(404), False, True),
        (Answer(409), False, True),
        (Answer(402), False, False),
        (Answer(408), False, False),
        (Answer(429), False, False),
        (Answer(503), False, False),
        (Answer(None), False, False),
    ],
)
def test_only_an_answer_for_good_settles_anything(answer: Answer, is_accepted: bool, is_refused: bool) -> None:
    assert (answer.is_accepted, answer.is_refused) == (is_accepted, is_refused)


def test_nothing_of_the_request_is_kept() -> None:
    kept = refused(refusal(400, "InvalidRequestException", f"Email address '{ADDRESS}' of contact c-1 is not allowed"))
    assert (kept.status, kept.error) == (400, "InvalidRequestException")
    assert ADDRESS not in str(kept)
    assert "c-1" not in str(kept)
    assert refused(refusal(400, ADDRESS, "")).error == "(withheld)"


def test_a_person_reads_it_in_a_line() -> None:
    assert str(accepted("c-1", "c-1")) == "200, accepted"
    assert str(accepted("c-2", "c-1")) == "200, accepted under another contact id"
    not_found = refused(refusal(404, "ResourceNotFoundException", "Contact not found"))
    assert str(not_found) == "404 ResourceNotFoundException"
    assert str(lost(ReadTimeoutError(endpoint_url="x"))) == "no answer ReadTimeoutError"


ROOT = Path(__file__).parents[4]
TAKEN, TAKEN_OTHERWISE = Answer(200, same_contact=True), Answer(200, same_contact=False)
REFUSED, UNKNOWN, REPEATED, BUSY, LOST = Answer(400), Answer(404), Answer(409), Answer(429), Answer(None)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_stands_in_its_document(sentence: Sentence) -> None:
    document = " ".join((ROOT / sentence.document).read_text().split())
    assert sentence.text in document


@pytest.mark.parametrize(
    ("bad", "mended", "anew", "proof"),
    [
        (REFUSED, TAKEN, None, "proved"),
        (REFUSED, REPEATED, TAKEN, "disproved"),
        (REFUSED, REFUSED, TAKEN, "disproved"),  # the refusal itself is what is remembered
        (REFUSED, UNKNOWN, UNKNOWN, "open"),
        (REFUSED, BUSY, None, "open"),
        (TAKEN, None, None, "open"),
        (LOST, None, None, "open"),
    ],
)
def test_refusals(bad: Answer, mended: Answer | None, anew: Answer | None, proof: str) -> None:
    steps = {Step.BAD_BODY: bad, Step.MENDED_BODY: mended, Step.MENDED_BODY_NEW_TOKEN: anew}
    found = conclusions({step: answer for step, answer in steps.items() if answer})[0]
    assert (found.proof, found.sentence.text) == (
        proof,
        "An edit keeps the token, too: a refused token is unused",
    )


@pytest.mark.parametrize(
    ("repeat", "proof", "begins"),
    [
        (TAKEN, "proved", "If a repeat is answered with 200"),
        (TAKEN_OTHERWISE, "disproved", "If a repeat is answered with 200"),
        (REPEATED, "proved", "If it is answered with 409"),
        (REFUSED, "disproved", "If a repeat is answered with 200"),
        (UNKNOWN, "disproved", "If a repeat is answered with 200"),
        (LOST, "open", "If a repeat is answered with 200"),
    ],
)
def test_repeats(repeat: Answer, proof: str, begins: str) -> None:
    found = conclusions({Step.REPEAT: repeat})[1]
    assert found.proof == proof
    assert found.sentence.text.startswith(begins)


@pytest.mark.parametrize(
    ("spent", "proof"), [(TAKEN, "proved"), (REFUSED, "disproved"), (REPEATED, "disproved"), (BUSY, "open")]
)
def test_spent_contacts(spent: Answer, proof: str) -> None:
    assert conclusions({Step.SPENT_CONTACT: spent})[2].proof == proof


@pytest.mark.parametrize(
    ("wrong", "proof", "so"),
    [
        (UNKNOWN, "proved", "NotFound"),
        (REFUSED, "disproved", "InvalidRequest"),
        (Answer(410), "disproved", "Refused"),
        (TAKEN, "disproved", "accepts"),
        (LOST, "open", "again"),
    ],
)
def test_wrong_contacts(wrong: Answer, proof: str, so: str) -> None:
    found = conclusions({Step.WRONG_CONTACT: wrong})[3]
    assert found.proof == proof
    assert so in found.so


def test_without_any_answer_all_is_open() -> None:
    assert {conclusion.proof for conclusion in conclusions({})} == {"open"}


def test_the_mailbox_must_hold_what_was_accepted_but_no_repeat() -> None:
    answers = {Step.BAD_BODY: REFUSED, Step.MENDED_BODY_NEW_TOKEN: TAKEN, Step.REPEAT: TAKEN, Step.SPENT_CONTACT: TAKEN}
    assert emails(answers) == ["mended body", "spent contact"]
