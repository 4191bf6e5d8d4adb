"""What a client in memory raises: AWS's refusals, lost answers, and the end of the process."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError


class CrashError(BaseException):
    """The function's process is gone: no code of the function may catch this."""


def refusal(status: int, code: str = "", message: str = "") -> ClientError:
    """Return the exception that boto3 raises for an answer with this status."""
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "request-1", "RetryAttempts": 0},
    }
    return ClientError(response, "AnyOperation")


def fails(error: Exception) -> Callable[..., None]:
    """Return a hook that raises this."""

    def at_once(*_: object) -> None:
        raise error

    return at_once


def lost_answer(*_: object) -> None:
    raise ConnectionClosedError(endpoint_url="x")


def crash(*_: object) -> None:
    raise CrashError
