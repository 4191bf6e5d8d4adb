"""The table "start": the cold start and the memory of reply-courier, beside the peer and a bare function."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import peer
from bench.report import markdown
from infra.bundle import bundle
from local.aws import ROOT, start_aws
from local.cdk import INSTANCE_ARN
from local.connect.control_client import ConnectControl
from local.processes import ProcessGroup
from local.replies import reply
from local.system import start_connect

EXPLANATION = """\
# Start

Each run starts the three functions by turns, in a process that can import nothing but the function's folder, as in
Lambda. The process imports the module, which creates the clients. Then it sends one reply, and then more. The bare
function is boto3 and a loop, compiled like the others, with all of boto3's data. In brackets: the ratio to the bare
function in the same run.

"""
LARGE_EXPLANATION = """
The peak memory of reply-courier's function while it sends {replies} replies of 5,242,880 characters from S3, one after
the other, with the stack's MALLOC_MMAP_THRESHOLD_:

"""
START_ONCE = Path(__file__).with_name("start_once.py")
WARM_REPLIES = 50
"""Sent one by one after the first."""
LARGEST = 5 * 2**20
"""Characters of the longest body that Connect takes."""
ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain ASCII": lambda label: json.dumps(reply(label, "x" * LARGEST)),
    "two bytes a character": lambda label: json.dumps(reply(label, "\u00e9" * LARGEST), ensure_ascii=False),
    "four bytes a character": lambda label: json.dumps(reply(label, "\U0001f6b2" * LARGEST), ensure_ascii=False),
    "escaped, six bytes a character": lambda label: json.dumps(reply(label, "\u00e9" * LARGEST)),
}
"""How a message may encode its body."""


@dataclass(frozen=True)
class Function:
    """A function to start.

    Attributes:
        name: In the table.
        folder: What Lambda would have.
        module: The handler's.
        is_deployed: Whether the table shows the size of its zip.
    """

    name: str
    folder: Path
    module: str
    is_deployed: bool = True


def table(runs: int) -> str:
    """Start each function this many times, and return the table in Markdown."""
    with tempfile.TemporaryDirectory() as name, ProcessGroup() as processes:
        functions = [
            Function("reply-courier", bundle(ROOT), "handler.app"),
            Function("peer", peer.bundle(), "handler"),
            Function("bare", bare_folder(Path(name)), "bare", is_deployed=False),
        ]
        connect = ConnectControl(start_connect(processes, Path(name)))
        connect.settings(rate=1e6, burst=10**6, latency_ms=0)
        took: dict[str, list[dict[str, float]]] = {function.name: [] for function in functions}
        for run in range(runs + 1):
            for function in functions:
                labels = [f"{run}-{function.module}-{n}" for n in range(WARM_REPLIES + 1)]
                connect.draft(*labels)
                events = [[message(label, json.dumps(reply(label)))] for label in labels]
                figures = start_once(function, events, environment(connect.url))
                if run:  # the first run fills the file system's cache
                    took[function.name].append(figures)
    return EXPLANATION + markdown(["", *took], rows(functions, took))


def bare_folder(parent: Path) -> Path:
    """Return a folder with the bare function and the peer's packages."""
    folder = parent / "bare"
    folder.mkdir()
    for part in peer.bundle().iterdir():
        (folder / part.name).symlink_to(part)
    shutil.copy(Path(peer.__file__).with_name("bare.py"), folder)
    return folder


def start_once(
    function: Function, events: Sequence[Sequence[Mapping[str, object]]], environment: Mapping[str, str]
) -> dict[str, float]:
    """Start a function in a process of its own, and invoke it with each list of messages.

    Returns:
        `start`, `first` and `warm` in seconds, and `peak` in bytes (see start_once.py).
    """
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(START_ONCE), str(function.folder), function.module],
        env=environment,
        input="".join(json.dumps({"Records": records}) + "\n" for records in events),
        capture_output=True,
        check=True,
        text=True,
    )
    figures: dict[str, float] = json.loads(ended.stdout)
    return figures


