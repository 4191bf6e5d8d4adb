"""Answers as plain data, in the REST-JSON form that the AWS SDKs parse."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, sent after `wait_seconds`; with a `status` of None the connection is closed instead."""

    status: int | None
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_seconds: float = 0.0

    @property
    def error(self) -> str | None:
        """The name of its AWS error, if any."""
        return self.headers.get("x-amzn-ErrorType")

    @property
    def message(self) -> str | None:
        """What its AWS error says, if it is one."""
        message: str | None = json.loads(self.body)["Message"] if self.error else None
        return message


def json_answer(content: object, status: int = 200) -> Answer:
    """Answer with `content` as ASCII JSON, which can hold any text, even lone surrogates."""
    return Answer(status, json.dumps(content).encode())


def error_answer(status: int, error: str | None, message: str) -> Answer:
    """Answer as AWS services do on errors: the name in a header, the message in the body."""
    body = json.dumps({"Message": message}).encode()
    return Answer(status, body, headers={"x-amzn-ErrorType": error} if error else {})


# https://docs.aws.amazon.com/connect/latest/APIReference/API_StartOutboundEmailContact.html, "Errors";
# SerializationException is how AWS services answer a body that they cannot parse.
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


class Refused(Exception):  # noqa: N818 - an answer of Connect's, not an error of this program
    """Connect refuses the request with a documented error."""

    def __init__(self, error: str, message: str, status: int | None = None) -> None:
        super().__init__(error)
        self.answer = error_answer(status or STATUS_OF[error], error, message)
