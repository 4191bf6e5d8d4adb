import json
import tracemalloc
from typing import Any

import pytest

from contract.reply import InvalidReplyError, parse
from tests.samples import ADDRESS, INSTANCE_ARN, INSTANCE_ID, REGION, drafted, raw_message, reply, template_message

CC = [{"EmailAddress": f"cc{n}@customer.example"} for n in range(50)]


def parsed(body: str | dict[str, Any]) -> dict[str, Any]:
    return parse(body if isinstance(body, str) else json.dumps(body), INSTANCE_ARN)


def error_of(body: str | dict[str, Any]) -> str:
    with pytest.raises(InvalidReplyError) as error:
        parsed(body)
    return str(error.value)


def errors_of(body: dict[str, Any]) -> list[str]:
    """Each error without the description of the member."""
    with pytest.raises(InvalidReplyError) as error:
        parsed(body)
    return [each.partition(" (")[0] for each in error.value.errors]


@pytest.mark.parametrize(
    "sound",
    [
        reply(),
        drafted(),
        drafted(InitiationMethod="FLOW", RelatedContactId="inbound-1"),
        drafted(InitiationMethod="OUTBOUND", UserInfo={"UserId": "user-1"}),
        drafted(InitiationMethod="AGENT_REPLY", RelatedContactId="inbound-1", UserInfo={"UserId": "user-1"}),
        drafted(Attributes={"case-7_b": "\xe9" * 16_380}),
        reply(EmailMessage=raw_message(ContentType="text/html", Body="<p>Hello</p>")),
        reply(EmailMessage=template_message(TemplateAttributes={"CustomAttributes": {"case": "42"}})),
        reply(EmailMessage=template_message(TemplateAttributes={"CustomerProfileAttributes": "{}"})),
        reply(FromEmailAddress={"EmailAddress": "support@shop.example"}),
        reply(AdditionalRecipients={"CcEmailAddresses": CC[:49]}),
        reply(AdditionalRecipients={}),
        reply(ContactId="c" * 256),
        reply(EmailMessage=raw_message(Subject="\N{SNOWMAN}" * 998)),
        reply(EmailMessage=raw_message(Subject="tab\tand 'quotes' \"too\"")),
        reply(EmailMessage=raw_message(Body="lines\r\nand\ttabs\n" * 10_000)),
        reply(DestinationEmailAddress={"EmailAddress": "d\N{LATIN SMALL LETTER E WITH ACUTE}j\xe0@b\xfccher.example"}),
    ],
)
def test_a_sound_reply_passes_untouched(sound: dict[str, Any]) -> None:
    assert parsed(sound) == sound


@pytest.mark.parametrize("instance", [INSTANCE_ID, INSTANCE_ARN])
def test_the_stacks_own_instance_may_be_named_and_is_taken_out(instance: str) -> None:
    assert parsed(reply(InstanceId=instance)) == reply()


def test_another_instance_is_refused() -> None:
    assert "omit InstanceId" in error_of(reply(InstanceId="99999999-2222-3333-4444-555555555555"))


