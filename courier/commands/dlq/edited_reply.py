"""An edited letter: the text in the editor, and the token under which it is sent."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

from contract.client_token import (
    CLIENT_TOKEN,
    FIRST_TRIED_AT,
    MAX_TOKEN_CHARACTERS,
    MESSAGE_ID,
    ClientTokenError,
    client_token,
)
from contract.message_attributes import string
from courier.queues.sending import resent

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from courier.queues.letter import Letter
    from courier.queues.sending import NotDone, Outgoing

_EDITED = re.compile(r"(.+)\.edit-(\d{1,6})")


class EditorError(Exception):
    """The editor failed; the text says what to do."""


def edited(
    letter: Letter, body: str, now: float, *, new_token: bool = False, force: bool = False
) -> Outgoing | NotDone:
    """What is sent for an edited letter: under its own token, or under a new one.

    If Connect refused the reply, its token is unused and the edited reply goes out under it. If a copy was sent, the
    same token cannot send it again; a new one would.

    Args:
        letter: As it was.
        body: The edited reply.
        now: Seconds since the epoch.
        new_token: Whether to send under a new token. It depends on the old token alone and not on the text: an edit
            that was cut off between sending and deleting, and is done again, even in other words, is sent once.
        force: Whether to send it although its token may be too old.
    """
    if new_token:
        kept = {name: value for name, value in letter.attributes.items() if name != FIRST_TRIED_AT}
        token = next_token(letter.token or client_token(letter.id, first_id(letter)))
        return resent(replace(letter, attributes=kept | {CLIENT_TOKEN: string(token)}, sent_at=now), now, body=body)
    if letter.token is None:
        usable = {n: value for n, value in letter.attributes.items() if n not in {CLIENT_TOKEN, MESSAGE_ID}}
        return resent(replace(letter, attributes=usable | first_id(letter)), now, force=force, body=body)
    return resent(letter, now, force=force, body=body)


def first_id(letter: Letter) -> dict[str, MessageAttributeValueTypeDef]:
    """The attribute of the letter's first id, if it can be used as a token."""
    first = {name: value for name, value in letter.attributes.items() if name == MESSAGE_ID}
    try:
        client_token(letter.id, first)
    except ClientTokenError:
        return {}
    return first


def pretty(body: str) -> str:
    """The body as a person edits it; one that is not JSON as it is."""
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False) + "\n"
        text.encode()  # JSON can spell half a surrogate pair, which no file can hold
    except (ValueError, RecursionError):
        return body
    return text


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


def next_token(token: str) -> str:
    """The token that an edit with a new token gives."""
    first, count = (parts[1], int(parts[2])) if (parts := _EDITED.fullmatch(token)) else (token, 0)
    derived = f"{first}.edit-{count + 1}"
    return derived if len(derived) <= MAX_TOKEN_CHARACTERS else hashlib.sha256(token.encode()).hexdigest()
