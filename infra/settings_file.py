"""Settings from a file of their own, for whoever has several stacks: `-c settings=prod.json`."""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path

from infra.settings import SETTINGS, SettingsError


def with_file(context: Mapping[str, object], folder: Path) -> Mapping[str, object]:
    """Give the context with the settings of the file that its key `settings` names, and no others of ours.

    A stack must not get another one's setting by accident, so what the file leaves out has its default, whatever
    cdk.json says. CDK's own keys, which begin with `@aws-cdk/`, may be in the file as well.

    Args:
        context: CDK context.
        folder: Where cdk.json is, and what the file's path starts from.

    Raises:
        SettingsError: The file cannot be read, is not a JSON object, or has a key that is not a setting; or a setting
            was given with `-c` beside it.
    """
    named = context.get("settings")
    if named is None:
        return context
    if not isinstance(named, str):
        raise SettingsError(f"settings is {named!r}: give the path of a JSON file, like prod.json")
    given = _read(named, folder)
    faults = [_unknown(key) for key in given if key not in SETTINGS and not key.startswith("@aws-cdk/")]
    of_cdk_json = _context_of_cdk_json(folder)
    faults += [
        f"-c {name} is given beside it: write {name} into the file"
        for name in SETTINGS
        if name in context and context[name] != of_cdk_json.get(name)
    ]
    if faults:
        raise SettingsError("\n  ".join([f"The settings file {named} is wrong:", *faults]))
    return {key: value for key, value in context.items() if key not in SETTINGS} | given


def _read(named: str, folder: Path) -> dict[str, object]:
    try:
        given = json.loads((folder / named).read_bytes(), object_pairs_hook=_no_duplicates)
    except OSError as error:
        raise SettingsError(f"The settings file {named} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"The settings file {named} is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise SettingsError(f'The settings file {named} is not a JSON object, like {{"sendRate": 2}}')
    return given


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is there twice")
    return members


def _context_of_cdk_json(folder: Path) -> Mapping[str, object]:
    """What the context has where nothing was given with `-c`."""
    try:
        context: Mapping[str, object] = json.loads((folder / "cdk.json").read_bytes()).get("context", {})
    except FileNotFoundError:
        return {}
    return context


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key, SETTINGS, n=1)
    right = f": do you mean {near[0]}?" if near else f" ({', '.join(SETTINGS)}), nor one of CDK's (@aws-cdk/…)"
    return f"{json.dumps(key)[1:-1]} is not a setting{right}"
