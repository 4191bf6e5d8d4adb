"""Bodies that are larger than a message: they are objects in the stack's bucket, and the message points to them."""

from __future__ import annotations

import uuid
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from contract.payload import MAX_PAYLOAD_BYTES, PayloadError, decode_payload, parse_pointer, pointer_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from contract.message_attributes import Attributes
    from contract.payload import Pointer

NO_BUCKET = "no bucket is known; name one with --payload-bucket"
GONE = {"NoSuchKey", "404"}


class UnreadableError(Exception):
    """A body in S3 cannot be read. The text completes a sentence that begins with "its body in S3".

    Attributes:
        is_final: Whether a later attempt would fail, too.
    """

    def __init__(self, why: str, *, is_final: bool) -> None:
        super().__init__(why)
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class Payloads:
    """The bodies in the stack's bucket.

    Attributes:
        bucket: The bucket's name; None if it is not known. Nothing is read from another bucket.
        s3: Returns the client; called only if a message points to S3.
    """

    bucket: str | None
    s3: Callable[[], S3Client]

    def text(self, body: str, attributes: Attributes) -> str | None:
        """Read the body that a message points to; None if the message points nowhere.

        Raises:
            UnreadableError: The body cannot be read.
        """
        where = self._pointer(body, attributes)
        if where is None:
            return None
        if where.size > MAX_PAYLOAD_BYTES:
            raise UnreadableError("is larger than any reply", is_final=True)
        try:
            answer = self.s3().get_object(Bucket=where.bucket, Key=where.key)
            with closing(answer["Body"]) as content:
                if answer["ContentLength"] > MAX_PAYLOAD_BYTES:
                    raise UnreadableError("is larger than any reply", is_final=True)
                return decode_payload(content.read())
        except PayloadError as error:
            raise UnreadableError(f"is invalid: {error}", is_final=True) from None
        except (BotoCoreError, ClientError) as error:
            raise _unreadable(error) from None

    def put(self, text: str) -> tuple[str, dict[str, MessageAttributeValueTypeDef]]:
        """Store a body under a new key; return the message body and the attribute that point to it.

        Raises:
            UnreadableError: No bucket is known.
            botocore.exceptions.ClientError, BotoCoreError: S3 did not store it.
        """
        if self.bucket is None:
            raise UnreadableError(NO_BUCKET, is_final=True)
        key, content = str(uuid.uuid4()), text.encode()
        self.s3().put_object(Bucket=self.bucket, Key=key, Body=content)
        return pointer_message(self.bucket, key, len(content))

    def extend(self, body: str, attributes: Attributes, *, dry_run: bool = False) -> None:
        """Restart the time after which S3 deletes the object, if the message points to one.

        A dry run only checks that the object exists.

        Raises:
            UnreadableError: The object is gone, or S3 did not copy it.
        """
        try:
            where = self._pointer(body, attributes)
            if where is not None and dry_run:
                self.s3().head_object(Bucket=where.bucket, Key=where.key)
            elif where is not None:
                # The lifecycle counts from the last write, and a copy onto itself has to change something.
                self.s3().copy_object(
                    Bucket=where.bucket,
                    Key=where.key,
                    CopySource={"Bucket": where.bucket, "Key": where.key},
                    MetadataDirective="REPLACE",
                )
        except (BotoCoreError, ClientError) as error:
            raise _unreadable(error, "read" if dry_run else "copied") from None

    def _pointer(self, body: str, attributes: Attributes) -> Pointer | None:
        try:
            where = parse_pointer(body, attributes)
        except PayloadError as error:
            raise UnreadableError(f"cannot be found: {error}", is_final=True) from None
        if where is not None and self.bucket is None:
            raise UnreadableError(f"cannot be read: {NO_BUCKET}", is_final=False)
        if where is not None and where.bucket != self.bucket:
            raise UnreadableError("is in another bucket than the stack's", is_final=True)
        return where


def _unreadable(error: BotoCoreError | ClientError, action: str = "read") -> UnreadableError:
    """Name the error code only: the message may quote the request."""
    if not isinstance(error, ClientError):
        return UnreadableError(f"cannot be {action} now ({type(error).__name__})", is_final=False)
    code = error.response["Error"].get("Code", "")
    if code in GONE:
        return UnreadableError("is gone", is_final=True)
    return UnreadableError(f"cannot be {action} ({code})", is_final=False)
