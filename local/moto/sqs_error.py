"""An SQS error as plain data and in the JSON protocol."""

import json
from dataclasses import dataclass
from http import HTTPStatus


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
