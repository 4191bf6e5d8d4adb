"""The call to S3: read the body of a reply that is larger than a message."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

from contract.dead_letter import Reason
from contract.payload import MAX_PAYLOAD_BYTES, PayloadError, decode_payload, parse_pointer
from handler.verdict import Cause, DeadLetter, HandBack, Retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

    from contract.payload import Pointer
    from handler.message import Message

CONNECT_TIMEOUT = 1
READ_TIMEOUT = 5
MAX_TRIES = 2
CALL_SECONDS = MAX_TRIES * (CONNECT_TIMEOUT + READ_TIMEOUT) + 1
"""The longest time that a call takes: every try times out, with up to a second of backoff between them."""


def client() -> S3Client:
    """Make the client: short timeouts, one retry."""
    return boto3.client(
        "s3",
        config=Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": MAX_TRIES},
        ),
    )


@dataclass(frozen=True, slots=True)
class Payloads:
    """Reads bodies; one for each execution environment.

    Attributes:
        bucket: The stack's bucket. Nothing is read from any other bucket.
        s3: Makes the client when the first pointer comes.
    """

    bucket: str
    s3: Callable[[], S3Client]

    def read_body(self, message: Message, seconds_left: float) -> str | DeadLetter | Retry | HandBack:
        """Return the reply's body, from the message or from S3, or else a verdict. Nothing is raised.

        Args:
            message: The message.
            seconds_left: Seconds that reading may take.
        """
        try:
            pointer = parse_pointer(message.body, message.attributes)
            if pointer is None:
                return message.body
            if pointer.bucket != self.bucket:
                return _invalid("The pointer names another bucket than the stack's (its output PayloadBucketName).")
            if pointer.size > MAX_PAYLOAD_BYTES:
                return _invalid(f"The object in S3 has {pointer.size} bytes; a reply has at most {MAX_PAYLOAD_BYTES}.")
            if seconds_left < CALL_SECONDS:
                return HandBack()
            return self._read(pointer)
        except PayloadError as error:
            return _invalid(f"{error}.")

    def _read(self, pointer: Pointer) -> str | DeadLetter | Retry:
        try:
            answer = self.s3().get_object(Bucket=pointer.bucket, Key=pointer.key)
            with closing(answer["Body"]) as body:  # as a context manager itself, it would not notice a cut-off body
                if answer["ContentLength"] != pointer.size:
                    return _invalid(f"The object has {answer['ContentLength']} bytes; the message says {pointer.size}.")
                return decode_payload(body.read())
        except PayloadError:
            raise
        except ClientError as error:
            return _verdict_for(error)
        except ParamValidationError:
            return _invalid("The pointer's bucket or key is not a valid name in S3.")
        except Exception as error:  # noqa: BLE001 - no answer, or half of one: whatever it was, it may pass
            return Retry(Cause.PAYLOAD_UNAVAILABLE, f"S3: {type(error).__name__}")


def _verdict_for(error: ClientError) -> DeadLetter | Retry:
    """Return what an error of S3 means.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. The function may list the bucket, so that S3
    answers 404 and not 403 for an object that does not exist.
    """
    code = error.response["Error"].get("Code", "")
    status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
    detail = f"S3: {code} ({status})"
    match code:
        case "NoSuchKey":
            return DeadLetter(
                Reason.PAYLOAD_NOT_FOUND,
                f"{detail}. There is no object under s3Key: it was never written, has another key, or was deleted.",
                connect_called=False,
            )
        case "KeyTooLongError":
            return _invalid("The pointer's key is longer than S3 allows.")
    if status in {401, 403}:
        return Retry(Cause.ACCESS_DENIED, detail)
    return Retry(Cause.PAYLOAD_UNAVAILABLE, detail)


def _invalid(detail: str) -> DeadLetter:
    return DeadLetter(Reason.INVALID_PAYLOAD, detail[0].upper() + detail[1:], connect_called=False)
