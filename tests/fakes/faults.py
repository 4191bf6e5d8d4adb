"""What a double of an AWS client raises: AWS's refusals, lost answers, and the end of the process."""

from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError


class CrashError(BaseException):
    """The function's process is gone: no code of the function may catch this."""


def refusal(status: int, code: str, message: str = "") -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "request-1", "RetryAttempts": 0},
    }
    return ClientError(response, "AnyOperation")


def lost_answer() -> None:
    raise ConnectionClosedError(endpoint_url="x")


def crash() -> None:
    raise CrashError
