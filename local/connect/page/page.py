"""The page at /: the emails sent and the calls refused, newest first, as in a mail client."""

import re
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from local.connect.answer import Answer, error_answer
from local.connect.instance.instance import Instance
from local.connect.instance.record import Call
from local.connect.page.entries import Email, Refusal, local_time, refusal, shown
from local.connect.service import EmulatedConnect

_FOLDER = Path(__file__).parent
_FILES = {"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}
_SHOWN = 200
# Strangers may have written the emails: they are escaped, and the browser loads only the page's own two files.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:"
)
_BODY_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def breakable(text: str) -> Markup:
    """An address that is broken at its @ and its full stops before it is broken inside a word."""
    return Markup(re.sub(r"([@.])", r"\1<wbr>", escape(text)))


_pages = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
_pages.filters["breakable"] = breakable


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
        entries = _newest(instance)
        facts = {
            "settings": instance.settings,
            "counts": dict(instance.record.counts),
            "faults": instance.faults.listed(),
            "refused": sum(map(_is_refused, instance.record.calls)),
        }
    html = _pages.get_template("page.html").render(
        entries=entries,
        opened=_find(connect, opened),
        today=local_time(connect.clock()).date(),
        shown_at_most=_SHOWN,
        **facts,
    )
    return _html(html, _PAGE_POLICY)


def _newest(instance: Instance) -> list[Email | Refusal]:
    emails = [shown(sent) for sent in instance.record.sent[: -_SHOWN - 1 : -1]]
    refused = [call for call in reversed(instance.record.calls) if _is_refused(call)][:_SHOWN]
    both: list[Email | Refusal] = [*emails, *map(refusal, refused)]
    return sorted(both, key=lambda entry: entry.n, reverse=True)[:_SHOWN]


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
                return shown(sent)
        for call in instance.record.calls:
            if str(call["n"]) == n and _is_refused(call):
                return refusal(call)
    return None


def _html(html: str, policy: str) -> Answer:
    headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    # JSON can hold lone surrogates, which UTF-8 cannot.
    return Answer(200, html.encode(errors="replace"), "text/html; charset=utf-8", headers)
