"""Lines of the function's log, for tests of `courier trace`."""

from typing import Any

from contract.client_token import iso
from tests.letters import NOW


def fields(event: str, message_id: str = "m-1", receive: int = 1, **more: Any) -> dict[str, Any]:
    """What the function adds to a line, without the time."""
    own = {"message": event, "message_id": message_id, "client_token": "t-1", "receive_count": receive}
    return own | {name: value for name, value in more.items() if value is not None}


def text_fields(at: float, event: str, message_id: str = "m-1", receive: int = 1, **more: Any) -> dict[str, Any]:
    """A whole line, written `at` seconds after NOW; its message was put on the queue at NOW."""
    return {"timestamp": iso(NOW + at), "enqueued_at": iso(NOW)} | fields(event, message_id, receive, **more)
