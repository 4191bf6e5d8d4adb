"""The calls to DynamoDB: the table that knows which draft a reply's client token may use, and who may have used it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from handler.services.connect import error_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

CONNECT_TIMEOUT = 1
READ_TIMEOUT = 3
CALL_SECONDS = CONNECT_TIMEOUT + READ_TIMEOUT
READ_TRIES = 2
"""An idle connection may have died while Lambda had frozen the environment. A read is repeated; a write is not."""
PROOF_SECONDS = 56 * 86_400
"""How long an item is certain to be there."""
KEPT_SECONDS = 57 * 86_400
"""From a draft's making to the item's deletion (time to live)."""


class TableUnavailableError(Exception):
    """The table did not answer, or its answer can't be read."""


@dataclass(frozen=True, slots=True)
class Item:
    """What the table knows about a client token. All times are whole seconds since the epoch.

    Attributes:
        contact_id: The only contact that the token may use now.
        reply_hash: The hash of the whole reply that the contact was made for.
        made_at: The time just before CreateContact was called.
        expires_at: After this time, a draft without marks isn't used again.
        marks: One for each delivery whose attempts may have been accepted.
    """

    contact_id: str
    reply_hash: str
    made_at: int
    expires_at: int
    marks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Write:
    """What became of a write.

    Attributes:
        marks: The item's marks after it, or those that a failed condition returned.
        is_written: Whether DynamoDB has certainly written it.
        is_unanswered: Whether DynamoDB may have written it. If neither, it was refused.
        condition_failed: Whether it was refused because of its condition.
    """

    marks: frozenset[str] = frozenset()
    is_written: bool = False
    is_unanswered: bool = False
    condition_failed: bool = False


def client() -> DynamoDBClient:
    """Make the client: short timeouts and one try, since a repeated write could fail on its own first try."""
    return boto3.client(
        "dynamodb",
        config=Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": 1},
            account_id_endpoint_mode="disabled",  # else the host is another one than a network may allow
        ),
    )


class DraftTable:
    """The table; one for each execution environment.

    Args:
        name: Its name.
        dynamodb: The client.
        now: Seconds since the epoch.
    """

    def __init__(self, name: str, dynamodb: DynamoDBClient, now: Callable[[], float]) -> None:
        self._name = name
        self._dynamodb = dynamodb
        self._now = now

    def get(self, token: str) -> Item | None:
        """Read a token's item, consistently.

        Raises:
            TableUnavailableError: See there.
        """
        for _ in range(READ_TRIES):
            try:
                answer = self._dynamodb.get_item(
                    TableName=self._name, Key=_key(token), ConsistentRead=True, ReturnConsumedCapacity="TOTAL"
                )
                # botocore reads a 200 whose body is not JSON as an empty answer, which would look like "no item".
                if "ConsumedCapacity" in answer:
                    return _item(answer["Item"]) if "Item" in answer else None
            except Exception:  # noqa: BLE001, S112 - whatever went wrong: only an answer that can be read counts
                continue
        raise TableUnavailableError

    def vouches_since(self) -> int:
        """Return the time since when a missing item means that no draft was made: whole seconds since the epoch.

        Raises:
            TableUnavailableError: See there.
        """
        try:
            table = self._dynamodb.describe_table(TableName=self._name)["Table"]
            created_at = int(table["CreationDateTime"].timestamp())
        except Exception as error:
            raise TableUnavailableError from error
        return max(created_at, int(self._now()) - PROOF_SECONDS)

    def add_mark(self, token: str, item: Item, mark: str) -> Write:
        """Mark the item's draft, before an attempt on it. The condition: it is still this draft."""
        return self._update(
            token,
            "ADD Marks :marks",
            "ContactId = :contact AND ExpiresAt = :expires",
            {":marks": {"SS": [mark]}, ":contact": {"S": item.contact_id}, ":expires": {"N": str(item.expires_at)}},
        )

    def put_draft(self, token: str, item: Item, replaced: Item | None) -> Write:
        """Write a new draft, with its mark. The condition: no other delivery has written one."""
        condition, values = "attribute_not_exists(TokenHash)", {}
        if replaced:
            condition = "ContactId = :replaced AND attribute_not_exists(Marks)"
            values = {":replaced": {"S": replaced.contact_id}}
        return self._update(
            token,
            "SET ContactId = :contact, ReplyHash = :reply, MadeAt = :made, ExpiresAt = :expires, DeleteAt = :delete, "
            "Marks = :marks",
            condition,
            {
                ":contact": {"S": item.contact_id},
                ":reply": {"S": item.reply_hash},
                ":made": {"N": str(item.made_at)},
                ":expires": {"N": str(item.expires_at)},
                ":delete": {"N": str(item.made_at + KEPT_SECONDS)},
                ":marks": {"SS": sorted(item.marks)},
                **values,
            },
        )

    def remove_mark(self, token: str, contact_id: str, mark: str) -> Write:
        """Remove the mark of a delivery whose attempts were surely refused."""
        values = {":marks": {"SS": [mark]}, ":contact": {"S": contact_id}}
        return self._update(token, "DELETE Marks :marks", "ContactId = :contact", values)

    def retire(self, token: str, contact_id: str) -> Write:
        """Say that the draft isn't used again. The condition: no delivery may have sent it."""
        values = {":contact": {"S": contact_id}, ":never": {"N": "0"}}
        condition = "ContactId = :contact AND attribute_not_exists(Marks)"
        return self._update(token, "SET ExpiresAt = :never", condition, values)

    def _update(self, token: str, update: str, condition: str, values: Mapping[str, Any]) -> Write:
        try:
            answer = self._dynamodb.update_item(
                TableName=self._name,
                Key=_key(token),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
            return Write(_marks(answer["Attributes"]), is_written=True)
        except ClientError as error:
            return _refused(error)
        except Exception:  # noqa: BLE001 - no answer, or none that can be read: it may have been written
            return Write(is_unanswered=True)


def _refused(error: ClientError) -> Write:
    """Return what an error means. A denied KMS key answers AccessDeniedException with the status 400."""
    code, _, status, _ = error_parts(error)
    if code == "ConditionalCheckFailedException":
        item = error.response.get("Item")
        return Write(_marks(item) if isinstance(item, dict) else frozenset(), condition_failed=True)
    is_refused = 400 <= status < 500 and status != 408  # noqa: PLR2004 - HTTP's own numbers
    return Write(is_unanswered=not is_refused)


def _key(token: str) -> dict[str, Any]:
    return {"TokenHash": {"S": sha256(token.encode()).hexdigest()}}


def _item(attributes: Mapping[str, Any]) -> Item:
    return Item(
        contact_id=attributes["ContactId"]["S"],
        reply_hash=attributes["ReplyHash"]["S"],
        made_at=int(attributes["MadeAt"]["N"]),
        expires_at=int(attributes["ExpiresAt"]["N"]),
        marks=_marks(attributes),
    )


def _marks(attributes: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(attributes.get("Marks", {}).get("SS", ()))
