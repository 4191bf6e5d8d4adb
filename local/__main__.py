"""``python -m local up`` keeps everything running until Ctrl-C; ``python -m local demo`` shows what it does."""

import argparse
import signal
import sys
import textwrap
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from local.aws import REGION
from local.connect.instance.faults import IN_WORDS
from local.function.execution_environment import LogLine
from local.function.log_summary import summary
from local.outcomes import BUS
from local.processes import free_port
from local.system import LocalCourier, Ports, running

AWS_PORT, CONNECT_PORT = 4566, 4510
"""Where they are free; so what was pasted yesterday works today."""
HOW_TO = """
Ready. What was sent is shown on {page}

In another terminal, in this folder:

    unset AWS_PROFILE
    export AWS_ENDPOINT_URL={endpoint}
    export AWS_ENDPOINT_URL_CONNECT={page}
    export AWS_REGION={region} AWS_DEFAULT_REGION={region}
    export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
    export PATH=$PWD/.venv/bin:$PATH
    courier() {{ python -m courier "$@"; }}

Send a reply (the draft first, then the message):

    draft() {{ aws connect create-contact --channel EMAIL \\
        --initiation-method OUTBOUND --user-info UserId=agent \\
        --instance-id 11111111-2222-3333-4444-555555555555 \\
        --query ContactId --output text; }}
    CONTACT=$(draft)
    courier send - <<END
    {{"ContactId": "$CONTACT",
     "DestinationEmailAddress": {{"EmailAddress": "ana@example.com"}},
     "EmailMessage": {{"MessageSourceType": "RAW", "RawMessage": {{
       "Subject": "Your order", "Body": "It is on its way.",
       "ContentType": "text/plain"}}}}}}
    END

Look after it (docs/courier.md has all commands; courier doctor misses here what
local AWS lacks: quota, concurrency, and somebody who confirms the alarms' mail):

    courier status
    courier trace $CONTACT
    courier dlq list

Make every call to Connect fail, and then end it:

    curl -X POST {page}/_local/faults \\
        -d '{{"fault": "internal_error", "times": null}}'
    curl -X DELETE {page}/_local/faults

{faults}

The examples of producers, and the AWS CLI (which needs --endpoint-url for SQS;
S3's client for JavaScript needs forcePathStyle here):

    export QUEUE_URL={queue}
    export PAYLOAD_BUCKET={bucket}
    CONTACT_ID=$(draft) python examples/send_reply.py another-token
    CONTACT_ID=$(draft) sh examples/send-large-reply.sh a-third-token
    aws --endpoint-url $AWS_ENDPOINT_URL sqs get-queue-attributes \\
        --queue-url $QUEUE_URL --attribute-names All

Ctrl-C ends it. The function's log:
"""


def up(answers: Path | None) -> None:
    """Run until interrupted."""
    ports = Ports(free_port(AWS_PORT), free_port(CONNECT_PORT))
    context = {"eventBusName": BUS}
    print_line("Deploying …")
    with running(print_line, print_summary, context=context, answers=answers, ports=ports) as courier:
        print_line(how_to(courier))
        threading.Event().wait()


def demo(_: Path | None) -> None:
    """Run the demonstration."""
    from local.demo.main import main  # noqa: PLC0415 (`up` does not need it)

    sys.exit(main())


def how_to(courier: LocalCourier) -> str:
    """Return how to send a reply, ready to paste."""
    return HOW_TO.format(
        page=courier.connect_url,
        faults="\n".join(textwrap.fill(part, 80) for part in IN_WORDS),
        region=REGION,
        endpoint=courier.aws.endpoint,
        queue=courier.aws.endpoint + urlsplit(courier.queue_url).path,  # its own host is SQS's
        bucket=courier.payload_bucket,
    )


def print_summary(line: LogLine) -> None:
    """Print a log line, unless a person can do without it."""
    if text := summary(line, datetime.now().astimezone()):
        print_line(text)


def print_line(text: str) -> None:
    """Print a line at once, even into a pipe."""
    print(text, flush=True)


def interrupt(_signal: int, _frame: object) -> NoReturn:
    """End in the same way on both signals, so that everything is stopped in order."""
    raise KeyboardInterrupt


COMMANDS: dict[str, Callable[[Path | None], None]] = {"up": up, "demo": demo}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--answers", type=Path, help="for up: Connect answers as in this file of doctor --send-test")
    for ending in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell starts background jobs with SIGINT ignored
        signal.signal(ending, interrupt)
    try:
        chosen = parser.parse_args()
        COMMANDS[chosen.command](chosen.answers)
    except KeyboardInterrupt:
        print_line("Stopped.")