@pytest.mark.parametrize("part", [INSTANCE_ID[1:], INSTANCE_ID[:-1], INSTANCE_ARN[:-1], "instance", REGION, "1"])
def test_a_part_of_the_instances_name_is_another_instance(part: str) -> None:
    assert "omit InstanceId" in error_of(reply(InstanceId=part))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "is not JSON"),
        ("Hello", "is not JSON"),
        ('{"ContactId": "c"', "is not JSON"),
        ("\ufeff{}", "byte order mark; write UTF-8 without one"),
        ("[]", "reply must be an object, not a list"),
        ("null", "reply must be an object, not null"),
        ('"text"', "reply must be an object, not a string"),
        ("12", "reply must be an object, not a number"),
        ("true", "reply must be an object, not true or false"),
        ('{"a": "b', "Unterminated string starting at line 1, column 7"),
        ("{}", "ContactId"),
        ('{"ContactId": NaN}', "NaN is not JSON"),
        ('{"ContactId": -Infinity}', "-Infinity is not JSON"),
        ('{"ContactId": "a", "ContactId": "b"}', "names ContactId twice"),
        ('{"EmailMessage": {"ada@b.example": 1, "ada@b.example": 1}}', "names a member twice"),
        ('{"ContactId": "\\ud800"}', "half of a surrogate pair"),
        ('{"\\udfff": 1}', "half of a surrogate pair"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
        ('{"a":' * 900 + "1" + "}" * 900, "reply.CreateContact is missing"),
        ("9" * 5_000, "a number that is too long"),
        ('{"ContactId": "' + "c" * 1_048_000 + '"}', "reply.EmailMessage is missing"),
        (json.dumps(reply(ContactId="c" * 1_048_000)), "reply.ContactId is too long"),
    ],
    ids=lambda value: value[:40],
)
def test_what_is_no_reply_at_all_gets_a_clear_reason(body: str, error: str) -> None:
    assert error in error_of(body)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (reply(ContactId=None), "reply.CreateContact is missing"),
        (reply(CreateContact={}), "reply has both ContactId and CreateContact: keep one of them"),
        (drafted(UserInfo={"UserId": "u"}), "reply.CreateContact.UserInfo can't be used with InitiationMethod FLOW"),
        (
            drafted(InitiationMethod="FLOW", UserInfo={"UserId": "u"}),
            "reply.CreateContact.UserInfo can't be used with InitiationMethod FLOW",
        ),
        (drafted(InitiationMethod="OUTBOUND"), "reply.CreateContact.UserInfo is missing"),
        (drafted(InitiationMethod="OUTBOUND", UserInfo={}), "reply.CreateContact.UserInfo.UserId is missing"),
        (
            drafted(InitiationMethod="AGENT_REPLY", UserInfo={"UserId": "u"}),
            "reply.CreateContact.RelatedContactId is missing",
        ),
        (
            drafted(InitiationMethod="AGENT_REPLY", RelatedContactId="c"),
            "reply.CreateContact.UserInfo is missing",
        ),
        (
            drafted(InitiationMethod="API"),
            "reply.CreateContact.InitiationMethod must be FLOW or OUTBOUND or AGENT_REPLY",
        ),
        (drafted(RelatedContactId=""), "reply.CreateContact.RelatedContactId is empty"),
        (drafted(RelatedContactID="c"), "reply.CreateContact.RelatedContactID is not a member: did you mean"),
        (drafted(Channel="EMAIL"), "reply.CreateContact.Channel is not a member"),
        (drafted(Attributes={"a b": "c"}), "reply.CreateContact.Attributes has an invalid format"),
        (drafted(Attributes={"a": 1}), "reply.CreateContact.Attributes.a must be a string"),
        (
            drafted(Attributes={"a": "x" * 32_767, "b": "\xe9"}),
            "reply.CreateContact.Attributes has 32,771 bytes; Connect takes 32,768 in all",
        ),
        (drafted() | {"CreateContact": []}, "reply.CreateContact must be an object, not a list"),
        (reply(ContactId=""), "reply.ContactId is empty"),
        (reply(ContactId="c" * 257), "reply.ContactId is too long"),
        (reply(ContactId=7), "reply.ContactId must be a string, not a number"),
        (reply(Subject="x"), "Subject"),
        (reply(ClientToken="t"), "message attribute ClientToken"),
        (reply(DestinationEmailAddress=ADDRESS), "reply.DestinationEmailAddress must be an object"),
        (reply(DestinationEmailAddress={}), "reply.DestinationEmailAddress.EmailAddress is missing"),
        (reply(DestinationEmailAddress={"EmailAddress": "nobody"}), "reply.DestinationEmailAddress.EmailAddress"),
        (reply(DestinationEmailAddress={"EmailAddress": "a@b"}), "has an invalid format (one address"),
        (reply(DestinationEmailAddress={"EmailAddress": "a b@c.example"}), "has an invalid format"),
        (reply(DestinationEmailAddress={"EmailAddress": "a@b.example, c@d.example"}), "has an invalid format"),
        (reply(DestinationEmailAddress={"EmailAddress": "a@b.example\n"}), "has an invalid format"),
        (reply(DestinationEmailAddress={"EmailAddress": "a@" + "b" * 250 + ".example"}), "is too long"),
        (
            reply(DestinationEmailAddress={"EmailAddress": ADDRESS, "DisplayName": "a\r\nBcc: b@c.example"}),
            "line breaks",
        ),
        (reply(DestinationEmailAddress={"EmailAddress": ADDRESS, "DisplayName": "n" * 257}), "is too long"),
        (reply(DestinationEmailAddress={"EmailAddress": ADDRESS, "Name": "n"}), "Name"),
        (reply(FromEmailAddress={"EmailAddress": "a\r@b.example"}), "reply.FromEmailAddress.EmailAddress"),
        (reply(AdditionalRecipients={"CcEmailAddresses": CC}), "49 addresses"),
        (reply(AdditionalRecipients={"CcEmailAddresses": []}), "49 addresses"),
        (reply(AdditionalRecipients={"BccEmailAddresses": CC[:1]}), "BccEmailAddresses"),
        (reply(EmailMessage={}), "reply.EmailMessage.MessageSourceType is missing"),
        (reply(EmailMessage={"MessageSourceType": "RAW"}), "RawMessage"),
        (reply(EmailMessage={"MessageSourceType": "TEMPLATE"}), "TemplatedMessageConfig"),
        (reply(EmailMessage={"MessageSourceType": "raw"}), "RAW with a RawMessage"),
        (reply(EmailMessage=raw_message(Subject="")), "Subject is empty"),
        (reply(EmailMessage=raw_message(Subject="s" * 999)), "Subject is too long"),
        (reply(EmailMessage=raw_message(Subject="Hi\r\nBcc: x@y.example")), "line breaks"),
        (reply(EmailMessage=raw_message(Subject="Hi\n")), "line breaks"),
        (reply(EmailMessage=raw_message(Subject="Hi\u2028there")), "line breaks"),
        (reply(EmailMessage=raw_message(Subject="Hi\x00there")), "control characters"),
        (reply(EmailMessage=raw_message(Body="")), "Body is empty"),
        (reply(EmailMessage=raw_message(ContentType="text/markdown")), "text/plain or text/html"),
        (reply(EmailMessage=template_message(KnowledgeBaseId="")), "KnowledgeBaseId is empty"),
        (reply(EmailMessage=template_message(MessageTemplateId="m" * 501)), "MessageTemplateId is too long"),
        (reply(EmailMessage=template_message(TemplateAttributes={"CustomAttributes": {"n": 1}})), "must be a string"),
        (reply(EmailMessage=template_message(TemplateAttributes={"CustomAttributes": {"": "v"}})), "names of 1 to"),
    ],
    ids=lambda value: value if isinstance(value, str) else "reply",
)
def test_a_reply_that_breaks_the_contract_is_told_where_and_what_would_be_right(
    wrong: dict[str, Any], error: str
) -> None:
    assert error in error_of(wrong)