def rows(functions: Sequence[Function], took: Mapping[str, Sequence[Mapping[str, float]]]) -> list[list[str]]:
    """Return the rows: medians, and in brackets the medians of the ratios to the bare function."""

    def row(title: str, figure: str, unit: float) -> list[str]:
        cells = []
        for runs in took.values():
            ratios = [one[figure] / bare[figure] for one, bare in zip(runs, took["bare"], strict=True)]
            cells.append(f"{median(run[figure] for run in runs) * unit:.1f} ({median(ratios):.2f})")
        return [title, *cells]

    return [
        ["zip, MB", *(f"{zipped_bytes(each.folder) / 1e6:.1f}" if each.is_deployed else "-" for each in functions)],
        row("start, ms", "start", 1e3),
        row("first email, ms", "first", 1e3),
        row("a warm email, ms of the processor", "warm", 1e3),
        row("peak memory, MiB", "peak", 1 / 2**20),
    ]


def large_table(replies: int) -> str:
    """Send the largest replies in each encoding, and return the table of the peaks in Markdown.

    Raises:
        RuntimeError: The function didn't send all of them.
    """
    peaks = []
    with tempfile.TemporaryDirectory() as name, ProcessGroup() as processes:
        aws = start_aws(processes, Path(name))
        aws.files.create_bucket(Bucket="payloads", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        connect = ConnectControl(start_connect(processes, Path(name)))
        connect.settings(rate=1e6, burst=10**6, latency_ms=0)
        function = Function("reply-courier", bundle(ROOT), "handler.app")
        for encoding, body in ENCODINGS.items():
            labels = [f"{encoding.split()[0]}-{n}" for n in range(replies)]
            connect.draft(*labels)
            for label in labels:
                aws.files.put_object(Bucket="payloads", Key=label, Body=body(label).encode())
            records = [pointer(label, len(body(label).encode())) for label in labels]
            figures = start_once(
                function, [[], records], environment(connect.url) | {"AWS_ENDPOINT_URL_S3": aws.endpoint}
            )
            if not {email["contact_id"] for email in connect.sent}.issuperset(labels):
                raise RuntimeError(f"the function didn't send all replies: {encoding}")
            peaks.append([encoding, f"{figures['peak'] / 2**20:.0f}"])
    return LARGE_EXPLANATION.format(replies=replies) + markdown(["encoding", "peak memory, MiB"], peaks)


def message(message_id: str, body: str, **message_attributes: object) -> dict[str, object]:
    """Return a message as Lambda delivers it."""
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": "1800000000000"}
    return {
        "messageId": message_id,
        "receiptHandle": "handle",
        "body": body,
        "attributes": attributes | {"ApproximateFirstReceiveTimestamp": "1800000000001"},
        "messageAttributes": message_attributes,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:queue",
    }


def pointer(key: str, size: int) -> dict[str, object]:
    """Return a message whose body is in S3, as Lambda delivers it."""
    body: Any = ["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "payloads", "s3Key": key}]
    return message(key, json.dumps(body), ExtendedPayloadSize={"dataType": "Number", "stringValue": str(size)})


def environment(connect_url: str) -> dict[str, str]:
    """Return the variables that Lambda and the stacks set."""
    return {
        "PATH": os.environ["PATH"],
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": connect_url,
        "AWS_LAMBDA_FUNCTION_NAME": "start",
        "LAMBDA_TASK_ROOT": "/var/task",
        "_X_AMZN_TRACE_ID": "Root=1-00000000-000000000000000000000001;Parent=0000000000000001;Sampled=1",
        "POWERTOOLS_SERVICE_NAME": "start",
        "POWERTOOLS_METRICS_NAMESPACE": "Start",
        "INSTANCE_ID": INSTANCE_ARN.rpartition("/")[2],
        "CONNECT_INSTANCE_ARN": INSTANCE_ARN,
        "QUEUE_URL": "https://sqs/queue",
        "DEAD_LETTER_QUEUE_URL": "https://sqs/letters",
        "PAYLOAD_BUCKET": "payloads",
        "DRAFT_TABLE": "drafts",
        "EVENT_BUS_NAME": "",
        "SEND_RATE_SHARE": "1000000",
        "BURST_SHARE": "1000",
        "RETRY_SECONDS": "21600",
        "MAX_RECEIVES": "308",
        "CRASH_LOOP_SECONDS": "64800",
        "RETENTION_SECONDS": "1209600",
        "MALLOC_MMAP_THRESHOLD_": "1048576",
        "ALLOWED_RECIPIENTS": "",
    }


def zipped_bytes(folder: Path) -> int:
    """Return the size of a folder's zip."""
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(folder))
        return file.tell()
