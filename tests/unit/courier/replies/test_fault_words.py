import json

import pytest

from courier.replies.fault_words import readable
from courier.replies.reply_faults import faults
from tests.samples import raw_message, reply


def test_one_of_some_is_told_without_pythons_list() -> None:
    (fault,) = faults(json.dumps(reply(EmailMessage=raw_message(ContentType="text/rtf"))))
    assert fault.startswith("reply.EmailMessage.RawMessage.ContentType must be text/plain or text/html")
    assert "[" not in fault


def test_a_misspelt_member_is_one_fault_that_names_the_right_one() -> None:
    body = reply(ContactID="c", ContactId=None)
    assert faults(json.dumps(body)) == ("reply.ContactID is not a member: did you mean ContactId?",)


def test_a_missing_and_an_unknown_member_that_are_not_alike_are_two_faults() -> None:
    found = faults(json.dumps(reply(ContactId=None, Colour="red")))
    assert [fault.split(" (")[0] for fault in found] == [
        "reply must contain ContactId",
        "reply must not contain Colour",
    ]


@pytest.mark.parametrize("fault", ["", "reply: is not JSON", "reply must be object", "x must contain ['a'"])
def test_every_other_sentence_stays_as_it_is(fault: str) -> None:
    assert readable([fault]) == [fault]
