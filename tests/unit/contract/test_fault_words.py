"""What is wrong with a reply, in words."""

import json
from typing import Any

import pytest

from contract.reply import InvalidReplyError, parse
from tests.samples import INSTANCE_ARN, raw_message, reply


def told(body: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidReplyError) as invalid:
        parse(json.dumps(body), INSTANCE_ARN)
    return [fault.partition(" (")[0] for fault in invalid.value.faults]


def test_one_of_some_is_told_without_pythons_list() -> None:
    message = raw_message(ContentType="text/rtf")
    assert told(reply(EmailMessage=message)) == [
        "reply.EmailMessage.RawMessage.ContentType must be text/plain or text/html"
    ]


@pytest.mark.parametrize(("wrong", "right"), [("ContactID", "ContactId"), ("EmailMesage", "EmailMessage")])
def test_a_misspelt_member_is_one_fault_that_names_the_right_one(wrong: str, right: str) -> None:
    body = reply()
    body[wrong] = body.pop(right)
    assert told(body) == [f"reply.{wrong} is not a member: did you mean {right}?"]


def test_an_optional_member_that_is_misspelt_is_told_too() -> None:
    body = reply(FromEmailAdress={"EmailAddress": "a@b.example"})
    assert told(body) == ["reply.FromEmailAdress is not a member: did you mean FromEmailAddress?"]


def test_members_that_are_missing_or_unknown_and_not_alike_are_named_one_by_one() -> None:
    body = reply(ContactId=None, EmailMessage=None, Colour="red", Size=5)
    assert told(body) == [
        "reply.ContactId is missing",
        "reply.EmailMessage is missing",
        "reply.Colour is not a member",
        "reply.Size is not a member",
    ]


def test_a_name_that_could_be_anybodys_is_not_told() -> None:
    body = reply(**{"ada@customer.example": 1, "Ada Lovelace": 2, "x" * 61: 3, "Colour": 4})
    assert told(body) == ["reply.Colour is not a member", "reply.\u2026 is not a member"]


def test_of_very_many_unknown_members_the_first_are_told() -> None:
    found = told(reply(**{f"typo-{n:03}": n for n in range(500)}))
    assert (len(found), found[-1]) == (20, "reply.\u2026 is not a member")
    assert len(told(reply(**{f"typo-{n:03}": n for n in range(19)}))) == 19


def test_no_blind_copy_is_turned_into_one_that_all_see() -> None:
    body = reply(AdditionalRecipients={"BccEmailAddresses": [{"EmailAddress": "a@b.example"}]})
    assert told(body) == ["reply.AdditionalRecipients.BccEmailAddresses is not a member"]
