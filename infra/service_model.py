"""Cuts AWS's service models to the operations that the function calls: botocore reads a whole model at a start."""

import gzip
import json
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

MODEL = "service-2.json.gz"
CALLED = {
    "connect": {"StartOutboundEmailContact"},
    "dynamodb": {"DescribeTable", "GetItem", "UpdateItem"},
    "events": {"PutEvents"},
    "s3": {"GetObject"},
    "sqs": {"ChangeMessageVisibility", "SendMessage"},
}
"""The operations that handler/ calls, by service; CONTACTS has more of Connect's."""
CONTACTS = {"CreateContact", "DescribeContact", "StopContact"}
"""Connect's operations for drafts. They have a model of their own, which the function loads with the first draft. In
the same model, they would slow down every start."""
CONTACTS_API_VERSION = "2017-08-07"
"""The `api_version` of a client with that model. It sorts before the real version, so that a client without
`api_version` has the model of the send. Only the bundle has this version. (A service of another name would ignore
AWS_ENDPOINT_URL_CONNECT.)"""


def cut_models(data: Path) -> None:
    """Cut the models in botocore's data folder in place, and add the model of CONTACTS."""
    for folder in list((data / "connect").glob("*")):
        contacts = shutil.copytree(folder, folder.with_name(CONTACTS_API_VERSION))  # with the endpoint rules
        _cut_model(contacts / MODEL, CONTACTS)
    for service, operations in CALLED.items():
        for packed in (data / service).glob(f"*/{MODEL}"):
            _cut_model(packed, operations)


def _cut_model(packed: Path, operations: Collection[str]) -> None:
    model = json.loads(gzip.decompress(packed.read_bytes()))
    packed.with_suffix("").write_text(json.dumps(cut(model, operations)))
    packed.unlink()


def cut(model: dict[str, Any], operations: Collection[str]) -> dict[str, Any]:
    """Return a model of these operations, with the shapes that they use and without documentation."""
    kept = {name: operation for name, operation in model["operations"].items() if name in operations}
    shapes: dict[str, Any] = {}
    new = set(_named(kept))
    while new:
        shapes |= {name: model["shapes"][name] for name in sorted(new)}
        new = set(_named({name: shapes[name] for name in new})) - shapes.keys()
    # Keep it elsewhere: botocore reads the documentation of a client's own parameters, which S3 has.
    return {**model, "operations": _without_documentation(kept), "shapes": _without_documentation(shapes)}


def _named(part: object) -> Iterator[str]:
    """Yield the name of every shape in a part of a model."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "shape" and isinstance(value, str):
                yield value
            else:
                yield from _named(value)
    elif isinstance(part, list):
        for each in part:
            yield from _named(each)


def _without_documentation(part: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(part, dict):
        return {
            name: _without_documentation(value)
            for name, value in part.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    return [_without_documentation(each) for each in part] if isinstance(part, list) else part
