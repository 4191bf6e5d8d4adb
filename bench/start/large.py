"""How much memory the largest replies take, in a process of its own, as in Lambda."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench.report import markdown
from bench.start.table import ONCE, environment, record
from infra.bundle import bundle
from local.aws import ROOT, start_aws
from local.connect.control_client import ConnectControl
from local.processes import ProcessGroup
from local.system import start_connect

LONGEST = 5 * 2**20
"""Characters of the longest body that Connect takes."""
WRITTEN: dict[str, Callable[[Callable[[str], Any]], str]] = {
    "plain ASCII": lambda text: json.dumps(text("x")),
    "as it is, two bytes a character": lambda text: json.dumps(text("\u00e9"), ensure_ascii=False),
    "as it is, four bytes a character": lambda text: json.dumps(text("\U0001f6b2"), ensure_ascii=False),
    "escaped, six bytes a character": lambda text: json.dumps(text("\u00e9")),
}
"""How a body may be written."""


EXPLANATION = """
The most memory that this project's function takes for {replies} replies of 5,242,880 characters from S3, one after the
other, with the stack's MALLOC_MMAP_THRESHOLD_:

"""


def table(replies: int) -> str:
    """Send so many of the largest replies, written in each way; return the peaks in Markdown."""
    with tempfile.TemporaryDirectory() as name, ProcessGroup() as processes:
        rows = _rows(processes, Path(name), replies)
        return EXPLANATION.format(replies=replies) + markdown(["written", "peak memory, MiB"], rows)


def _rows(processes: ProcessGroup, folder: Path, replies: int) -> list[list[str]]:
    aws = start_aws(processes, folder)
    aws.files.create_bucket(Bucket="payloads", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    connect = ConnectControl(start_connect(processes, folder))
    connect.settings(rate=1e6, burst=10**6, latency_ms=0)
    rows = []
    for n, (name, written) in enumerate(WRITTEN.items()):
        contacts = [f"large-{n}-{each}" for each in range(replies)]
        connect.draft(*contacts)
        records = []
        for contact in contacts:
            body = written(partial(with_text, contact))
            aws.files.put_object(Bucket="payloads", Key=contact, Body=body.encode())
            records.append(pointing(contact, len(body.encode())))
        ended = subprocess.run(
            [sys.executable, "-I", "-S", "-B", str(ONCE), str(bundle(ROOT)), "handler.app"],
            env={**environment(connect.url), "AWS_ENDPOINT_URL_S3": aws.endpoint},
            input=f"{json.dumps({'Records': []})}\n{json.dumps({'Records': records})}\n",
            capture_output=True,
            check=True,
            text=True,
        )
        sent = {email["contact_id"] for email in connect.sent}
        if not sent.issuperset(contacts):
            raise RuntimeError(f"not sent ({name}): {ended.stderr}")
        rows.append([name, f"{json.loads(ended.stdout)['peak'] / 2**20:.0f}"])
    return rows


def with_text(contact: str, character: str) -> dict[str, Any]:
    """A reply with the longest text of one character."""
    reply: dict[str, Any] = json.loads(str(record(contact)["body"]))
    reply["EmailMessage"]["RawMessage"]["Body"] = character * LONGEST
    return reply


def pointing(key: str, size: int) -> dict[str, object]:
    """A message whose body is in S3, as Lambda delivers it."""
    body = ["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "payloads", "s3Key": key}]
    attribute = {"dataType": "Number", "stringValue": str(size)}
    return record(key) | {"body": json.dumps(body), "messageAttributes": {"ExtendedPayloadSize": attribute}}
