from typing import Any

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

from contract.dead_letter import Reason
from handler.services.connect import verdict_for
from handler.verdict import AlreadySent, Cause, DeadLetter, Retry
from tests.fakes.faults import refusal


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (refusal(400, "InvalidRequestException", "Subject is empty"), Reason.INVALID_REQUEST),
        (refusal(404, "ResourceNotFoundException"), Reason.NOT_FOUND),
        (refusal(409, "IdempotencyException"), Reason.TOKEN_ALREADY_USED),
        (refusal(400, "ValidationException"), Reason.REFUSED),
        (refusal(400, "ValidationException", "Attachment is not approved"), Reason.REFUSED),
        (refusal(404, "404"), Reason.REFUSED),  # a wrong endpoint, moto's answer to a call it does not know
        (refusal(413, "413"), Reason.REFUSED),
        (refusal(418), Reason.REFUSED),
        (ParamValidationError(report="Invalid type"), Reason.INVALID_REQUEST),
    ],
)
def test_what_a_repeat_would_not_change_is_dead_lettered(error: Exception, reason: Reason) -> None:
    verdict = verdict_for(error, knows_token=False)
    assert isinstance(verdict, DeadLetter)
    assert verdict.reason is reason


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (refusal(429, "ThrottlingException"), Cause.THROTTLED),
        (refusal(429, "TooManyRequestsException"), Cause.THROTTLED),
        (refusal(429), Cause.THROTTLED),
        (refusal(400, "ThrottlingException"), Cause.THROTTLED),
        (refusal(400, "RequestThrottled"), Cause.THROTTLED),
        (refusal(400, "ThrottledException"), Cause.THROTTLED),
        (refusal(400, "RequestLimitExceeded"), Cause.THROTTLED),
        (refusal(408, "RequestTimeoutException"), Cause.UNAVAILABLE),
        (refusal(408), Cause.UNAVAILABLE),
        (refusal(400, "RequestTimeout"), Cause.UNAVAILABLE),
        (refusal(400, "RequestAbortedException"), Cause.UNAVAILABLE),
        (refusal(402, "ServiceQuotaExceededException"), Cause.ACTIVE_EMAILS_FULL),
        (refusal(402), Cause.ACTIVE_EMAILS_FULL),
        (refusal(400, "InvalidRequestException", "Attachment is not approved"), Cause.ATTACHMENT_PENDING),
        (refusal(403, "AccessDeniedException"), Cause.ACCESS_DENIED),
        (refusal(403, "ExpiredTokenException"), Cause.ACCESS_DENIED),
        (refusal(403, "InvalidSignatureException"), Cause.ACCESS_DENIED),
        (refusal(400, "UnrecognizedClientException"), Cause.ACCESS_DENIED),
        (refusal(401), Cause.ACCESS_DENIED),
        (refusal(403), Cause.ACCESS_DENIED),
        (refusal(400, "SignatureDoesNotMatch"), Cause.ACCESS_DENIED),
        (refusal(400, "ExpiredToken"), Cause.ACCESS_DENIED),
        (PartialCredentialsError(provider="env", cred_var="x"), Cause.ACCESS_DENIED),
        (NoCredentialsError(), Cause.ACCESS_DENIED),
        (CredentialRetrievalError(provider="role", error_msg="x"), Cause.ACCESS_DENIED),
        (refusal(500, "InternalServiceException"), Cause.UNAVAILABLE),
        (refusal(500), Cause.UNAVAILABLE),
        (refusal(502, "502"), Cause.UNAVAILABLE),
        (refusal(503, "503"), Cause.UNAVAILABLE),
        (refusal(301, "301"), Cause.UNAVAILABLE),
        (ConnectTimeoutError(endpoint_url="x"), Cause.TIMED_OUT),
        (ReadTimeoutError(endpoint_url="x"), Cause.TIMED_OUT),
        (EndpointConnectionError(endpoint_url="x"), Cause.TIMED_OUT),
        (ConnectionClosedError(endpoint_url="x"), Cause.UNAVAILABLE),
        (ResponseParserError("not JSON"), Cause.UNAVAILABLE),
        (OSError("no route"), Cause.UNAVAILABLE),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_may_pass_is_tried_again(error: Exception, cause: Cause) -> None:
    verdict = verdict_for(error, knows_token=False)
    assert isinstance(verdict, Retry)
    assert verdict.cause is cause


def test_a_used_token_that_only_this_message_can_have_used_means_already_sent() -> None:
    used = refusal(409, "IdempotencyException")
    assert verdict_for(used, knows_token=True) == AlreadySent("request-1")


