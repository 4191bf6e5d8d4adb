from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from courier.doctor.send_test.answer import Answer, accepted, lost, refused
from tests.samples import ADDRESS


def error(status: int, code: str, message: str) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "StartOutboundEmailContact")


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
    kept = refused(error(400, "InvalidRequestException", f"Email address '{ADDRESS}' of contact c-1 is not allowed"))
    assert (kept.status, kept.error) == (400, "InvalidRequestException")
    assert ADDRESS not in str(kept)
    assert "c-1" not in str(kept)
    assert refused(error(400, ADDRESS, "")).error == "(withheld)"


def test_a_person_reads_it_in_a_line() -> None:
    assert str(accepted("c-1", "c-1")) == "200, accepted"
    assert str(accepted("c-2", "c-1")) == "200, accepted under another contact id"
    not_found = refused(error(404, "ResourceNotFoundException", "Contact not found"))
    assert str(not_found) == "404 ResourceNotFoundException: Contact not found"
    assert str(lost(ReadTimeoutError(endpoint_url="x"))) == "no answer ReadTimeoutError"
