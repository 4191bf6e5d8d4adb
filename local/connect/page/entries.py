"""What the page shows of an email that was sent, and of a call that was refused."""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from local.connect.instance.record import Call, Sent

_KINDS = {"text/plain": "Text", "text/html": "HTML", None: "Template"}


class Person(NamedTuple):
    """A sender or recipient."""

    name: str
    address: str

    def __str__(self) -> str:
        """Name and address, as mail clients write them."""
        return f"{self.name} <{self.address}>" if self.name else self.address

    @property
    def short(self) -> str:
        """The name, or else the address."""
        return self.name or self.address


class Email(NamedTuple):
    """An email as the page shows it. One from a template has no body: Connect would create it."""

    n: int
    time: datetime
    sender: Person | None
    to: Person
    cc: list[Person]
    subject: str
    kind: str
    body: str
    template: list[tuple[str, str]]
    attributes: list[tuple[str, str]]
    contact_id: str | None
    client_token: str | None


class Refusal(NamedTuple):
    """A call that Connect answered with an error, so that nothing was sent. A throttled one is only counted."""

    n: int
    time: datetime
    status: int
    error: str
    message: str
    contact_id: str | None
    client_token: str | None
    request: str


def shown(sent: Sent) -> Email:
    """Return an email as the page shows it."""
    request = sent["request"]
    message = request["EmailMessage"]
    is_raw = message["MessageSourceType"] == "RAW"
    raw = message["RawMessage"] if is_raw else {}
    config = {} if is_raw else message["TemplatedMessageConfig"]
    cc = (request.get("AdditionalRecipients") or {}).get("CcEmailAddresses") or []
    sender = request.get("FromEmailAddress")
    return Email(
        n=sent["n"],
        time=local_time(sent["at"]),
        sender=_person(sender) if sender else None,
        to=_person(request["DestinationEmailAddress"]),
        cc=[_person(each) for each in cc],
        subject=raw["Subject"] if is_raw else f"(subject of template {config['MessageTemplateId']})",
        kind=_KINDS[raw.get("ContentType")],
        body=raw.get("Body", ""),
        template=[("Knowledge base", config["KnowledgeBaseId"]), ("Template", config["MessageTemplateId"])]
        if config
        else [],
        attributes=_attributes(config["TemplateAttributes"]) if config else [],
        contact_id=sent["contact_id"],
        client_token=sent["client_token"],
    )


def refusal(call: Call) -> Refusal:
    """Return a refused call as the page shows it."""
    request = call["body"]
    return Refusal(
        n=call["n"],
        time=local_time(call["at"]),
        status=call["status"] or 0,
        error=call["error"] or "",
        message=call["message"] or "",
        contact_id=call["contact_id"],
        client_token=call["client_token"],
        request=call["raw"] if request is None else json.dumps(request, indent=2, ensure_ascii=False),
    )


def local_time(seconds: float) -> datetime:
    """A time since the epoch, on the clock of whoever reads it."""
    return datetime.fromtimestamp(seconds, UTC).astimezone()


def _person(info: dict[str, str]) -> Person:
    return Person(info.get("DisplayName") or "", info["EmailAddress"])


def _attributes(attributes: dict[str, Any]) -> list[tuple[str, str]]:
    profile = attributes.get("CustomerProfileAttributes")
    own = (attributes.get("CustomAttributes") or {}).items()
    return [*own, *([("Customer profile", profile)] if profile else [])]
