"""Connect's answers, in the REST-JSON form that the AWS SDKs parse."""

import json

from local.http_server import Answer

# https://docs.aws.amazon.com/connect/latest/APIReference/API_StartOutboundEmailContact.html, "Errors".
# AWS services answer SerializationException to a body that they cannot parse.
STATUS_OF = {
    "InvalidRequestException": 400,
    "SerializationException": 400,
    "ServiceQuotaExceededException": 402,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ContactNotFoundException": 410,  # of StopContact
    "IdempotencyException": 409,
    "ThrottlingException": 429,
    "InternalServiceException": 500,
}
_ERROR_HEADER = "x-amzn-ErrorType"


def json_answer(content: object, status: int = 200) -> Answer:
    """Return `content` as an answer in ASCII JSON, which can hold any text, even lone surrogates."""
    return Answer(status, json.dumps(content).encode())


def error_answer(status: int, error: str | None, message: str) -> Answer:
    """Return an AWS error: the name is in a header and the message in the body."""
    named = {_ERROR_HEADER: error} if error else {}
    return Answer(status, json.dumps({"Message": message}).encode(), {"Content-Type": "application/json", **named})


def error_of(answer: Answer) -> tuple[str | None, str | None]:
    """Return the name and the message of an AWS error, or twice None for another answer."""
    name = answer.headers.get(_ERROR_HEADER)
    return name, json.loads(answer.body)["Message"] if name else None


class Refused(Exception):  # noqa: N818 - an answer of Connect's, not an error of this program
    """Connect refuses the request with a documented error."""

    def __init__(self, error: str, message: str, status: int | None = None) -> None:
        super().__init__(error)
        self.answer = error_answer(status or STATUS_OF[error], error, message)
