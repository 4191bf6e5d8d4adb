"""``make local``: keeps reply-courier running on this machine, prints how to use it, then the function's log."""

import json
import textwrap
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.aws import REGION
from local.connect.faults import IN_WORDS
from local.function.execution_environment import LogLine
from local.outcomes import BUS
from local.processes import free_port
from local.system import LocalCourier, Ports, running

AWS_PORT, CONNECT_PORT = 4566, 4510
"""Used if they are free, so that commands from yesterday still work today."""
HOW_TO = """
Ready. {page} shows the sent emails.

In another terminal, in this folder:

    unset AWS_PROFILE
    export AWS_ENDPOINT_URL={endpoint}
    export AWS_ENDPOINT_URL_CONNECT={page}
    export AWS_REGION={region} AWS_DEFAULT_REGION={region}
    export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
    export PATH=$PWD/.venv/bin:$PATH
    courier() {{ python -m courier "$@"; }}

Send a reply. The function makes its draft just before:

    courier send - --token my-first-reply <<END
    {{"CreateContact": {{}},
     "DestinationEmailAddress": {{"EmailAddress": "ana@example.com"}},
     "EmailMessage": {{"MessageSourceType": "RAW", "RawMessage": {{
       "Subject": "Your order", "Body": "It is on its way.",
       "ContentType": "text/plain"}}}}}}
    END

Follow the reply (docs/courier.md has all commands; courier doctor reports what
local AWS lacks: quotas, concurrency and a confirmed alarm subscription):

    courier status
    courier trace my-first-reply
    courier dlq list

Make every call to Connect fail, then end the fault:

    curl -X POST {page}/_local/faults \\
        -d '{{"fault": "internal_error", "times": null}}'
    curl -X DELETE {page}/_local/faults

{faults}

Receive inbound emails, which count as active emails like drafts do (1,000 in
all; with 1,000 inbound emails, Connect refuses every reply):

    curl -X POST {page}/_local/inbound \\
        -d '{{"count": 900, "active_seconds": 300}}'

Run the examples for producers, which make their drafts themselves, and the AWS
CLI (it needs --endpoint-url for SQS; the S3 client for JavaScript needs
forcePathStyle here):

    draft() {{ aws connect create-contact --channel EMAIL \\
        --initiation-method OUTBOUND --user-info UserId=agent \\
        --instance-id 11111111-2222-3333-4444-555555555555 \\
        --query ContactId --output text; }}
    export QUEUE_URL={queue}
    export PAYLOAD_BUCKET={bucket}
    CONTACT_ID=$(draft) python examples/send_reply.py another-token
    CONTACT_ID=$(draft) sh examples/send-large-reply.sh a-third-token
    aws --endpoint-url $AWS_ENDPOINT_URL sqs get-queue-attributes \\
        --queue-url $QUEUE_URL --attribute-names All

Press Ctrl-C to stop. The function's log:
"""
FIELDS = ("client_token", "contact_id", "reason", "cause", "retry_in_seconds", "error", "records")
"""The most important fields of a log line. The log group has all fields."""


def up(answers: Path | None) -> None:
    """Run until interrupted. With a file of `courier doctor --send-test`, Connect answers as it did in that test."""
    ports = Ports(free_port(AWS_PORT), free_port(CONNECT_PORT))
    context = {"eventBusName": BUS}
    print("Deploying …")
    with running(print, print_summary, context=context, answers=answers, ports=ports) as courier:
        print(how_to(courier))
        threading.Event().wait()


def how_to(courier: LocalCourier) -> str:
    """Return commands to try, ready to paste."""
    return HOW_TO.format(
        page=courier.connect_url,
        faults="\n".join(textwrap.fill(part, 80) for part in IN_WORDS),
        region=REGION,
        endpoint=courier.aws.endpoint,
        queue=courier.aws.endpoint + urlsplit(courier.queue_url).path,  # the host of the URL itself is SQS's
        bucket=courier.payload_bucket,
    )


def print_summary(log: LogLine) -> None:
    """Print the summary of a log line, if it has one."""
    if text := summary(log, datetime.now().astimezone()):
        print(text)


def summary(log: LogLine, now: datetime) -> str | None:
    """Return a line as ``HH:MM:SS  event  field=value …``, or whole if it is not JSON.

    Return None for metrics and for reports of successful invocations.

    Args:
        log: The line.
        now: The local time, for lines without a time.
    """
    try:
        fields = json.loads(log.line)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return f"{now:%H:%M:%S}  {log.line}"
    if "_aws" in fields:
        return None
    if fields.get("type") == "platform.report":
        record = fields["record"]
        return None if record["status"] == "success" else f"{now:%H:%M:%S}  {record['status']}: {record['errorType']}"
    details = [f"{name}={fields[name]}" for name in FIELDS if name in fields]
    if fields.get("receive_count", 1) > 1:
        details.append(f"receive {fields['receive_count']}")
    return "  ".join([f"{_time(fields, now):%H:%M:%S}", str(fields.get("message", "")), *details])


def _time(fields: Mapping[str, Any], now: datetime) -> datetime:
    try:
        return datetime.fromisoformat(fields["timestamp"]).astimezone(now.tzinfo)
    except (KeyError, TypeError, ValueError):
        return now