@pytest.mark.parametrize("code", ["InvalidRequestException", "ResourceNotFoundException"])
def test_no_other_refusal_is_ever_taken_for_already_sent(code: str) -> None:
    assert isinstance(verdict_for(refusal(400, code), knows_token=True), DeadLetter)


def test_the_detail_is_what_a_person_needs_and_the_request_id_goes_to_the_log() -> None:
    verdict = verdict_for(refusal(404, "ResourceNotFoundException", "Contact not found"), knows_token=False)
    assert isinstance(verdict, DeadLetter)
    assert verdict.detail == "ResourceNotFoundException (404): Contact not found"
    assert verdict.request_id == "request-1"


def test_a_retry_keeps_the_request_id_too() -> None:
    verdict = verdict_for(refusal(500, "InternalServiceException"), knows_token=False)
    assert verdict.request_id == "request-1"


def attached_files_refused(reason: object) -> ClientError:
    refused = refusal(402, "ServiceQuotaExceededException", "Too many files")
    refused.response["Reason"] = reason  # type: ignore[typeddict-unknown-key] # a member of this error's own shape
    return refused


def test_a_drafts_own_files_are_not_a_full_instance() -> None:
    verdict = verdict_for(
        attached_files_refused({"AttachedFileServiceQuotaExceededExceptionReason": "TOTAL_FILE_SIZE_EXCEEDED"}),
        knows_token=False,
    )
    assert isinstance(verdict, DeadLetter)
    assert verdict.reason is Reason.INVALID_REQUEST
    assert verdict.detail.endswith("TOTAL_FILE_SIZE_EXCEEDED")


@pytest.mark.parametrize("reason", [None, "text", [], {}, {"AttachedFileServiceQuotaExceededExceptionReason": 1}])
def test_a_402_with_an_odd_reason_is_a_full_instance(reason: object) -> None:
    verdict = verdict_for(attached_files_refused(reason), knows_token=False)
    assert isinstance(verdict, Retry)
    assert verdict.cause is Cause.ACTIVE_EMAILS_FULL


@pytest.mark.parametrize(
    "response",
    [
        {"Error": {"Code": "InvalidRequestException", "Message": None}, "ResponseMetadata": {"HTTPStatusCode": 400}},
        {"Error": {"Code": None, "Message": 7}, "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": None}},
        {"Error": [], "ResponseMetadata": {"HTTPStatusCode": 418}},
        {"Error": {"Code": "X"}, "ResponseMetadata": {"HTTPStatusCode": 404}},
    ],
)
def test_an_error_of_an_odd_shape_is_decided_by_its_status_and_code(response: Any) -> None:
    error = ClientError({"Error": {}}, "StartOutboundEmailContact")
    error.response = response
    assert isinstance(verdict_for(error, knows_token=False), DeadLetter)


@pytest.mark.parametrize(
    ("error", "may_have_been_sent"),
    [
        (refusal(429, "ThrottlingException"), False),
        (refusal(402, "ServiceQuotaExceededException"), False),
        (refusal(401), False),
        (refusal(403, "AccessDeniedException"), False),
        (refusal(400, "InvalidRequestException", "Attachment is not approved"), False),
        (refusal(400, "InvalidRequestException"), False),
        (refusal(404, "ResourceNotFoundException"), False),
        (refusal(418), False),
        (ConnectTimeoutError(endpoint_url="x"), False),
        (EndpointConnectionError(endpoint_url="x"), False),
        (ParamValidationError(report="x"), False),
        (NoCredentialsError(), False),
        (refusal(409, "IdempotencyException"), True),
        (refusal(409, "ConflictException"), True),
        (refusal(400, "IdempotencyException"), True),
        (refusal(500, "InternalServiceException"), True),
        (refusal(503, "ThrottlingException"), True),
        (refusal(408), True),
        (refusal(301), True),
        (refusal(400, "RequestAbortedException"), True),
        (refusal(400, "RequestTimeout"), True),
        (refusal(400, "PriorRequestNotComplete"), True),
        (ReadTimeoutError(endpoint_url="x"), True),
        (ConnectionClosedError(endpoint_url="x"), True),
        (ResponseParserError("not JSON"), True),
        (OSError("no route"), True),
    ],
    ids=lambda value: str(value)[:60],
)
def test_each_error_says_whether_the_reply_may_have_been_sent(error: Exception, *, may_have_been_sent: bool) -> None:
    verdict = verdict_for(error, knows_token=False)
    assert not isinstance(verdict, AlreadySent)
    assert verdict.may_have_been_sent is may_have_been_sent
