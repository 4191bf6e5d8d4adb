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
    connect: ConnectClient, instance_arn: str, reply: dict[str, Any], token: str, *, token_is_message_id: bool
) -> Sent | AlreadySent | Retry | DeadLetter:
    """Call StartOutboundEmailContact once, and return what its answer means. Nothing is raised.

    Always pass the token: without one, botocore generates a new token, and the reply could be sent twice.

    Args:
        connect: The client.
        instance_arn: The instance to send from. The API takes its id, which ends the ARN.
        reply: The request, without InstanceId and ClientToken.
        token: The reply's client token.
        token_is_message_id: Whether only this message can have used the token.
    """
    instance_id = instance_arn.rpartition("/")[2]
    try:
        answer = connect.start_outbound_email_contact(InstanceId=instance_id, ClientToken=token, **reply)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the reply may have been sent: only a verdict is safe
        return verdict_for(error, token_is_message_id=token_is_message_id)
    request_id = answer["ResponseMetadata"].get("RequestId", "")
    if "ContactId" not in answer:  # botocore reads a 200 whose body is not JSON as an empty answer
        return Retry(Cause.UNAVAILABLE, "200, but without a ContactId", request_id)
    return Sent(answer["ContactId"], request_id)


def verdict_for(error: Exception, *, token_is_message_id: bool) -> AlreadySent | Retry | DeadLetter:
    """Return what an error of the call means for the reply.

    AWS does not document whether Connect answers a repeated token with 200 and the first ContactId, or with 409. So a
    409 means "already sent" only if no other message can have used the token. Any other 409 is a dead letter. A reply
    that wrongly counted as sent would be lost. A dead letter that was in fact sent can't be sent twice under its token.

    https://docs.aws.amazon.com/connect/latest/APIReference/API_StartOutboundEmailContact.html, Errors.
    """
    match error:
        case ClientError():
            return _verdict_for_answer(error, token_is_message_id=token_is_message_id)
        case NoCredentialsError() | PartialCredentialsError() | CredentialRetrievalError():
            return Retry(Cause.ACCESS_DENIED, f"{type(error).__name__}: {error}")
        case ParamValidationError():
            return DeadLetter(Reason.INVALID_REQUEST, str(error))
        case ConnectTimeoutError() | ReadTimeoutError() | EndpointConnectionError():
            return Retry(Cause.TIMED_OUT, f"{type(error).__name__}: {error}")
        case _:  # no answer, or none that can be read: it may have been sent, so only the same token may be tried again
            return Retry(Cause.UNAVAILABLE, f"{type(error).__name__}: {error}")


def _verdict_for_answer(error: ClientError, *, token_is_message_id: bool) -> AlreadySent | Retry | DeadLetter:
    code = error.response["Error"].get("Code", "")
    message = error.response["Error"].get("Message", "")
    status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
    request_id = error.response["ResponseMetadata"].get("RequestId", "")
    detail = f"{code} ({status}): {message}"
    if cause := _retry_cause(error, code, status, message):
        return Retry(cause, detail, request_id)
    reason = _REASONS.get(code, Reason.REFUSED)
    if reason is Reason.TOKEN_ALREADY_USED and token_is_message_id:
        return AlreadySent(request_id)
    return DeadLetter(reason, detail, request_id)


def _retry_cause(error: ClientError, code: str, status: int, message: str) -> Cause | None:
    answer = RetryContext(attempt_number=1, parsed_response=dict(error.response))
    if status == 429 or _THROTTLING.is_retryable(answer):  # noqa: PLR2004 - HTTP's own numbers, here and below
        return Cause.THROTTLED
    if code == "ServiceQuotaExceededException" or status == 402:  # noqa: PLR2004
        return Cause.ACTIVE_EMAILS_FULL
    if code in _DENIED or status in {401, 403}:
        return Cause.ACCESS_DENIED
    if code == "InvalidRequestException" and "attachment is not approved" in message.lower():
        return Cause.ATTACHMENT_PENDING
    if not 400 <= status < 500 or status == 408 or code in _ABORTED or _TRANSIENT.is_retryable(answer):  # noqa: PLR2004
        return Cause.UNAVAILABLE
    return None
