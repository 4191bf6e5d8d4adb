"""Refuses messages that SQS refuses and moto accepts, before they reach moto.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_BYTES = 1_048_576
"""For a message, and for all messages of a batch together: bodies plus the attributes' names, types and values."""
MAX_ATTRIBUTES = 10
_NOT_XML_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INVALID_CHARACTERS = (
    "Invalid characters found. Valid unicode characters are "
    "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
)

type Request = Mapping[str, Any]


@dataclass(frozen=True)
class SqsError:
    """The error of a request, or of an entry of a batch.

    An error has two names: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html

    Args:
        shape: Its name in the JSON protocol, in the body.
        message: Its message.
        code: Its name in the older query protocol, in a header. boto3 returns this name as ``Error.Code``.
        status: The HTTP status.
    """

    shape: str
    message: str
    code: str
    status: int = HTTPStatus.BAD_REQUEST

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer, except Content-Length."""
        fault = "Sender" if self._is_senders_fault else "Receiver"
        return {"Content-Type": "application/x-amz-json-1.0", "x-amzn-query-error": f"{self.code};{fault}"}

    @property
    def body(self) -> bytes:
        """The body of the answer."""
        return json.dumps({"__type": f"com.amazonaws.sqs#{self.shape}", "message": self.message}).encode()

    def of_entry(self, entry_id: str) -> dict[str, object]:
        """Return the error as an entry of ``Failed`` in the answer to a batch."""
        return {"Id": entry_id, "SenderFault": self._is_senders_fault, "Code": self.code, "Message": self.message}

    @property
    def _is_senders_fault(self) -> bool:
        return self.status < HTTPStatus.INTERNAL_SERVER_ERROR


class SqsGate:
    """A WSGI application that refuses messages beyond SQS's limits and passes all other requests on."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        operation = environ.get("HTTP_X_AMZ_TARGET")
        if operation not in {"AmazonSQS.SendMessage", "AmazonSQS.SendMessageBatch"}:
            return self._application(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = BytesIO(body)
        request = json.loads(body)
        is_batch = operation == "AmazonSQS.SendMessageBatch"
        if error := batch_error(request) if is_batch else message_error(request):
            return Response(error.body, error.status, error.headers)(environ, start_response)
        errors = [message_error(entry) for entry in request["Entries"]] if is_batch else []
        answer = self._valid_entries(environ, request, errors) if any(errors) else self._application
        return answer(environ, start_response)

    def _valid_entries(
        self, environ: "WSGIEnvironment", request: dict[str, Any], errors: list[SqsError | None]
    ) -> "WSGIApplication":
        """Pass the valid entries on, if there are any, and add the others to the answer as failed."""
        checked = list(zip(request["Entries"], errors, strict=True))
        failed = [error.of_entry(entry["Id"]) for entry, error in checked if error]
        valid = [entry for entry, error in checked if not error]
        if not valid:
            content = json.dumps({"Successful": [], "Failed": failed})
            return Response(content, content_type="application/x-amz-json-1.0")
        body = json.dumps({**request, "Entries": valid}).encode()
        environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        answer = Response.from_app(self._application, environ, buffered=True)
        if answer.status_code == HTTPStatus.OK:
            content = json.loads(answer.get_data())
            answer.set_data(json.dumps({**content, "Failed": [*content.get("Failed", []), *failed]}))
        return answer


def message_error(message: Request) -> SqsError | None:
    """Return why SQS refuses a message (a SendMessage request or an entry of a batch), or None."""
    body = message.get("MessageBody", "")
    if not body:
        missing = "The request must contain the parameter MessageBody."
        return SqsError("MissingParameter", missing, "MissingParameter")
    if _NOT_XML_CHARACTER.search(body):
        return SqsError("InvalidMessageContents", _INVALID_CHARACTERS, "InvalidMessageContents")
    attributes = message.get("MessageAttributes", {})
    if len(attributes) > MAX_ATTRIBUTES:
        return _invalid_parameter(f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [10].")
    for name, attribute in attributes.items():
        if error := attribute_error(name, attribute):
            return error
    if message_bytes(message) > MAX_BYTES:
        return _invalid_parameter(
            f"One or more parameters are invalid. Reason: Message must be shorter than {MAX_BYTES} bytes."
        )
    return None


def attribute_error(name: str, attribute: Request) -> SqsError | None:
    """Return why SQS refuses a message attribute, or None."""
    if not _value(attribute):
        kind = attribute.get("DataType")
        return _invalid_parameter(f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'.")
    if _NOT_XML_CHARACTER.search(attribute.get("StringValue", "")):
        return _invalid_parameter(_INVALID_CHARACTERS)  # InvalidMessageContents is for bodies only
    return None


def batch_error(request: Request) -> SqsError | None:
    """Return why SQS refuses a whole SendMessageBatch request, or None."""
    total = sum(map(message_bytes, request.get("Entries", [])))
    if total <= MAX_BYTES:
        return None
    message = f"Batch requests cannot be longer than {MAX_BYTES} bytes. You have sent {total} bytes."
    return SqsError("BatchRequestTooLong", message, "AWS.SimpleQueueService.BatchRequestTooLong")


def message_bytes(message: Request) -> int:
    """Return the size of a message as SQS counts it."""
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
    return text.encode(errors="surrogatepass")  # JSON can hold lone surrogates. SQS refuses them later.


def _invalid_parameter(message: str) -> SqsError:
    return SqsError("InvalidParameterValue", message, "InvalidParameterValue")
