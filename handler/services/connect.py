"""The call to Amazon Connect, and what its answers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.retries.standard import RetryContext, ThrottledRetryableChecker, TransientRetryableChecker

from contract.dead_letter import Reason
from handler.verdict import AlreadySent, Cause, DeadLetter, Retry, Sent

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient

CONNECT_TIMEOUT = 2
READ_TIMEOUT = 10
CALL_SECONDS = CONNECT_TIMEOUT + READ_TIMEOUT
"""How long a call takes that times out. Longer only if one of Connect's addresses is silent and another one is slow."""

# botocore's own lists of what passes. A client that makes one try does not use them.
_THROTTLING = ThrottledRetryableChecker()
_TRANSIENT = TransientRetryableChecker()
# AWS General Reference, common errors. They are in none of botocore's lists.
_ABORTED = {"RequestAbortedException", "RequestAborted"}
# Credentials that are missing, expired or not yet known everywhere (AWS General Reference, common errors).
_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_REASONS = {
    "InvalidRequestException": Reason.INVALID_REQUEST,
    "ResourceNotFoundException": Reason.NOT_FOUND,
    "IdempotencyException": Reason.TOKEN_ALREADY_USED,
}


def client(instance_arn: str) -> ConnectClient:
    """Make the client, in the instance's Region.

    It makes one try. handler/sender.py tries again, with the same token and at the environment's pace, which botocore's
    retries would exceed.
    """
    return boto3.client(
        "connect",
        region_name=instance_arn.split(":")[3],
        config=Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": 1},
        ),
    )


def send(
    connect: ConnectClient, instance_arn: str, reply: dict[str, Any], token: str, *, knows_token: bool
) -> Sent | AlreadySent | Retry | DeadLetter:
    """Call StartOutboundEmailContact once, and return what its answer means. Nothing is raised.

    Always pass the token: without one, botocore generates a new token, and the reply could be sent twice.

    Args:
        connect: The client.
        instance_arn: The instance to send from. The API takes its id, which ends the ARN.
        reply: The request, without InstanceId and ClientToken.
        token: The reply's client token.
        knows_token: Whether Connect can know the token from an earlier attempt of this reply, and from nothing else.
    """
    try:
        answer = connect.start_outbound_email_contact(InstanceId=id_of(instance_arn), ClientToken=token, **reply)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the reply may have been sent: only a verdict is safe
        return verdict_for(error, knows_token=knows_token)
    request_id = answer["ResponseMetadata"].get("RequestId", "")
    if "ContactId" not in answer:  # botocore reads a 200 whose body is not JSON as an empty answer
        return Retry(Cause.UNAVAILABLE, "200, but without a ContactId", request_id, may_have_been_sent=True)
    return Sent(answer["ContactId"], request_id)


def id_of(instance_arn: str) -> str:
    """Return an instance's id, which ends its ARN."""
    return instance_arn.rpartition("/")[2]


def verdict_for(error: Exception, *, knows_token: bool) -> AlreadySent | Retry | DeadLetter:
    """Return what an error of a call to Connect means for the reply, and whether the reply may have been sent.

    AWS does not document whether Connect answers a repeated token with 200 and the first ContactId, or with 409. So a
    409 means "already sent" only if nothing but an earlier attempt of this reply can have used the token. Any other 409
    is a dead letter. A reply that wrongly counted as sent would be lost. A dead letter that was in fact sent can't be
    sent twice under its token.

    https://docs.aws.amazon.com/connect/latest/APIReference/API_StartOutboundEmailContact.html, Errors.
    """
    match error:
        case ClientError():
            return _verdict_for_answer(error, knows_token=knows_token)
        case NoCredentialsError() | PartialCredentialsError() | CredentialRetrievalError():
            return Retry(Cause.ACCESS_DENIED, f"{type(error).__name__}: {error}")
        case ParamValidationError():
            return DeadLetter(Reason.INVALID_REQUEST, str(error))
        case ConnectTimeoutError() | EndpointConnectionError():  # the request never left
            return Retry(Cause.TIMED_OUT, f"{type(error).__name__}: {error}")
        case ReadTimeoutError():
            return Retry(Cause.TIMED_OUT, f"{type(error).__name__}: {error}", may_have_been_sent=True)
        case _:  # no answer, or none that can be read: it may have been sent, so only the same token may be tried again
            return Retry(Cause.UNAVAILABLE, f"{type(error).__name__}: {error}", may_have_been_sent=True)


def _verdict_for_answer(error: ClientError, *, knows_token: bool) -> AlreadySent | Retry | DeadLetter:
    code, message, status, request_id = error_parts(error)
    detail = f"{code} ({status}): {message}"
    if file_reason := _file_reason(error):
        return DeadLetter(Reason.INVALID_REQUEST, f"{detail} {file_reason}", request_id, status=status)
    may_have_been_sent = _may_have_been_sent(code, status)
    if cause := _retry_cause(code, status, message):
        return Retry(cause, detail, request_id, may_have_been_sent)
    reason = _REASONS.get(code, Reason.REFUSED)
    if reason is Reason.TOKEN_ALREADY_USED and knows_token:
        return AlreadySent(request_id)
    return DeadLetter(reason, detail, request_id, may_have_been_sent=may_have_been_sent, status=status)


def _may_have_been_sent(code: str, status: int) -> bool:
    """Return whether Connect may have accepted the reply, or an earlier attempt, though it answered with this error."""
    return (
        not 400 <= status < 500  # noqa: PLR2004 - HTTP's own numbers, here and below
        or status in {408, 409}
        or code in {"IdempotencyException", *_ABORTED}
        or _TRANSIENT.is_retryable(_context(code))
    )


def _context(code: str) -> RetryContext:
    """Return what botocore's checkers look at: the code. They can't read every shape of an answer."""
    return RetryContext(attempt_number=1, parsed_response={"Error": {"Code": code}})


def error_parts(error: ClientError) -> tuple[str, str, int, str]:
    """Return an error's code, message, HTTP status and request id, whatever shape the answer has."""
    parts, metadata = (error.response.get(name) for name in ("Error", "ResponseMetadata"))
    parts = parts if isinstance(parts, dict) else {}
    metadata = metadata if isinstance(metadata, dict) else {}
    code, message, request_id = (
        text if isinstance(text, str) else ""
        for text in (parts.get("Code"), parts.get("Message"), metadata.get("RequestId"))
    )
    status = metadata.get("HTTPStatusCode", 0)
    return code, message, status if isinstance(status, int) else 0, request_id


def _file_reason(error: ClientError) -> str:
    """Return why this draft's attached files are refused (402), which waiting can't change; empty if that's not why."""
    reason = error.response.get("Reason")
    why = reason.get("AttachedFileServiceQuotaExceededExceptionReason") if isinstance(reason, dict) else None
    return why if isinstance(why, str) else ""


def _retry_cause(code: str, status: int, message: str) -> Cause | None:
    if status == 429 or _THROTTLING.is_retryable(_context(code)):  # noqa: PLR2004
        return Cause.THROTTLED
    if code == "ServiceQuotaExceededException" or status == 402:  # noqa: PLR2004
        return Cause.ACTIVE_EMAILS_FULL
    if code in _DENIED or status in {401, 403}:
        return Cause.ACCESS_DENIED
    if code == "InvalidRequestException" and "attachment is not approved" in message.lower():
        return Cause.ATTACHMENT_PENDING
    transient = status == 408 or code in _ABORTED or _TRANSIENT.is_retryable(_context(code))  # noqa: PLR2004
    if transient or not 400 <= status < 500:  # noqa: PLR2004
        return Cause.UNAVAILABLE
    return None
