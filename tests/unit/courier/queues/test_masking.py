"""What may be printed of a Detail: nothing that could be the reply's own."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.dead_letter import MAX_DETAIL_CHARACTERS
from contract.reply import SCHEMA, InvalidReplyError, parse
from courier.queues.masking import MASK, MAX_CHARACTERS, masked
from tests.samples import ADDRESS, BODY, INSTANCE_ARN, NAME, SUBJECT, raw_message, reply

INVALID = "InvalidRequestException (400): "
ID = "2f31e353-54e7-4749-890e-5b7b09f3216f"


@pytest.mark.parametrize(
    ("detail", "printed"),
    [
        ("ResourceNotFoundException (404): Contact not found.", "ResourceNotFoundException (404): Contact not found."),
        (f"{INVALID}Contact {ID} was not found", f"{INVALID}Contact … was not found"),
        ("Last: ThrottlingException (429): ", "Last: ThrottlingException (429):"),
        ("Last: ReadTimeoutError: Read timeout on x", "Last: ReadTimeoutError: Read timeout on …"),
        ("Received 12 times without coming to an end: it may crash the function.", None),
        (f"Invalid email {ADDRESS} of {NAME}", "Invalid email …"),
        ("arn:aws:connect:eu-central-1:111122223333:instance/1 does not exist", "… does not exist"),
        ("Value at 'a' and \"b\" is not valid", "Value at … is not valid"),
        # The reply's own words that are known ones are lost among the others.
        (f"The reply {BODY} was refused", "The reply … and on again? was refused"),
        # AWS quotes the value first, whatever marks it holds, and then names the member.
        (
            f"{INVALID}Value 'Hi 'Ada' and email' at 'emailMessage.rawMessage.subject' failed to satisfy constraint: x",
            f"{INVALID}Value … at emailMessage.rawMessage.subject failed to satisfy constraint: …",
        ),
        ("Value 'It's not found", "Value …"),
        ("The contact doesn't exist", "The contact … exist"),
        ("Value “not found” \u00abemail\u00bb is", "Value … is"),
        ("Ada (404): not found", "… (N): not found"),
        ("", ""),
    ],
)
def test_only_known_words_outside_of_quotes_are_printed(detail: str, printed: str | None) -> None:
    assert masked(detail) == (re.sub(r"\d+", "N", detail) if printed is None else printed)


@pytest.mark.parametrize("text", [ADDRESS, NAME, SUBJECT, BODY, ID, "+49 170 1234567", "Zoë", "客户", "Rex O'Neill"])
@pytest.mark.parametrize(
    "template", ["{}", "Value '{}' at 'x'", 'The email "{}" failed', "The email {} failed", "({})"]
)
def test_nothing_of_a_reply_is_printed_however_it_is_quoted(text: str, template: str) -> None:
    printed = masked(INVALID + template.format(text))
    assert text not in printed
    for part in re.findall(r"[^\W\d_]{3,}|\d{3,}", text):
        assert part not in re.findall(r"[^\W\d_]+|\d+", printed.replace("(400)", "")) or part in {
            "not",
            "does",
            "and",
            "again",
        }


@given(st.text())
def test_any_text_becomes_short_printable_ascii_without_digits(detail: str) -> None:
    printed = masked(detail)
    assert len(printed) <= MAX_CHARACTERS
    assert re.fullmatch(r"[ -~…]*", printed)
    assert not re.search(r"\d", re.sub(r"^(?:Last: )?\w+ \(\d{3}\):", "", printed))


@given(st.text(st.sampled_from("ab' \"x")), st.text(st.sampled_from("ab' \"x")))
def test_what_is_quoted_never_matters(one: str, other: str) -> None:
    """Quoted words are masked even if they are known ones."""
    assert "email" not in masked(f"Value '{one} email {other}' at x")


def test_a_detail_that_was_cut_off_ends_in_its_quotation() -> None:
    cut = ("Value 'Ada's " + "email not found " * 200)[:MAX_DETAIL_CHARACTERS]
    assert masked(cut) == "Value …"


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(reply(ContactId="")),
        json.dumps(reply(DestinationEmailAddress={"EmailAddress": "ada"})),
        json.dumps(reply(AdditionalRecipients={"CcEmailAddresses": []})),
        '{"a": 1, "a": 2}',
        "[" * 100_000,
    ],
)
def test_the_functions_own_words_are_kept(body: str) -> None:
    with pytest.raises(InvalidReplyError) as invalid:
        parse(body, INSTANCE_ARN)
    assert MASK not in masked(str(invalid.value))[:-1]


def test_what_is_masked_before_it_is_printed_still_names_the_faulty_members() -> None:
    body = reply(ContactId=None, Subject="x", EmailMessage=raw_message(Subject="", ContentType="text/rtf"))
    body["AdditionalRecipients"] = {"CcEmailAddresses": []}
    with pytest.raises(InvalidReplyError) as invalid:
        parse(json.dumps(body), INSTANCE_ARN)
    errors = [error.partition(" (")[0] for error in invalid.value.errors]
    assert len(errors) == 5
    assert all(masked(error) == error for error in errors)


def test_the_contracts_members_are_known() -> None:
    for member in SCHEMA["properties"]:
        assert masked(f"Missing {member}") == f"Missing {member}"


@pytest.mark.parametrize("name", ["May", "Long", "Key", "Field"])
def test_a_known_word_that_is_a_surname_as_well_is_masked_where_it_is_written_as_one(name: str) -> None:
    assert name not in masked(f"InvalidRequestException (400): the recipient Mark {name} is not valid")
