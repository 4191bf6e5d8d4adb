"""The table of drafts in memory: DynamoDB's own rules for the few expressions that the function writes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

type Item = dict[str, dict[str, Any]]
"""Attributes in DynamoDB's wire format, by name."""

KEY = "TokenHash"


class Table:
    """Answers GetItem, UpdateItem and DescribeTable.

    Args:
        now: Seconds since the epoch.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.created_at = now()
        self.items: dict[str, Item] = {}

    def get_item(self, *, Key: Item, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's names, here and below
        item = self.items.get(Key[KEY]["S"])
        return {"ConsumedCapacity": {"CapacityUnits": 1.0}, **({"Item": item} if item else {})}

    def update_item(
        self,
        *,
        Key: Item,  # noqa: N803
        UpdateExpression: str,  # noqa: N803
        ConditionExpression: str,  # noqa: N803
        ExpressionAttributeValues: Item,  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        before = self.items.get(Key[KEY]["S"])
        if not holds(before, ConditionExpression, ExpressionAttributeValues):
            raise condition_failed(before)
        after = self.items[Key[KEY]["S"]] = updated(before or dict(Key), UpdateExpression, ExpressionAttributeValues)
        return {"Attributes": after}

    def describe_table(self, **_: Any) -> dict[str, Any]:
        return {"Table": {"CreationDateTime": datetime.fromtimestamp(self.created_at, UTC)}}


def holds(item: Mapping[str, Any] | None, condition: str, values: Item) -> bool:
    """Return whether a condition is true: comparisons with `=`, and attribute_not_exists, joined by AND."""
    attributes = item or {}
    for part in condition.split(" AND "):
        if absent := re.fullmatch(r"attribute_not_exists\((\w+)\)", part):
            is_true = absent[1] not in attributes
        else:
            name, _, placeholder = part.partition(" = ")
            is_true = name in attributes and attributes[name] == values[placeholder]
        if not is_true:
            return False
    return True


def updated(item: Item, expression: str, values: Item) -> Item:
    """Return the item after one SET, ADD or DELETE clause."""
    clause, _, rest = expression.partition(" ")
    after = dict(item)
    if clause == "SET":
        after |= {name: values[value] for name, value in (part.split(" = ") for part in rest.split(", "))}
        return after
    name, _, placeholder = rest.partition(" ")
    before, change = set(item.get(name, {}).get("SS", ())), set(values[placeholder]["SS"])
    marks = before | change if clause == "ADD" else before - change
    after.pop(name, None)  # DynamoDB has no empty sets
    return {**after, name: {"SS": sorted(marks)}} if marks else after


def condition_failed(item: Mapping[str, Any] | None) -> ClientError:
    """Return the error of a failed condition, with the item as it is."""
    response: Any = {
        "Error": {"Code": "ConditionalCheckFailedException", "Message": "The conditional request failed"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    return ClientError(response | ({"Item": dict(item)} if item else {}), "UpdateItem")
