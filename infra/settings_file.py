"""Settings from a file of their own, for whoever has several stacks: `-c settings=prod.json`."""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path

from infra.settings import SETTINGS, SettingsError


def with_file(context: Mapping[str, object], folder: Path) -> Mapping[str, object]:
    """Give the context with the settings of the file that its key `settings` names, and no others of ours.

    A stack must not get another one's setting by accident, so what the file leaves out has its default.

    Args:
        context: CDK context.
        folder: What the file's path starts from.

    Raises:
        SettingsError: The file cannot be read, is not a JSON object, or has a key that is not a setting.
    """
    named = context.get("settings")
    if named is None:
        return context
    if not isinstance(named, str):
        raise SettingsError(f"settings is {named!r}: give the path of a JSON file, like prod.json")
    try:
        given = json.loads((folder / named).read_bytes())
    except OSError as error:
        raise SettingsError(f"The settings file {named} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"The settings file {named} is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise SettingsError(f'The settings file {named} is not a JSON object, like {{"sendRate": 2}}')
    if faults := [_unknown(key) for key in given if key not in SETTINGS]:
        raise SettingsError("\n  ".join([f"The settings file {named} is wrong:", *faults]))
    return {key: value for key, value in context.items() if key not in SETTINGS} | given


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key, SETTINGS, n=1)
    return f"{key} is not a setting" + (f": do you mean {near[0]}?" if near else f" ({', '.join(SETTINGS)})")
