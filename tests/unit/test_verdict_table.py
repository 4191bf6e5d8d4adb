import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from handler.connect import verdict_for
from handler.verdict import AlreadySent, Cause, DeadLetter, Reason, Retry


def answer(status: int, code: str = "", message: str = "", retries: int = 0) -> ClientError:
    response = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "request-1", "RetryAttempts": retries},
    }
    return ClientError(response, "StartOutboundEmailContact")  # type: ignore[arg-type] # only what botocore always has


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (answer(400, "InvalidRequestException", "Subject is empty"), Reason.INVALID_REQUEST),
        (answer(404, "ResourceNotFoundException"), Reason.NOT_FOUND),
        (answer(409, "IdempotencyException"), Reason.TOKEN_ALREADY_USED),
        (answer(400, "ValidationException"), Reason.REFUSED),
        (answer(400, "ValidationException", "Attachment is not approved"), Reason.REFUSED),
        (answer(404, "404"), Reason.REFUSED),  # a wrong endpoint, moto's answer to a call it does not know
        (answer(413, "413"), Reason.REFUSED),
        (answer(418), Reason.REFUSED),
        (ParamValidationError(report="Invalid type"), Reason.INVALID_REQUEST),
    ],
)
def test_what_a_repeat_would_not_change_is_dead_lettered(error: Exception, reason: Reason) -> None:
    verdict = verdict_for(error, may_have_been_sent=False)
    assert isinstance(verdict, DeadLetter)
    assert verdict.reason is reason


@pytest.mark.parametrize(
    ("error", "cause", "stops_batch"),
    [
        (answer(429, "ThrottlingException"), Cause.THROTTLED, True),
        (answer(429, "TooManyRequestsException"), Cause.THROTTLED, True),
        (answer(429), Cause.THROTTLED, True),
        (answer(400, "ThrottlingException"), Cause.THROTTLED, True),
        (answer(402, "ServiceQuotaExceededException"), Cause.ACTIVE_EMAILS_FULL, True),
        (answer(402), Cause.ACTIVE_EMAILS_FULL, True),
        (answer(400, "InvalidRequestException", "Attachment is not approved"), Cause.ATTACHMENT_PENDING, False),
        (answer(403, "AccessDeniedException"), Cause.ACCESS_DENIED, False),
        (answer(403, "ExpiredTokenException"), Cause.ACCESS_DENIED, False),
        (answer(403, "InvalidSignatureException"), Cause.ACCESS_DENIED, False),
        (answer(400, "UnrecognizedClientException"), Cause.ACCESS_DENIED, False),
        (answer(401), Cause.ACCESS_DENIED, False),
        (answer(403), Cause.ACCESS_DENIED, False),
        (answer(400, "SignatureDoesNotMatch"), Cause.ACCESS_DENIED, False),
        (answer(400, "ExpiredToken"), Cause.ACCESS_DENIED, False),
        (PartialCredentialsError(provider="env", cred_var="x"), Cause.ACCESS_DENIED, False),
        (NoCredentialsError(), Cause.ACCESS_DENIED, False),
        (CredentialRetrievalError(provider="role", error_msg="x"), Cause.ACCESS_DENIED, False),
        (answer(500, "InternalServiceException"), Cause.UNAVAILABLE, False),
        (answer(500), Cause.UNAVAILABLE, False),
        (answer(502, "502"), Cause.UNAVAILABLE, False),
        (answer(503, "503"), Cause.UNAVAILABLE, False),
        (answer(301, "301"), Cause.UNAVAILABLE, False),
        (ConnectTimeoutError(endpoint_url="x"), Cause.TIMED_OUT, True),
        (ReadTimeoutError(endpoint_url="x"), Cause.TIMED_OUT, True),
        (EndpointConnectionError(endpoint_url="x"), Cause.TIMED_OUT, True),
        (ConnectionClosedError(endpoint_url="x"), Cause.UNAVAILABLE, False),
        (ResponseParserError("not JSON"), Cause.UNAVAILABLE, False),
        (OSError("no route"), Cause.UNAVAILABLE, False),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_may_pass_is_tried_again(error: Exception, cause: Cause, stops_batch: bool) -> None:
    verdict = verdict_for(error, may_have_been_sent=False)
    assert isinstance(verdict, Retry)
    assert verdict.cause is cause
    assert verdict.stops_batch is stops_batch


def test_a_used_token_that_only_this_reply_can_have_used_means_already_sent() -> None:
    used = answer(409, "IdempotencyException")
    assert verdict_for(used, may_have_been_sent=True) == AlreadySent("request-1")


def test_a_used_token_after_an_earlier_try_of_the_same_call_means_already_sent() -> None:
    used = answer(409, "IdempotencyException", retries=1)
    assert verdict_for(used, may_have_been_sent=False) == AlreadySent("request-1")


@pytest.mark.parametrize("code", ["InvalidRequestException", "ResourceNotFoundException"])
def test_no_other_refusal_is_ever_taken_for_already_sent(code: str) -> None:
    assert isinstance(verdict_for(answer(400, code, retries=1), may_have_been_sent=True), DeadLetter)


def test_the_detail_is_what_a_person_needs_and_the_request_id_goes_to_the_log() -> None:
    verdict = verdict_for(answer(404, "ResourceNotFoundException", "Contact not found"), may_have_been_sent=False)
    assert isinstance(verdict, DeadLetter)
    assert verdict.detail == "ResourceNotFoundException (404): Contact not found"
    assert verdict.request_id == "request-1"


def test_a_retry_keeps_the_request_id_too() -> None:
    verdict = verdict_for(answer(500, "InternalServiceException"), may_have_been_sent=False)
    assert verdict.request_id == "request-1"
