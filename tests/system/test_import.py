"""What a deleted stack left is taken into a new one, as far as local AWS goes: moto's CloudFormation cannot import."""

import base64
import json
import os
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.assembly import cached_assembly
from local.aws import ACCOUNT, REGION, ROOT, LocalAws, start_aws
from local.cdk import REPLY_COURIER, with_tools
from local.processes import ProcessGroup
from tests.settings import SHARED

WITHOUT_APP = ROOT / "requirements"  # a folder without cdk.json, in which CDK synthesises nothing
MAPPING = ROOT / "import.json"
DOCUMENTED: dict[str, dict[str, str]] = json.loads(
    next(
        block
        for block in re.findall("```json\n(.*?)```", (ROOT / "docs" / "runbook.md").read_text(), re.DOTALL)
        if "QueueUrl" in block
    )
)


@pytest.fixture
def left(processes: ProcessGroup, tmp_path: Path) -> Iterator[LocalAws]:
    """An account with a queue of the stack's name in it, and the file import.json as the runbook has it."""
    assert not MAPPING.exists(), "import.json is yours: move it away for this test"
    aws = start_aws(processes, tmp_path)
    aws.sqs.create_queue(QueueName="reply-courier")
    MAPPING.write_text(json.dumps(DOCUMENTED))
    yield aws
    MAPPING.unlink()


def test_make_import_asks_cloudformation_to_import_what_the_runbook_names(left: LocalAws) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment |= with_tools(left.program_environment)
    environment["CDK_APP"] = str(cached_assembly(REPLY_COURIER, SHARED))  # so that CDK synthesises nothing
    subprocess.run(["cdk", "bootstrap", f"aws://{ACCOUNT}/{REGION}"], cwd=WITHOUT_APP, env=environment, check=True)
    recorder = f"{left.endpoint}/moto-api/recorder"
    urllib.request.urlopen(f"{recorder}/start-recording", data=b"").close()
    said = subprocess.run(["make", "import"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    print(said.stdout, said.stderr)
    with urllib.request.urlopen(f"{recorder}/download-recording") as kept:
        requests = [urllib.parse.parse_qs(body_of(json.loads(line))) for line in kept.read().splitlines()]
    (request,) = (each for each in requests if each.get("Action") == ["CreateChangeSet"])
    assert request["ChangeSetType"] == ["IMPORT"]
    assert imported(request) == DOCUMENTED


def body_of(recorded: Any) -> str:
    return base64.b64decode(recorded["body"]).decode() if recorded["body_encoded"] else str(recorded["body"])


def imported(request: Any) -> dict[str, dict[str, str]]:
    """What a CreateChangeSet is to import: identifiers by logical id."""
    asked = {}
    for n in range(1, 10):
        prefix = f"ResourcesToImport.member.{n}"
        if f"{prefix}.LogicalResourceId" in request:
            entry = f"{prefix}.ResourceIdentifier.entry.1"
            (logical_id,) = request[f"{prefix}.LogicalResourceId"]
            asked[logical_id] = {request[f"{entry}.key"][0]: request[f"{entry}.value"][0]}
    return asked
