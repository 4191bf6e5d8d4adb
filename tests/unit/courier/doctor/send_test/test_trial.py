"""Which calls a send test makes, by the answers to those before."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from courier.doctor.send_test.answer import Answer, Step
from courier.doctor.send_test.trial import PATIENCE, Trial
from tests.fakes.faults import refusal
from tests.fakes.function import FakeClock

OK, BAD, MISSING, USED = 200, refusal(400, "InvalidRequestException"), refusal(404, "X"), refusal(409, "Y")
THROTTLED = refusal(429, "ThrottlingException")


@dataclass
class FakeConnect:
    """Gives these answers, one after the other."""

    answers: list[Any]
    clock: FakeClock
    calls: list[dict[str, Any]] = field(default_factory=list)

    def start_outbound_email_contact(self, **request: Any) -> Any:
        self.calls.append({**request, "at": self.clock.now})
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"ContactId": request["ContactId"]} if answer == OK else {}


def tried(*answers: Any) -> tuple[FakeConnect, dict[Step, Answer]]:
    clock, ids = FakeClock(), itertools.count(1)
    connect = FakeConnect([*answers], clock)
    trial = Trial(connect, "instance-1", lambda: f"id-{next(ids)}", clock.sleep)  # type: ignore[arg-type]  # its only call
    told = dict(trial.run("contact-1", "me@customer.example"))
    assert told == trial.answers
    assert connect.answers == []
    return connect, told


def test_a_forgotten_refusal_takes_five_calls() -> None:
    connect, told = tried(BAD, OK, OK, BAD, MISSING)
    assert list(told) == [Step.BAD_BODY, Step.MENDED_BODY, Step.REPEAT, Step.SPENT_CONTACT, Step.WRONG_CONTACT]
    bad, mended, repeat, spent, wrong = connect.calls
    assert bad["ClientToken"] == mended["ClientToken"]
    assert bad["FromEmailAddress"] == {"EmailAddress": "nobody@reply-courier.invalid"}
    assert "FromEmailAddress" not in mended
    assert {**repeat, "at": mended["at"]} == mended
    assert spent["ContactId"] == "contact-1"
    assert wrong["ContactId"] != "contact-1"
    assert len({call["ClientToken"] for call in (bad, spent, wrong)}) == 3
    assert {call["InstanceId"] for call in connect.calls} == {"instance-1"}


def test_a_remembered_refusal_is_told_from_a_bad_contact_by_a_new_token() -> None:
    connect, told = tried(BAD, USED, OK, USED, BAD, MISSING)
    assert list(told)[2] is Step.MENDED_BODY_NEW_TOKEN
    assert told[Step.MENDED_BODY_NEW_TOKEN].is_accepted
    assert connect.calls[1]["ClientToken"] != connect.calls[2]["ClientToken"] == connect.calls[3]["ClientToken"]


def test_with_a_bad_contact_nothing_is_repeated() -> None:
    _, told = tried(MISSING, MISSING, MISSING, MISSING)
    assert list(told) == [Step.BAD_BODY, Step.MENDED_BODY, Step.MENDED_BODY_NEW_TOKEN, Step.WRONG_CONTACT]


def test_a_bad_body_that_is_accepted_is_the_one_that_is_repeated() -> None:
    connect, told = tried(OK, OK, BAD, MISSING)
    assert list(told) == [Step.BAD_BODY, Step.REPEAT, Step.SPENT_CONTACT, Step.WRONG_CONTACT]
    assert {**connect.calls[1], "at": 0} == {**connect.calls[0], "at": 0}


@pytest.mark.parametrize("answer", [refusal(500, "InternalServiceException"), ReadTimeoutError(endpoint_url="x")])
def test_after_a_call_without_an_answer_no_other_goes_on_it(answer: Exception) -> None:
    _, told = tried(answer, MISSING)
    assert list(told) == [Step.BAD_BODY, Step.WRONG_CONTACT]
    _, told = tried(BAD, answer, MISSING)
    assert list(told) == [Step.BAD_BODY, Step.MENDED_BODY, Step.WRONG_CONTACT]


def test_a_200_without_a_contact_id_is_like_no_answer() -> None:
    _, told = tried(BAD, "not JSON", MISSING)
    assert list(told) == [Step.BAD_BODY, Step.MENDED_BODY, Step.WRONG_CONTACT]
    assert (told[Step.MENDED_BODY].status, told[Step.MENDED_BODY].error) == (None, "AnswerWithoutContactId")


def test_fewer_than_two_calls_are_made_a_second_and_a_throttled_one_again() -> None:
    connect, told = tried(BAD, THROTTLED, THROTTLED, OK, OK, BAD, MISSING)
    assert told[Step.MENDED_BODY].is_accepted
    times = [call["at"] for call in connect.calls]
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 0.5


def test_a_call_that_is_throttled_again_and_again_is_given_up() -> None:
    _, told = tried(*[THROTTLED] * PATIENCE, MISSING)
    assert told[Step.BAD_BODY].status == 429
    assert not told[Step.BAD_BODY].is_refused


def test_who_may_not_send_learns_it_at_once() -> None:
    with pytest.raises(ClientError):
        tried(refusal(403, "AccessDeniedException"))
