"""An emulated Connect to experiment with, driven through its routes, with a clock that only a test moves."""

import json
from typing import Any

from local.connect.answer import error_of
from local.connect.routes import answer_to
from local.connect.service import EmulatedConnect
from local.http_server import Answer
from tests.samples import INSTANCE_ID, raw_message

HOUR = 3600.0


class Lab:
    """An emulated Connect with drafts a, b, c, a quota that is out of the way, and a clock."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.ids = 0
        self.connect = EmulatedConnect(clock=lambda: self.now, new_id=self.new_id)
        self.control("PUT", "settings", dict.fromkeys(("rate", "burst", "create_rate", "create_burst"), 1000))
        self.control("POST", "drafts", {"contact_ids": ["a", "b", "c"]})

    def new_id(self) -> str:
        self.ids += 1
        return f"id-{self.ids}"

    def control(self, method: str, call: str, content: object = None) -> Any:
        answer = answer_to(self.connect, method, f"/_local/{call}", json.dumps(content).encode())
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def send(self, contact_id: str = "a", token: str | None = "t", **changes: Any) -> Answer:
        request = {
            "InstanceId": INSTANCE_ID,
            "ContactId": contact_id,
            "DestinationEmailAddress": {"EmailAddress": "anna@example.com"},
            "EmailMessage": raw_message(Subject="s", Body="b"),
            "ClientToken": token,
            **changes,
        }
        body = {name: value for name, value in request.items() if value is not None}
        return answer_to(self.connect, "PUT", "/contact/outbound-email", json.dumps(body).encode())

    def create(self, **changes: Any) -> Answer:
        request = {"InstanceId": INSTANCE_ID, "Channel": "EMAIL", "InitiationMethod": "FLOW", **changes}
        return answer_to(self.connect, "PUT", "/contact/create-contact", json.dumps(request).encode())

    def made(self, **changes: Any) -> str:
        """The id of a new contact."""
        contact_id: str = json.loads(self.create(**changes).body)["ContactId"]
        return contact_id

    def stop(self, contact_id: str) -> Answer:
        request = {"InstanceId": INSTANCE_ID, "ContactId": contact_id}
        return answer_to(self.connect, "POST", "/contact/stop", json.dumps(request).encode())

    def describe(self, contact_id: str) -> Answer:
        return answer_to(self.connect, "GET", f"/contacts/{INSTANCE_ID}/{contact_id}", b"")

    def active(self) -> dict[str, int]:
        active: dict[str, int] = self.control("GET", "active")
        return active

    def sent(self) -> list[tuple[str, str | None]]:
        return [(each["contact_id"], each["client_token"]) for each in self.control("GET", "sent")["sent"]]


def outcome(answer: Answer) -> tuple[int | None, str | None]:
    return answer.status, error_of(answer)[0]
