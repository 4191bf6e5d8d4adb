"""The examples in the contract's document are good ones, and its schema and code say the same."""

import json
import re
from pathlib import Path

import pytest

from contract.dead_letter import Reason
from contract.reply import SCHEMA, parse
from handler.verdict import Cause
from tests.samples import INSTANCE_ARN

DOCS = Path(__file__).parents[3] / "docs"
EXAMPLES = re.findall(r"^```json\n(.*?)^```", (DOCS / "contract.md").read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_example_in_the_contract_is_a_sound_reply(example: str) -> None:
    assert parse(example, INSTANCE_ARN) == json.loads(example)


def test_the_examples_show_both_kinds_of_message() -> None:
    kinds = {json.loads(example)["EmailMessage"]["MessageSourceType"] for example in EXAMPLES}
    assert kinds == set(SCHEMA["properties"]["EmailMessage"]["properties"]["MessageSourceType"]["enum"])


@pytest.mark.parametrize("code", [*Reason, *Cause])
def test_the_runbook_names_every_reason_and_cause(code: str) -> None:
    assert f"`{code}`" in (DOCS / "runbook.md").read_text()