@pytest.mark.parametrize(
    ("large", "error"),
    [
        # Its pattern would take an hour; the run ends it long before.
        (reply(DestinationEmailAddress={"EmailAddress": "a@" + "." * 1_000_000 + "@"}), "EmailAddress is too long"),
        (reply(AdditionalRecipients={"CcEmailAddresses": [{}] * 300_000}), "49 addresses"),
        (reply(**{f"typo-{n}": 1 for n in range(50_000)}), "typo-"),
    ],
    ids=["a long address", "very many CC", "very many typos"],
)
def test_a_body_made_to_use_up_time_or_memory_gets_its_reason_like_any_other(large: dict[str, Any], error: str) -> None:
    body = json.dumps(large)
    tracemalloc.start()
    told = error_of(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert error in told
    assert peak < 100 * 2**20  # the function has 256 MiB in all


def test_every_error_is_named_at_once() -> None:
    wrong = reply(ContactId="", EmailMessage=raw_message(Subject="", ContentType="text/rtf"))
    assert [error.split(" ")[0] for error in errors_of(wrong)] == [
        "reply.ContactId",
        "reply.EmailMessage.RawMessage.Subject",
        "reply.EmailMessage.RawMessage.ContentType",
    ]


def test_one_of_some_is_named_without_pythons_list() -> None:
    message = raw_message(ContentType="text/rtf")
    assert errors_of(reply(EmailMessage=message)) == [
        "reply.EmailMessage.RawMessage.ContentType must be text/plain or text/html"
    ]


@pytest.mark.parametrize(("wrong", "right"), [("ContactID", "ContactId"), ("EmailMesage", "EmailMessage")])
def test_a_misspelt_member_is_one_error_that_names_the_right_one(wrong: str, right: str) -> None:
    body = reply()
    body[wrong] = body.pop(right)
    assert errors_of(body) == [f"reply.{wrong} is not a member: did you mean {right}?"]


def test_an_optional_member_that_is_misspelt_is_named_too() -> None:
    body = reply(FromEmailAdress={"EmailAddress": "a@b.example"})
    assert errors_of(body) == ["reply.FromEmailAdress is not a member: did you mean FromEmailAddress?"]


def test_members_that_are_missing_or_unknown_and_not_alike_are_named_one_by_one() -> None:
    body = reply(ContactId=None, EmailMessage=None, Colour="red", Size=5)
    assert errors_of(body) == [
        "reply.CreateContact is missing",
        "reply.EmailMessage is missing",
        "reply.Colour is not a member",
        "reply.Size is not a member",
    ]


def test_a_name_that_could_be_anybodys_is_not_named() -> None:
    body = reply(**{"ada@customer.example": 1, "Ada Lovelace": 2, "x" * 61: 3, "Colour": 4})
    assert errors_of(body) == ["reply.Colour is not a member", "reply.\u2026 is not a member"]


def test_of_very_many_unknown_members_the_first_are_named() -> None:
    found = errors_of(reply(**{f"typo-{n:03}": n for n in range(500)}))
    assert (len(found), found[-1]) == (20, "reply.\u2026 is not a member")
    assert len(errors_of(reply(**{f"typo-{n:03}": n for n in range(19)}))) == 19


def test_no_blind_copy_is_turned_into_one_that_all_see() -> None:
    body = reply(AdditionalRecipients={"BccEmailAddresses": [{"EmailAddress": "a@b.example"}]})
    assert errors_of(body) == ["reply.AdditionalRecipients.BccEmailAddresses is not a member"]
