"""The messages of the demo."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.aws import ROOT
from local.replies import reply

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

SAMPLES = ROOT / "events"


@dataclass(frozen=True)
class Sample:
    """A message to put on the queue, and its name in the output."""

    label: str
    body: str
    attributes: dict[str, "MessageAttributeValueTypeDef"] = field(default_factory=dict)


def samples() -> Iterator[Sample]:
    """The messages of events/, as they would be sent to the queue."""
    for path in sorted(SAMPLES.glob("*.json")):
        records = json.loads(path.read_text())["Records"]
        for n, record in enumerate(records, start=1):
            attributes: dict[str, MessageAttributeValueTypeDef] = {
                name: {"DataType": value["dataType"], "StringValue": value["stringValue"]}
                for name, value in record["messageAttributes"].items()
            }
            yield Sample(path.stem if len(records) == 1 else f"{path.stem} {n}", record["body"], attributes)


def plain(label: str) -> Sample:
    """A valid reply to the contact of that name."""
    return Sample(label, json.dumps(reply(label)))


def contact_of(sample: Sample) -> str | None:
    """The contact that a sample replies to, if its body can be parsed."""
    try:
        contact_id: str = json.loads(sample.body)["ContactId"]
    except (ValueError, KeyError):
        return None
    return contact_id
