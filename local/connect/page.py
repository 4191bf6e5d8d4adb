"""The page at /: sent emails and refused calls, newest first, as in a mail client."""

import json
import re
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from local.connect.answer import error_answer
from local.connect.instance import Call, Instance, Sent
from local.connect.service import EmulatedConnect
from local.http_server import Answer

_FOLDER = Path(__file__).parent
_FILES = {"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}
_MAX_ENTRIES = 200
# Strangers can have written the emails. So the page escapes them, and the browser loads only the page's own files.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:"
)
_BODY_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_KINDS = {"text/plain": "Text", "text/html": "HTML", None: "Template"}


class Person(NamedTuple):
    """A sender or recipient."""

    name: str
    address: str

    def __str__(self) -> str:
        """Return name and address as mail clients write them."""
        return f"{self.name} <{self.address}>" if self.name else self.address

    @property
    def short(self) -> str:
        """The name if there is one, else the address."""
        return self.name or self.address


class Email(NamedTuple):
    """An email as the page shows it. An email from a template has no body, because Connect would create the body."""

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
    """A call that Connect refused with an error, as the page shows it. The page only counts throttled calls."""

    n: int
    time: datetime
    status: int
    error: str
    message: str
    contact_id: str | None
    client_token: str | None
    request: str


def email_entry(sent: Sent) -> Email:
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


def refusal_entry(call: Call) -> Refusal:
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
    """Return epoch seconds as a time in this machine's time zone."""
    return datetime.fromtimestamp(seconds, UTC).astimezone()


def _person(info: dict[str, str]) -> Person:
    return Person(info.get("DisplayName") or "", info["EmailAddress"])


def _attributes(attributes: dict[str, Any]) -> list[tuple[str, str]]:
    profile = attributes.get("CustomerProfileAttributes")
    own = (attributes.get("CustomAttributes") or {}).items()
    return [*own, *([("Customer profile", profile)] if profile else [])]


def breakable(text: str) -> Markup:
    """Return an address that browsers break after its @ and full stops, and only then inside a word."""
    return Markup(re.sub(r"([@.])", r"\1<wbr>", escape(text)))


_pages = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
_pages.filters["breakable"] = breakable


def page_answer(connect: EmulatedConnect, path: list[str], opened: str) -> Answer:
    """Answer a GET of the page with the entry `opened`, of an email's HTML body or of a file of the page."""
    match path:
        case [""]:
            return _page(connect, opened)
        case ["emails", n, "body"]:
            return _body(connect, n)
        case [name] if name in _FILES:
            return Answer(200, (_FOLDER / name).read_bytes(), {"Content-Type": _FILES[name]})
        case _:
            return error_answer(404, "UnknownOperationException", "This page does not exist.")


def _page(connect: EmulatedConnect, opened: str) -> Answer:
    with connect.held() as instance:
        entries = _newest(instance)
        facts = {
            "settings": instance.settings,
            "counts": dict(instance.record.counts),
            "faults": instance.faults.listed(),
            "refused": sum(map(_is_refused, instance.record.calls)),
            "active": instance.active(connect.clock()),
        }
    html = _pages.get_template("page.html").render(
        entries=entries,
        opened=_find(connect, opened),
        today=local_time(connect.clock()).date(),
        shown_at_most=_MAX_ENTRIES,
        **facts,
    )
    return _html(html, _PAGE_POLICY)


def _newest(instance: Instance) -> list[Email | Refusal]:
    emails = [email_entry(sent) for sent in instance.record.sent[: -_MAX_ENTRIES - 1 : -1]]
    refused = [call for call in reversed(instance.record.calls) if _is_refused(call)][:_MAX_ENTRIES]
    both: list[Email | Refusal] = [*emails, *map(refusal_entry, refused)]
    return sorted(both, key=lambda entry: entry.n, reverse=True)[:_MAX_ENTRIES]


def _is_refused(call: Call) -> bool:
    return call["error"] is not None and call["status"] != HTTPStatus.TOO_MANY_REQUESTS


def _body(connect: EmulatedConnect, n: str) -> Answer:
    entry = _find(connect, n)
    if not isinstance(entry, Email):
        return error_answer(404, "UnknownOperationException", "This email does not exist.")
    return _html(entry.body, _BODY_POLICY)


def _find(connect: EmulatedConnect, n: str) -> Email | Refusal | None:
    with connect.held() as instance:
        for sent in instance.record.sent:
            if str(sent["n"]) == n:
                return email_entry(sent)
        for call in instance.record.calls:
            if str(call["n"]) == n and _is_refused(call):
                return refusal_entry(call)
    return None


def _html(html: str, policy: str) -> Answer:
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    # JSON can hold lone surrogates, which UTF-8 cannot.
    return Answer(200, html.encode(errors="replace"), headers)
