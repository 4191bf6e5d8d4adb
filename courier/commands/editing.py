"""An edited letter: the text in the editor, and the token under which it is sent."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from contract.client_token import CLIENT_TOKEN, MAX_CHARACTERS
from contract.dead_letter import CONTRACT_ATTRIBUTES, Reason
from contract.message_attributes import string
from courier.sending import NotDone, Outgoing, attributes_of, sendable

if TYPE_CHECKING:
    from pathlib import Path

    from courier.letters import Letter

REFUSED_BY_CONNECT = {Reason.INVALID_REQUEST, Reason.NOT_FOUND, Reason.REFUSED}
"""Reasons with which Connect has answered "no" to this token: nothing was sent under it."""
_EDITED = re.compile(r"(.+)\.edit-(\d{1,6})")


class EditorError(Exception):
    """The editor failed; the text says what to do."""


class TokenChoice(NamedTuple):
    """The token of an edited reply, and why it is this one."""

    token: str
    why: str


def token_for_edit(letter: Letter) -> TokenChoice:
    """The client token for the edited reply.

    It depends on the letter alone and not on the text: an edit that was cut off between sending and deleting, and is
    done again, even in other words, is sent once.
    """
    token = letter.token
    if token is None:
        return TokenChoice(
            _digest(repr(letter.attributes[CLIENT_TOKEN]), letter.body), "its token could not be used: a new one"
        )
    if letter.reason in REFUSED_BY_CONNECT:
        return TokenChoice(_next(token), "Connect refused the reply: a new token, derived from the first")
    return TokenChoice(token, "it may have been sent before: the same token, so that Connect sends it once")


def edited(letter: Letter, body: str, token: str | None = None) -> Outgoing | NotDone:
    """What is sent for an edited letter.

    Args:
        letter: As it was.
        body: The edited reply.
        token: A token of the operator's own. Then nothing else has used it, as far as the function may know: the
            letter's reason goes, since it would tell the function to take "token already used" for "already sent".
    """
    if token is None:
        return sendable(
            Outgoing(letter.id, body, attributes_of(letter) | {CLIENT_TOKEN: string(token_for_edit(letter).token)})
        )
    kept = {name: value for name, value in letter.attributes.items() if name not in CONTRACT_ATTRIBUTES}
    return sendable(Outgoing(letter.id, body, kept | {CLIENT_TOKEN: string(token)}))


def pretty(body: str) -> str:
    """The body as a person edits it; one that is not JSON as it is."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False) + "\n"
    except (ValueError, RecursionError):
        return body


def compact(text: str) -> str:
    """The edited text without the editor's line breaks, which count towards SQS's limit; for JSON that was checked."""
    return json.dumps(json.loads(text), ensure_ascii=False)


def open_editor(file: Path) -> None:
    """Let the operator edit a file with $VISUAL or $EDITOR, or else vi.

    Raises:
        EditorError: It cannot be started, or it failed.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        subprocess.run([*shlex.split(editor), str(file)], check=True)  # noqa: S603 - the operator's own editor
    except (OSError, ValueError, subprocess.CalledProcessError) as failed:
        text = f"The editor {editor!r} failed ({type(failed).__name__}). Set EDITOR to one that works."
        raise EditorError(text) from None


def _next(token: str) -> str:
    first, count = (parts[1], int(parts[2])) if (parts := _EDITED.fullmatch(token)) else (token, 0)
    derived = f"{first}.edit-{count + 1}"
    return derived if len(derived) <= MAX_CHARACTERS else _digest(token)


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
