"""S3 in memory, over the operations of boto3's client that the function and `courier` use; refusing as told."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

from botocore.response import StreamingBody

from tests.fakes.faults import refusal


@dataclass
class FakeS3:
    """Objects by bucket and key.

    Attributes:
        objects: Their contents.
        fails: Raised by each call, if it is set.
        cut: Bytes that are missing at the end of what is read, as where a connection breaks.
        calls: The operations so far.
    """

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    fails: Exception | None = None
    cut: int = 0
    calls: list[str] = field(default_factory=list)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names, here and below
        self.calls.append("GetObject")
        if self.fails:
            raise self.fails
        if (Bucket, Key) not in self.objects:
            raise refusal(404, "NoSuchKey")
        content = self.objects[Bucket, Key]
        read = content[: len(content) - self.cut]
        return {"Body": StreamingBody(io.BytesIO(read), len(content)), "ContentLength": len(content)}
