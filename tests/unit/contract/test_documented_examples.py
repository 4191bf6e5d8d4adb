"""The examples in the contract's document are good ones, and its schema and code say the same."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.dead_letter import Reason
from contract.payload import Pointer, parse_pointer
from contract.reply import SCHEMA, parse
from handler.verdict import Cause
from tests.samples import INSTANCE_ARN

DOCS = Path(__file__).parents[3] / "docs"
BLOCKS = re.findall(r"^```json\n(.*?)^```", (DOCS / "contract.md").read_text(), re.DOTALL | re.MULTILINE)
POINTER_EXAMPLE = BLOCKS[-1]
EXAMPLES = BLOCKS[:-1]


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_example_in_the_contract_is_a_sound_reply(example: str) -> None:
    assert parse(example, INSTANCE_ARN) == {n: v for n, v in json.loads(example).items() if n != "InstanceId"}


def test_the_examples_show_both_kinds_of_message() -> None:
    kinds = {json.loads(example)["EmailMessage"]["MessageSourceType"] for example in EXAMPLES}
    assert kinds == set(SCHEMA["properties"]["EmailMessage"]["properties"]["MessageSourceType"]["enum"])


def test_the_example_of_a_pointer_is_what_the_function_follows() -> None:
    size: Any = {"ExtendedPayloadSize": {"DataType": "Number", "StringValue": "7"}}
    assert parse_pointer(POINTER_EXAMPLE, size) == Pointer("BUCKET", "KEY", 7)


def members(schema: Any) -> Iterator[str]:
    """The name of every member that the schema has, at any depth."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from members(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from members(part)


@pytest.mark.parametrize("name", sorted({*members(SCHEMA), *Reason}))
def test_the_contracts_document_names_every_member_and_every_reason(name: str) -> None:
    tables = "\n".join(line for line in (DOCS / "contract.md").read_text().splitlines() if line.startswith("|"))
    assert f"`{name}`" in tables


@pytest.mark.parametrize("kind", ["reply_sent", "reply_dead_lettered"])
def test_the_contracts_document_names_every_member_of_the_events(kind: str) -> None:
    schema = json.loads((DOCS.parent / "contract" / f"{kind}.schema.json").read_text())
    text = (DOCS / "contract.md").read_text()
    for part in ("metadata", "data"):
        for name in schema["properties"][part]["properties"]:
            assert f"`{part}.{name}`" in text


@pytest.mark.parametrize("code", [*Reason, *Cause])
def test_the_runbook_names_every_reason_and_cause(code: str) -> None:
    runbook = (DOCS / "runbook.md").read_text()
    assert f"\n### {code}\n" in runbook or f"`{code}`" in runbook
