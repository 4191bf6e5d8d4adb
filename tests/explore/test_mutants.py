"""A mutant replaces what it names, so a change that renames its target or a parameter is reported at once."""

import inspect
from collections.abc import Callable

import pytest

from tests.explore.mutants import MUTANTS, Mutant, named


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_replaces_its_target(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute = MUTANTS[name].place()
    original = vars(owner)[attribute]
    monkeypatch.setattr(owner, attribute, original)  # the test puts the original back
    MUTANTS[name].apply()
    replacement = vars(owner)[attribute]
    assert replacement != original
    if callable(original):
        _call_as(replacement, original)


def _call_as(replacement: Callable[..., object], original: Callable[..., object]) -> None:
    """Fail if the replacement doesn't take the original's arguments: any test would notice such a mutant."""
    parameters = inspect.signature(original).parameters.values()
    inspect.signature(replacement).bind(
        *(each.name for each in parameters if each.kind is not each.KEYWORD_ONLY),
        **{each.name: each for each in parameters if each.kind is each.KEYWORD_ONLY},
    )


@pytest.mark.parametrize("target", ["contract.nowhere:x", "contract.client_token:x", "handler.message:Message.x"])
def test_a_mutant_without_a_target_says_what_to_change(target: str) -> None:
    def lost(original: object) -> object:
        return original

    with pytest.raises(LookupError, match=f"{target} doesn't exist .* the mutant lost replaces it"):
        Mutant(target, "", lost).apply()


def test_a_mutant_of_a_parameter_that_is_gone_says_what_to_change() -> None:
    with pytest.raises(LookupError, match="has no parameter attributes, but a mutant changes it"):
        named("first_id_ignored").change(lambda message_id: message_id)


def test_an_unknown_name_of_a_mutant_is_an_error() -> None:
    with pytest.raises(LookupError, match="No mutant is named x"):
        named("x")
