"""Bodies that are larger than a message: in the stack's bucket, where the message points to them."""

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

NO_BUCKET = "no bucket is known, name one with --payload-bucket"
GONE = {"NoSuchKey", "404"}


class UnreadableError(Exception):
    """A body in S3 cannot be had; the text says why, after "its body in S3".

    Attributes:
        is_final: Whether it will not be had later either.
    """

    def __init__(self, why: str, *, is_final: bool) -> None:
        super().__init__(why)
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class Payloads:
    """The stack's bucket.

    Attributes:
        bucket: Its name. Nothing is read from another one. None if it is not known.
        s3: The client, made when it is needed.
    """

    bucket: str | None
    s3: Callable[[], S3Client]

    def text(self, body: str, attributes: Attributes) -> str | None:
        """The body that a message points to; None if it does not point anywhere.

        Raises:
            UnreadableError: It cannot be had.
        """
        where = self._where(body, attributes)
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
        except PayloadError as unusable:
            raise UnreadableError(f"cannot be used: {unusable}", is_final=True) from None
        except (BotoCoreError, ClientError) as failed:
            raise _unreadable(failed) from None

    def put(self, text: str) -> tuple[str, dict[str, MessageAttributeValueTypeDef]]:
        """Put a body into S3 under a key of its own; return the body and the attribute that point to it.

        Raises:
            UnreadableError: No bucket is known.
            botocore.exceptions.ClientError, BotoCoreError: S3 did not take it.
        """
        if self.bucket is None:
            raise UnreadableError(NO_BUCKET, is_final=True)
        key, content = str(uuid.uuid4()), text.encode()
        self.s3().put_object(Bucket=self.bucket, Key=key, Body=content)
        return pointer_message(self.bucket, key, len(content))

    def renew(self, body: str, attributes: Attributes) -> None:
        """Let the time until S3 deletes the object begin anew, if the message points to one.

        Raises:
            UnreadableError: It is gone, or S3 did not do it.
        """
        try:
            where = self._where(body, attributes)
            if where is not None:
                # The lifecycle counts from when an object was written, and a copy onto itself has to change something.
                self.s3().copy_object(
                    Bucket=where.bucket,
                    Key=where.key,
                    CopySource={"Bucket": where.bucket, "Key": where.key},
                    MetadataDirective="REPLACE",
                )
        except (BotoCoreError, ClientError) as failed:
            raise _unreadable(failed) from None

    def _where(self, body: str, attributes: Attributes) -> Pointer | None:
        try:
            where = parse_pointer(body, attributes)
        except PayloadError as unusable:
            raise UnreadableError(f"cannot be found: {unusable}", is_final=True) from None
        if where is not None and self.bucket is None:
            raise UnreadableError(f"cannot be had: {NO_BUCKET}", is_final=False)
        if where is not None and where.bucket != self.bucket:
            raise UnreadableError("is in another bucket than the stack's", is_final=True)
        return where


def _unreadable(failed: BotoCoreError | ClientError) -> UnreadableError:
    """The code alone: the message may quote what it refuses."""
    if not isinstance(failed, ClientError):
        return UnreadableError(f"cannot be had now ({type(failed).__name__})", is_final=False)
    code = failed.response["Error"].get("Code", "")
    if code in GONE:
        return UnreadableError("is gone", is_final=True)
    return UnreadableError(f"cannot be had ({code})", is_final=False)
