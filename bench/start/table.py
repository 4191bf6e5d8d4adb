"""Starts this project's function, the peer's and a bare one by turns, and compares them."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.peer.bundle import bundle as peers_bundle
from bench.report import markdown
from infra.bundle import bundle
from local.aws import ROOT
from local.cdk import INSTANCE_ARN
from local.connect.control_client import ConnectControl
from local.processes import ProcessGroup
from local.system import start_connect

EXPLANATION = """\
# Start

A process with nothing but the function's folder to import from, as in Lambda, is started by turns for each: the module
is imported, which makes the clients; one reply is sent; then more. The bare function is boto3 and a loop, compiled like
the others, with boto3's data whole. In brackets: how many times what the bare one takes, run by run.

"""
ONCE = Path(__file__).with_name("once.py")
WARM = 50
"""Replies sent one by one after the first."""


@dataclass(frozen=True)
class Function:
    """What is started.

    Attributes:
        name: In the table.
        folder: What would be deployed.
        module: Its handler's.
        size: Bytes of the folder, zipped; None if it is not deployed.
    """

    name: str
    folder: Path
    module: str
    size: int | None = None


def table(runs: int) -> str:
    """Start each so many times; return the table in Markdown."""
    ours, peers = bundle(ROOT), peers_bundle(ROOT)
    with tempfile.TemporaryDirectory() as name, ProcessGroup() as processes:
        bare = Path(name) / "bare"
        bare.mkdir()
        for part in peers.iterdir():
            (bare / part.name).symlink_to(part)
        shutil.copy(Path(__file__).with_name("bare.py"), bare)
        functions = [
            Function("this project", ours, "handler.app", zipped(ours)),
            Function("plain peer", peers, "handler", zipped(peers)),
            Function("bare", bare, "bare"),
        ]
        url = start_connect(processes, Path(name))
        connect = ConnectControl(url)
        connect.settings(rate=1e6, burst=10**6, latency_ms=0)
        took: dict[str, list[dict[str, float]]] = {function.name: [] for function in functions}
        for run in range(runs + 1):
            for function in functions:
                figures = start(function, url, connect, f"{run}-{function.module}")
                if run:  # the first one fills the file system's cache
                    took[function.name].append(figures)
    return EXPLANATION + markdown(["", *(function.name for function in functions)], _rows(functions, took))


def start(function: Function, url: str, connect: ConnectControl, label: str) -> dict[str, float]:
    """Start a function once, and let it send; return its figures, in seconds and bytes."""
    contacts = [f"{label}-{n}" for n in range(WARM + 1)]
    connect.draft(*contacts)
    events = "".join(json.dumps({"Records": [record(contact)]}) + "\n" for contact in contacts)
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(ONCE), str(function.folder), function.module],
        env=environment(url),
        input=events,
        capture_output=True,
        check=True,
        text=True,
    )
    figures: dict[str, float] = json.loads(ended.stdout)
    return figures


def environment(url: str) -> dict[str, str]:
    """What the stacks set, and what Lambda sets."""
    return {
        "PATH": os.environ["PATH"],
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": url,
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


def record(contact: str) -> dict[str, object]:
    """A message as Lambda delivers it."""
    body = {
        "ContactId": contact,
        "DestinationEmailAddress": {"EmailAddress": "ada@example.com"},
        "EmailMessage": {
            "MessageSourceType": "RAW",
            "RawMessage": {"Subject": "Re: order", "Body": "It is on its way.", "ContentType": "text/plain"},
        },
    }
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": "1800000000000"}
    return {
        "messageId": contact,
        "receiptHandle": "handle",
        "body": json.dumps(body),
        "attributes": attributes | {"ApproximateFirstReceiveTimestamp": "1800000000001"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:queue",
    }


def zipped(folder: Path) -> int:
    """Bytes of a folder as a zip."""
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(folder))
        return file.tell()


def _rows(functions: list[Function], took: dict[str, list[dict[str, float]]]) -> list[list[str]]:
    def row(title: str, figure: str, unit: float) -> list[str]:
        cells = []
        for function in functions:
            values = [run[figure] for run in took[function.name]]
            ratios = [one[figure] / bare[figure] for one, bare in zip(took[function.name], took["bare"], strict=True)]
            cells.append(f"{median(values) * unit:.1f} ({median(ratios):.2f})")
        return [title, *cells]

    return [
        ["zip, MB", *(f"{function.size / 1e6:.1f}" if function.size else "-" for function in functions)],
        row("start, ms", "start", 1e3),
        row("first email, ms", "first", 1e3),
        row("a warm email, ms of the processor", "warm", 1e3),
        row("peak memory, MiB", "peak", 1 / 2**20),
    ]
