"""An error as SQS words it on the wire: plain data, in the JSON protocol that the AWS SDKs parse."""

import json
from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True)
class SqsError:
    """One refused request, or one refused entry of a batch.

    SQS names an error twice, for it spoke the query protocol first: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html

    Args:
        shape: its name in the JSON protocol, in the body.
        message: for a person.
        code: its name in the query protocol, in a header; boto3 gives this one as ``Error.Code``.
        status: of HTTP.
    """

    shape: str
    message: str
    code: str
    status: int = HTTPStatus.BAD_REQUEST

    @property
    def headers(self) -> dict[str, str]:
        """The headers that belong to it, less Content-Length."""
        fault = "Sender" if self._is_senders_fault else "Receiver"
        return {"Content-Type": "application/x-amz-json-1.0", "x-amzn-query-error": f"{self.code};{fault}"}

    @property
    def body(self) -> bytes:
        """What it says."""
        return json.dumps({"__type": f"com.amazonaws.sqs#{self.shape}", "message": self.message}).encode()

    def of_entry(self, entry_id: str) -> dict[str, object]:
        """It as a member of ``Failed`` in the answer to a batch."""
        return {"Id": entry_id, "SenderFault": self._is_senders_fault, "Code": self.code, "Message": self.message}

    @property
    def _is_senders_fault(self) -> bool:
        return self.status < HTTPStatus.INTERNAL_SERVER_ERROR


def invalid_parameter(message: str) -> SqsError:
    """A parameter that SQS does not take."""
    return SqsError("InvalidParameterValue", message, "InvalidParameterValue")
