"""What is cut away from AWS's models is nothing that a call needs."""

import re
from typing import Any

import botocore.loaders
import pytest
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from handler.services import contacts
from infra.service_model import CALLED, CONTACTS, CONTACTS_API_VERSION, cut
from local.aws import ROOT

MODELS = [*CALLED.items(), ("connect", CONTACTS)]


def full(service: str) -> dict[str, Any]:
    return dict(botocore.loaders.create_loader().load_service_model(service, "service-2"))


def described(shape: Shape | None, above: tuple[str, ...] = ()) -> Any:
    """All of a shape that serialising and parsing go by."""
    if shape is None or shape.name in above:
        return shape and shape.name
    above = (*above, shape.name)
    inside: Any = None
    if isinstance(shape, StructureShape):
        inside = {name: described(member, above) for name, member in shape.members.items()}
    elif isinstance(shape, ListShape):
        inside = described(shape.member, above)
    elif isinstance(shape, MapShape):
        inside = described(shape.key, above), described(shape.value, above)
    return shape.name, shape.type_name, shape.serialization, shape.metadata, inside


@pytest.mark.parametrize(
    ("service", "operation", "kept"), [(service, name, kept) for service, kept in MODELS for name in sorted(kept)]
)
def test_an_operation_is_the_same_in_the_cut_model(service: str, operation: str, kept: set[str]) -> None:
    whole, small = (ServiceModel(model, service) for model in (full(service), cut(full(service), kept)))
    one, other = whole.operation_model(operation), small.operation_model(operation)
    assert described(one.input_shape) == described(other.input_shape)
    assert described(one.output_shape) == described(other.output_shape)
    assert [described(error) for error in one.error_shapes] == [described(error) for error in other.error_shapes]
    assert (one.http, one.metadata) == (other.http, other.metadata)
    assert list(small.operation_names) == [name for name in whole.operation_names if name in kept]


def snake(operation: str) -> str:
    return re.sub("(?<!^)(?=[A-Z])", "_", operation).lower()


def test_what_the_handler_calls_is_kept() -> None:
    operations = {snake(name) for service in CALLED for name in full(service)["operations"]}
    code = "".join(path.read_text() for path in (ROOT / "handler").rglob("*.py"))
    called = set(re.findall(r"\.([a-z]+(?:_[a-z]+)+)\(", code)) & operations
    assert called == {snake(name) for _, kept in MODELS for name in kept}


def test_the_model_of_drafts_is_not_the_one_that_a_client_gets_by_itself() -> None:
    (version,) = botocore.loaders.create_loader().list_api_versions("connect", "service-2")
    assert version > CONTACTS_API_VERSION


def test_the_handler_asks_for_the_model_of_drafts_by_its_version() -> None:
    assert contacts.CONTACTS_API_VERSION == CONTACTS_API_VERSION
