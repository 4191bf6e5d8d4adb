"""The page at /: the emails sent, newest first, as in a mail client."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from local.connect.answer import Answer, error_answer
from local.connect.instance.record import Sent
from local.connect.service import EmulatedConnect

_FOLDER = Path(__file__).parent
_FILES = {"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}
_KINDS = {"text/plain": "Text", "text/html": "HTML", None: "Template"}
_SHOWN = 200
# Strangers may have written the emails: they are escaped, and the browser loads only the page's own two files.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:"
)
_BODY_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_pages = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)


class Email(NamedTuple):
    """An email as the page shows it. One from a template has no body: Connect would create it."""

    n: int
    time: datetime
    sender: str
    to: str
    cc: list[str]
    subject: str
    kind: str
    body: str
    template: list[tuple[str, str]]  # names and values
    contact_id: str | None
    client_token: str | None


def shown(sent: Sent) -> Email:
    """Return an email as the page shows it."""
    request = sent["request"]
    message = request["EmailMessage"]
    is_raw = message["MessageSourceType"] == "RAW"
    raw = message["RawMessage"] if is_raw else {}
    config = {} if is_raw else message["TemplatedMessageConfig"]
    kind = _KINDS[raw.get("ContentType")]
    cc = (request.get("AdditionalRecipients") or {}).get("CcEmailAddresses") or []
    sender = request.get("FromEmailAddress")
    return Email(
        n=sent["n"],
        time=datetime.fromtimestamp(sent["at"], UTC).astimezone(),
        sender=_address(sender) if sender else "the instance's own address",
        to=_address(request["DestinationEmailAddress"]),
        cc=[_address(each) for each in cc],
        subject=raw["Subject"] if is_raw else f"(subject of template {config['MessageTemplateId']})",
        kind=kind,
        body=raw.get("Body", ""),
        template=_template(config) if config else [],
        contact_id=sent["contact_id"],
        client_token=sent["client_token"],
    )


def page_answer(connect: EmulatedConnect, path: list[str], opened: str) -> Answer:
    """Answer a GET: the page with email `opened`, an email's HTML body alone, or a file of the page."""
    match path:
        case [""]:
            return _page(connect, opened)
        case ["emails", n, "body"]:
            return _body(connect, n)
        case [name] if name in _FILES:
            return Answer(200, (_FOLDER / name).read_bytes(), _FILES[name])
        case _:
            return error_answer(404, "UnknownOperationException", "This page does not exist.")


def _page(connect: EmulatedConnect, opened: str) -> Answer:
    with connect.held() as instance:
        newest = instance.record.sent[: -_SHOWN - 1 : -1]
        facts = {
            "settings": instance.settings,
            "counts": dict(instance.record.counts),
            "faults": instance.faults.listed(),
        }
    email = _find(connect, opened)
    html = _pages.get_template("page.html").render(
        emails=[shown(sent) for sent in newest], opened=shown(email) if email else None, **facts
    )
    return _html(html, _PAGE_POLICY)


def _body(connect: EmulatedConnect, n: str) -> Answer:
    email = _find(connect, n)
    if email is None:
        return error_answer(404, "UnknownOperationException", "This email does not exist.")
    return _html(shown(email).body, _BODY_POLICY)


def _find(connect: EmulatedConnect, n: str) -> Sent | None:
    with connect.held() as instance:
        return next((sent for sent in instance.record.sent if str(sent["n"]) == n), None)


def _html(html: str, policy: str) -> Answer:
    headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    # JSON can hold lone surrogates, which UTF-8 cannot.
    return Answer(200, html.encode(errors="replace"), "text/html; charset=utf-8", headers)


def _address(info: dict[str, str]) -> str:
    name = info.get("DisplayName")
    return f"{name} <{info['EmailAddress']}>" if name else info["EmailAddress"]


def _template(config: dict[str, Any]) -> list[tuple[str, str]]:
    attributes = config["TemplateAttributes"]
    profile = attributes.get("CustomerProfileAttributes")
    return [
        ("Knowledge base", config["KnowledgeBaseId"]),
        ("Template", config["MessageTemplateId"]),
        *(attributes.get("CustomAttributes") or {}).items(),
        *([("Customer profile", profile)] if profile else []),
    ]
