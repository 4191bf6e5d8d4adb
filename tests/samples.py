"""Replies, records and events for tests; every text in them is one that no log may ever show."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

ACCOUNT = "123456789012"
REGION = "eu-central-1"
INSTANCE_ID = "11111111-2222-3333-4444-555555555555"
INSTANCE_ARN = f"arn:aws:connect:{REGION}:{ACCOUNT}:instance/{INSTANCE_ID}"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:replies"

FUNCTION_ENVIRONMENT = {
    "CONNECT_INSTANCE_ARN": INSTANCE_ARN,
    "QUEUE_URL": "queue",
    "DEAD_LETTER_QUEUE_URL": "dead-letters",
    "PAYLOAD_BUCKET": "payloads",
    "DRAFT_TABLE": "drafts",
    "EVENT_BUS_NAME": "",
    "SEND_RATE_SHARE": "1000",
    "BURST_SHARE": "1",
    "RETRY_SECONDS": "21600",
    "MAX_RECEIVES": "116",
    "CRASH_LOOP_SECONDS": "64800",
    "RETENTION_SECONDS": "1209600",
    "ALLOWED_RECIPIENTS": "",
    "POWERTOOLS_SERVICE_NAME": "reply-courier",
    "POWERTOOLS_METRICS_NAMESPACE": "ReplyCourier",
}
"""What the stack sets."""

ADDRESS = "ada.lovelace@customer.example"
NAME = "Ada Lovelace"
SUBJECT = "Re: my engine does not start"
BODY = "Dear Ada, have you tried turning it off and on again?"
PERSONAL = (ADDRESS, NAME, SUBJECT, BODY)


OURS = {"Reason", "Detail", "MessageId", "FirstTriedAt", "ForcedAt"}


def long_names(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes by their real names: those of this project begin with ReplyCourier, which tests leave out."""
    return {f"ReplyCourier.{name}" if name in OURS else name: value for name, value in attributes.items()}


def short_names(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes by the names that tests use."""
    return {name.removeprefix("ReplyCourier."): value for name, value in attributes.items()}


def raw_message(**changes: Any) -> dict[str, Any]:
    return {
        "MessageSourceType": "RAW",
        "RawMessage": {"Subject": SUBJECT, "Body": BODY, "ContentType": "text/plain"} | changes,
    }


def template_message(**changes: Any) -> dict[str, Any]:
    config = {"KnowledgeBaseId": "kb-1", "MessageTemplateId": "template-1", "TemplateAttributes": {}}
    return {"MessageSourceType": "TEMPLATE", "TemplatedMessageConfig": config | changes}


def reply(**changes: Any) -> dict[str, Any]:
    """A sound reply; a change of None leaves the member out."""
    members = {
        "ContactId": "contact-1",
        "DestinationEmailAddress": {"EmailAddress": ADDRESS, "DisplayName": NAME},
        "EmailMessage": raw_message(),
    }
    return {name: value for name, value in (members | changes).items() if value is not None}


def drafted(**create_contact: Any) -> dict[str, Any]:
    """A sound reply whose draft the function makes."""
    return reply(ContactId=None, CreateContact=create_contact)


def record(
    body: Any = None,
    *,
    message_id: str | None = None,
    receive_count: int = 1,
    sent_at: float = 1_800_000_000,
    first_received_at: float = 1_800_000_001,
    receipt_handle: str = "receipt",
    **attributes: Any,
) -> dict[str, Any]:
    """A record as Lambda delivers it; attributes are strings, or whole attributes in the event's form."""
    body = reply() if body is None else body
    return {
        "messageId": message_id or str(uuid.uuid4()),
        "receiptHandle": receipt_handle,
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {
            "ApproximateReceiveCount": str(receive_count),
            "SentTimestamp": str(int(sent_at * 1000)),
            "SenderId": "AIDAEXAMPLE",
            "ApproximateFirstReceiveTimestamp": str(int(first_received_at * 1000)),
        },
        "messageAttributes": {
            name: string_attribute(value) if isinstance(value, str) else value
            for name, value in long_names(attributes).items()
        },
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN,
        "awsRegion": REGION,
    }


def string_attribute(value: str) -> dict[str, Any]:
    return {"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String"}


def event(*records: dict[str, Any]) -> dict[str, Any]:
    return {"Records": list(records)}
