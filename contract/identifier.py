"""Identifiers that may be logged and printed. Producers choose tokens and contact ids, so these may hold anything."""

import re

_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:/+=-]{1,500}")


def is_identifier(text: str) -> bool:
    """Whether the text is a mere identifier: not an address, and nothing that could control a terminal."""
    return _IDENTIFIER.fullmatch(text) is not None
