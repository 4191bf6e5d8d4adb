import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from contract.reply import ALL_ERRORS_MAX_CHARACTERS, SCHEMA
from courier.reply_files import LONGEST_PATTERN_TEXT, MAX_ERRORS, Entry, read_replies, reply_errors
from tests.samples import drafted, raw_message, reply, template_message


def test_every_fault_is_told_by_path_also_of_a_long_reply() -> None:
    wrong = reply(ContactId="", Subjekt="x", EmailMessage=raw_message(Subject="a\nb", ContentType="text/rtf"))
    short_ones = reply_errors(json.dumps(wrong))
    wrong["EmailMessage"]["RawMessage"]["Body"] = "b" * ALL_ERRORS_MAX_CHARACTERS
    assert reply_errors(json.dumps(wrong)) == short_ones
    for path in ("reply.ContactId", "Subjekt", "RawMessage.Subject has", "RawMessage.ContentType"):
        assert any(path in fault for fault in short_ones), path


def test_both_forms_of_a_reply_are_checked_as_the_function_checks_them() -> None:
    assert reply_errors(json.dumps(drafted(RelatedContactId="inbound-1"))) == ()
    for wrong, words in (
        (reply(CreateContact={}), "both ContactId and CreateContact"),
        (reply(ContactId=None), "reply.CreateContact is missing"),
        (drafted(UserInfo={"UserId": "u"}), "UserInfo can't be used with InitiationMethod FLOW"),
        (drafted(Attributes={"a": "x" * 32_767, "b": "yz"}), "Attributes has 32,771 bytes"),
    ):
        wrong["EmailMessage"]["RawMessage"]["Body"] = "b" * ALL_ERRORS_MAX_CHARACTERS
        (error,) = reply_errors(json.dumps(wrong))
        assert words in error


def test_a_long_text_with_a_pattern_does_not_take_the_square_of_its_length() -> None:
    wrong = reply(DestinationEmailAddress={"EmailAddress": "a@" + "." * 1_000_000 + " "})
    assert any("EmailAddress" in fault for fault in reply_errors(json.dumps(wrong)))


def test_of_very_many_faults_the_first_are_told_and_none_twice() -> None:
    told = reply_errors(json.dumps(reply(AdditionalRecipients={"CcEmailAddresses": [1] * 2_000})))
    assert (len(told), told[-1]) == (MAX_ERRORS + 1, f"reply: {2_001 - MAX_ERRORS:,} more errors")
    names = {f"Nora Lind {n}": 1 for n in range(MAX_ERRORS)}
    (one,) = reply_errors(
        json.dumps(reply(EmailMessage=template_message(TemplateAttributes={"CustomAttributes": names})))
    )
    assert "Nora" not in one


def test_a_member_without_a_visible_name_hides_no_other_words() -> None:
    names = {" ": 1}
    (fault,) = reply_errors(
        json.dumps(reply(EmailMessage=template_message(TemplateAttributes={"CustomAttributes": names})))
    )
    assert "must be a string" in fault


@pytest.mark.parametrize(
    "body", ["", "{", "[" * 100_000, "NaN", "[]", '{"a": 1, "a": 2}' + " " * ALL_ERRORS_MAX_CHARACTERS]
)
def test_what_is_not_a_reply_is_told_too(body: str) -> None:
    assert reply_errors(body)


def test_a_sound_reply_has_no_faults_whichever_instance_it_names() -> None:
    assert reply_errors(json.dumps(reply())) == ()
    assert reply_errors(json.dumps(reply(InstanceId="11111111-2222-3333-4444-555555555555"))) == ()


def limits_of_patterns(schema: Any) -> Iterator[int]:
    """The longest text of each pattern; names of members are never cut."""
    parts = [part for name, part in schema.items() if name != "propertyNames"] if isinstance(schema, dict) else schema
    for each in parts if isinstance(parts, list) else ():
        yield from limits_of_patterns(each)
    if isinstance(schema, dict) and "pattern" in schema and isinstance(schema["pattern"], str):
        yield schema["maxLength"]


def test_a_text_is_cut_beyond_every_limit_of_a_text_with_a_pattern() -> None:
    assert max(limits_of_patterns(SCHEMA)) < LONGEST_PATTERN_TEXT  # or it would hide a fault


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", [(1, "")]),
        (b'{"a": 1}', [(1, '{"a": 1}')]),
        (b'{\n "a": [\n  {}\n ]\n}\n', [(1, '{\n "a": [\n  {}\n ]\n}\n')]),
        (b'{"a": 1}\n\n{"b": 2}\n', [(1, '{"a": 1}'), (3, '{"b": 2}')]),
        (b'{"a": \n{"b": 2}', [(1, '{"a":'), (2, '{"b": 2}')]),
        (b'{"a": 1}\n{"b": \xff}\n', [(1, '{"a": 1}'), (2, None)]),
        (b"{\n nonsense\n}", [(1, "{\n nonsense\n}")]),
    ],
)
def test_a_file_is_one_document_or_json_lines(content: bytes, found: list[tuple[int, str | None]]) -> None:
    assert list(read_replies(io.BytesIO(content))) == [Entry(*each) for each in found]
