"""What SQS refuses and moto accepts: pure functions over requests of the JSON protocol.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from local.moto.sqs_error import SqsError, invalid_parameter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


MAX_BYTES = 1_048_576
"""For a message, and for all messages of a batch together: bodies plus the attributes' names, types and values."""
MAX_ATTRIBUTES = 10
MAX_VISIBILITY = 43_200
"""Seconds."""
_NOT_XML_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTE_NAME = re.compile(r"(?!(?i:aws|amazon)\.)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_LONGEST_NAME = 256
_GROUP = re.compile("[!-~]{1,128}")
"""SendMessage in the SQS API reference, MessageGroupId."""
_INVALID_CHARACTERS = (
    "Invalid characters found. Valid unicode characters are "
    "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
)

type Request = Mapping[str, Any]


def message_error(message: Request) -> SqsError | None:
    """Return why SQS refuses a message (a SendMessage request or an entry of a batch); None if it does not."""
    body = message.get("MessageBody", "")
    if not body:
        missing = "The request must contain the parameter MessageBody."
        return SqsError("MissingParameter", missing, "MissingParameter")
    if _NOT_XML_CHARACTER.search(body):
        return SqsError("InvalidMessageContents", _INVALID_CHARACTERS, "InvalidMessageContents")
    attributes = message.get("MessageAttributes", {})
    if len(attributes) > MAX_ATTRIBUTES:
        return invalid_parameter(f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [10].")
    for name, attribute in attributes.items():
        if error := attribute_error(name, attribute):
            return error
    if message_bytes(message) > MAX_BYTES:
        return invalid_parameter(
            f"One or more parameters are invalid. Reason: Message must be shorter than {MAX_BYTES} bytes."
        )
    return group_error(message.get("MessageGroupId"))


def group_error(group: str | None) -> SqsError | None:
    """Return why SQS refuses a MessageGroupId; None if it does not, or if there is none."""
    if group is None or _GROUP.fullmatch(group):
        return None
    return invalid_parameter(
        f"Value {group} for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric "
        "and punctuation characters. 1 to 128 in length."
    )


def attribute_error(name: str, attribute: Request) -> SqsError | None:
    """Return why SQS refuses a message attribute; None if it does not."""
    if not name or len(name) > _LONGEST_NAME or not _ATTRIBUTE_NAME.fullmatch(name):
        return invalid_parameter(
            f"Message (user) attribute name '{name}' must be 1 to {_LONGEST_NAME} characters, of A-Z, a-z, 0-9, "
            "underscore, hyphen and single periods inside, and must not begin with AWS. or Amazon."
        )
    if not _value(attribute):
        kind = attribute.get("DataType")
        return invalid_parameter(f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'.")
    if _NOT_XML_CHARACTER.search(attribute.get("StringValue", "")):
        return invalid_parameter(_INVALID_CHARACTERS)  # InvalidMessageContents is for bodies only
    return None


def batch_error(request: Request) -> SqsError | None:
    """Return why SQS refuses a whole SendMessageBatch request; None if it does not."""
    total = sum(map(message_bytes, request.get("Entries", [])))
    if total <= MAX_BYTES:
        return None
    message = f"Batch requests cannot be longer than {MAX_BYTES} bytes. You have sent {total} bytes."
    return SqsError("BatchRequestTooLong", message, "AWS.SimpleQueueService.BatchRequestTooLong")


def visibility_error(request: Request) -> SqsError | None:
    """Return why SQS refuses a VisibilityTimeout; None if it does not, or if there is none."""
    seconds = request.get("VisibilityTimeout")
    if seconds is None or 0 <= seconds <= MAX_VISIBILITY:
        return None
    return invalid_parameter(
        f"Value {seconds} for parameter VisibilityTimeout is invalid. "
        f"Reason: Must be between 0 and {MAX_VISIBILITY}, if provided."
    )


def message_bytes(message: Request) -> int:
    """The size that SQS counts for a message."""
    attributes = message.get("MessageAttributes", {})
    return _bytes(message.get("MessageBody", "")) + sum(
        _bytes(name) + _bytes(attribute.get("DataType", "")) + len(_value(attribute))
        for name, attribute in attributes.items()
    )


def _value(attribute: Request) -> bytes:
    if attribute.get("DataType", "").startswith("Binary"):
        return base64.b64decode(attribute.get("BinaryValue", ""))
    return _encoded(attribute.get("StringValue", ""))


def _bytes(text: str) -> int:
    return len(_encoded(text))


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")  # JSON can hold lone surrogates; they are refused, but counted first


type Check = Callable[[Request], SqsError | None]

REQUEST_CHECKS: Mapping[str, Check] = {
    "SendMessage": message_error,
    "SendMessageBatch": batch_error,
    "ChangeMessageVisibility": visibility_error,
    "ReceiveMessage": visibility_error,
}
"""By operation: checks of a whole request."""
ENTRY_CHECKS: Mapping[str, Check] = {
    "SendMessageBatch": message_error,
    "ChangeMessageVisibilityBatch": visibility_error,
}
"""By operation: checks of a batch entry by entry; SQS takes the entries that pass."""


class SqsGate:
    """A WSGI application that refuses requests beyond SQS's limits and passes all others to another application."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        service, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        if service != "AmazonSQS" or operation not in REQUEST_CHECKS.keys() | ENTRY_CHECKS.keys():
            return self._application(environ, start_response)
        return self._checked(operation, environ)(environ, start_response)

    def _checked(self, operation: str, environ: "WSGIEnvironment") -> "WSGIApplication":
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = BytesIO(body)
        request = json.loads(body)
        if (check := REQUEST_CHECKS.get(operation)) and (error := check(request)):
            return Response(error.body, error.status, error.headers)
        if check := ENTRY_CHECKS.get(operation):
            errors = [check(entry) for entry in request["Entries"]]
            if any(errors):
                return self._in_part(environ, request, errors)
        return self._application

    def _in_part(
        self, environ: "WSGIEnvironment", request: dict[str, Any], errors: list[SqsError | None]
    ) -> "WSGIApplication":
        """Pass on the entries without an error, if there are any, and add the others to the answer."""
        judged = list(zip(request["Entries"], errors, strict=True))
        failed = [error.of_entry(entry["Id"]) for entry, error in judged if error]
        sound = [entry for entry, error in judged if not error]
        if not sound:
            content = json.dumps({"Successful": [], "Failed": failed})
            return Response(content, content_type="application/x-amz-json-1.0")
        body = json.dumps({**request, "Entries": sound}).encode()
        environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        answer = Response.from_app(self._application, environ, buffered=True)
        if answer.status_code == HTTPStatus.OK:
            content = json.loads(answer.get_data())
            answer.set_data(json.dumps({**content, "Failed": [*content.get("Failed", []), *failed]}))
        return answer
