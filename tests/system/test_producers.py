"""What producers have in other languages than Python: the schemas, and the programs of examples/, run as they stand."""

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from contract.reply import InvalidReplyError, parse
from local.aws import ROOT
from local.cdk import with_tools
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.system import LocalCourier
from tests.samples import INSTANCE_ARN, reply

SCHEMA = Path(__file__).with_name("schema.mjs")
EXAMPLES = ROOT / "examples"
PRODUCERS = {
    "send_reply.py": [sys.executable],
    "send-reply.ts": ["node"],
    "send-reply.sh": ["sh"],
    "send-large-reply.sh": ["sh"],
}


def takes(schema: str, bodies: list[str]) -> list[bool]:
    """What ajv says, the validator of the JavaScript world, in its strict mode."""
    command = ["node", str(SCHEMA), str(ROOT / "contract" / f"{schema}.schema.json")]
    ended = subprocess.run(command, input=json.dumps(bodies), capture_output=True, check=True, text=True, cwd=ROOT)
    said: list[bool] = json.loads(ended.stdout)
    return said


def is_sound(body: str) -> bool:
    try:
        parse(body, INSTANCE_ARN)
    except InvalidReplyError:
        return False
    return True


def changed(**changes: Any) -> str:
    return json.dumps(reply(**changes))


def test_another_validator_says_of_replies_what_the_function_says() -> None:
    bodies = [
        record["body"]
        for path in sorted((ROOT / "events").glob("*.json"))
        for record in json.loads(path.read_text())["Records"]
    ]
    addresses: list[Any] = [
        "a@b",
        "a b@c.example",
        "a@b.example\n",
        "a@\u2028b.example",
        "\u00e4@b.example",
        "a@b.c@d.e",
        *(f"a{blank}@b.example" for blank in "\u00a0\u1680\u2003\u202f\u205f\u3000\ufeff\x1c\x85"),
    ]
    bodies += [changed(DestinationEmailAddress={"EmailAddress": address}) for address in addresses]
    bodies += [changed(EmailMessage={"MessageSourceType": kind}) for kind in ("RAW", "TEMPLATE", "raw", None)]
    bodies += [changed(ContactId=contact) for contact in ("", "c" * 256, "c" * 257, 1, None)]
    said = takes("reply", bodies)
    assert said == [is_sound(body) for body in bodies]
    assert len(set(said)) == 2


@pytest.mark.parametrize("schema", ["reply_sent", "reply_dead_lettered"])
def test_another_validator_takes_the_schemas_of_the_events(schema: str) -> None:
    assert takes(schema, ["{}"]) == [False]


def test_every_example_is_run() -> None:
    elsewhere = {"send_large_reply.py", "hear_outcomes.py"}  # test_large_replies.py; the demo
    assert {path.name for path in EXAMPLES.iterdir() if path.is_file()} == PRODUCERS.keys() | elsewhere


@pytest.mark.parametrize("program", PRODUCERS)
def test_a_producers_program_sends_a_reply_and_sent_again_under_its_token_it_is_one(
    courier: LocalCourier, program: str
) -> None:
    connect = ConnectControl(courier.connect_url)
    token, contact = str(uuid.uuid4()), f"contact-of-{program}"
    connect.draft(contact)
    environment = with_tools(courier.aws.program_environment)
    # moto's URLs have SQS's own host, which these clients would ask.
    here = courier.aws.endpoint + urlsplit(courier.queue_url).path
    environment |= {"QUEUE_URL": here, "PAYLOAD_BUCKET": courier.payload_bucket, "CONTACT_ID": contact}
    for _ in range(2):
        command = [*PRODUCERS[program], str(EXAMPLES / program), token]
        subprocess.run(command, env=environment, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    wait_until_empty(courier)
    assert [(email["contact_id"], email["client_token"]) for email in connect.sent] == [(contact, token)]
