from typing import Any

import pytest

from contract.recipients import first_disallowed_recipient

ALLOWED = ("*@example.com", "ada@example.org")


def reply_to(address: str, *copied: str) -> dict[str, Any]:
    cc = {"CcEmailAddresses": [{"EmailAddress": each} for each in copied]}
    return {"DestinationEmailAddress": {"EmailAddress": address}} | ({"AdditionalRecipients": cc} if copied else {})


@pytest.mark.parametrize("address", ["bob@example.com", "Bob@Example.COM", "ada@example.org", "ADA@example.org"])
def test_who_is_named_or_fits_a_pattern_is_allowed_whatever_the_case(address: str) -> None:
    assert first_disallowed_recipient(reply_to(address, address), ALLOWED) is None


@pytest.mark.parametrize(
    "address",
    [
        "bob@example.org",
        "ada@example.org.evil.example",
        "bob@example.com.evil.example",
        "bob@sub.example.com",
        "b@xexample.com",
    ],
)
def test_nobody_else_is(address: str) -> None:
    assert first_disallowed_recipient(reply_to(address), ALLOWED) == "reply.DestinationEmailAddress"


def test_copies_count_and_the_path_names_the_first() -> None:
    reply = reply_to("bob@example.com", "eve@example.com", "eve@elsewhere.example", "mallory@elsewhere.example")
    assert first_disallowed_recipient(reply, ALLOWED) == "reply.AdditionalRecipients.CcEmailAddresses[1]"


def test_without_patterns_all_are_allowed() -> None:
    assert first_disallowed_recipient(reply_to("eve@elsewhere.example"), ()) is None
