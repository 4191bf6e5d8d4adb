"""HTTP answers as plain data, in the REST-JSON form that the AWS SDKs parse."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

# https://docs.aws.amazon.com/connect/latest/APIReference/API_StartOutboundEmailContact.html, "Errors".
# AWS services answer SerializationException to a body that they cannot parse.
STATUS_OF = {
    "InvalidRequestException": 400,
    "SerializationException": 400,
    "ServiceQuotaExceededException": 402,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "IdempotencyException": 409,
    "ThrottlingException": 429,
    "InternalServiceException": 500,
}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, sent after `wait_seconds`. If `status` is None, the server closes the connection instead."""

    status: int | None
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_seconds: float = 0.0

    @property
    def error(self) -> str | None:
        """The name of the AWS error, or None for another answer."""
        return self.headers.get("x-amzn-ErrorType")

    @property
    def message(self) -> str | None:
        """The message of the AWS error, or None for another answer."""
        message: str | None = json.loads(self.body)["Message"] if self.error else None
        return message


def json_answer(content: object, status: int = 200) -> Answer:
    """Return `content` as an answer in ASCII JSON, which can hold any text, even lone surrogates."""
    return Answer(status, json.dumps(content).encode())


def error_answer(status: int, error: str | None, message: str) -> Answer:
    """Return an AWS error: the name is in a header and the message in the body."""
    body = json.dumps({"Message": message}).encode()
    return Answer(status, body, headers={"x-amzn-ErrorType": error} if error else {})


class Refused(Exception):  # noqa: N818 - an answer of Connect's, not an error of this program
    """Connect refuses the request with a documented error."""

    def __init__(self, error: str, message: str, status: int | None = None) -> None:
        super().__init__(error)
        self.answer = error_answer(status or STATUS_OF[error], error, message)
