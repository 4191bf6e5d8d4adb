"""The one call to S3: the body of a reply that is larger than a message."""

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
"""What a call takes when every try times out, with up to a second of backoff between them."""


def client() -> S3Client:
    """The client: short time-outs, one more try."""
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
        bucket: The stack's bucket. Nothing is read from another one.
        s3: The client, made when the first pointer comes.
    """

    bucket: str
    s3: Callable[[], S3Client]

    def body_of(self, message: Message, seconds_left: float) -> str | DeadLetter | Retry | HandBack:
        """The reply's body, from the message or from S3; or else what becomes of the message. Nothing is raised.

        Args:
            message: The message.
            seconds_left: Seconds that reading may take.
        """
        try:
            where = parse_pointer(message.body, message.attributes)
            if where is None:
                return message.body
            if fault := self._fault(where):
                return fault
            if seconds_left < CALL_SECONDS:
                return HandBack()
            return self._read(where)
        except PayloadError as unusable:
            return _invalid(f"{unusable}.")

    def _fault(self, where: Pointer) -> DeadLetter | None:
        if where.bucket != self.bucket:
            return _invalid("The pointer is to another bucket than the stack's (its output PayloadBucketName).")
        if where.size > MAX_PAYLOAD_BYTES:
            return _invalid(f"The object in S3 has {where.size} bytes; a reply has at most {MAX_PAYLOAD_BYTES}.")
        return None

    def _read(self, where: Pointer) -> str | DeadLetter | Retry:
        try:
            answer = self.s3().get_object(Bucket=where.bucket, Key=where.key)
            with closing(answer["Body"]) as body:  # entered itself, it would not miss what is cut off
                if answer["ContentLength"] != where.size:
                    return _invalid(f"The object has {answer['ContentLength']} bytes; the message says {where.size}.")
                return decode_payload(body.read())
        except PayloadError:
            raise
        except ClientError as error:
            return _verdict_for(error)
        except ParamValidationError:
            return _invalid("The pointer's bucket or key is not a name that S3 takes.")
        except Exception as error:  # noqa: BLE001 - no answer, or half of one: whatever it was, it may pass
            return Retry(Cause.PAYLOAD_UNAVAILABLE, f"S3: {type(error).__name__}")


def _verdict_for(error: ClientError) -> DeadLetter | Retry:
    """What S3's answer means.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; the function may list the bucket, so that S3
    answers 404 and not 403 for an object that is gone.
    """
    code = error.response["Error"].get("Code", "")
    status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
    detail = f"S3: {code} ({status})"
    match code:
        case "NoSuchKey":
            return DeadLetter(
                Reason.PAYLOAD_NOT_FOUND,
                f"{detail}. There is no object under s3Key: never written, under another key, or deleted.",
                asked=False,
            )
        case "KeyTooLongError":
            return _invalid("The pointer's key is longer than S3's keys are.")
    if status in {401, 403}:
        return Retry(Cause.ACCESS_DENIED, detail)
    return Retry(Cause.PAYLOAD_UNAVAILABLE, detail)


def _invalid(detail: str) -> DeadLetter:
    return DeadLetter(Reason.INVALID_PAYLOAD, detail[0].upper() + detail[1:], asked=False)
