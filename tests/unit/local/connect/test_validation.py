import json
from typing import Any

import pytest

from local.connect.answer import Refused
from local.connect.validation import checked_creation, checked_sending, parsed
from tests.unit.local.connect.lab import outcome

ADDRESS = {"EmailAddress": "anna@example.com", "DisplayName": "Anna"}
RAW = {"Subject": "Hello", "Body": "Hello Anna", "ContentType": "text/plain"}
TEMPLATE = {"KnowledgeBaseId": "kb", "MessageTemplateId": "t", "TemplateAttributes": {"CustomAttributes": {"a": "b"}}}


def sending(**changes: Any) -> dict[str, Any]:
    return {
        "InstanceId": "i",
        "ContactId": "c",
        "DestinationEmailAddress": ADDRESS,
        "EmailMessage": {"MessageSourceType": "RAW", "RawMessage": RAW},
        **changes,
    }


def raw(**changes: Any) -> dict[str, Any]:
    return sending(EmailMessage={"MessageSourceType": "RAW", "RawMessage": {**RAW, **changes}})


def cc(count: int) -> dict[str, Any]:
    return sending(AdditionalRecipients={"CcEmailAddresses": [ADDRESS] * count})


def creation(**changes: Any) -> dict[str, Any]:
    return {"InstanceId": "i", "Channel": "EMAIL", "InitiationMethod": "FLOW", **changes}


@pytest.mark.parametrize(
    "request_",
    [
        sending(),
        sending(EmailMessage={"MessageSourceType": "TEMPLATE", "TemplatedMessageConfig": TEMPLATE}),
        sending(FromEmailAddress=ADDRESS, ClientToken="t" * 500),
        sending(ClientToken=None, AdditionalRecipients=None),
        cc(49),
        raw(Subject="s" * 998, Body="b" * 5_242_880, ContentType="text/html"),
    ],
)
def test_requests_at_the_limits_are_valid(request_: dict[str, Any]) -> None:
    assert checked_sending(request_) is request_


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (sending(ContactId=None), "'contactId'"),
        (sending(ContactId=7), "type string"),
        (sending(ContactId=True), "type string"),
        (sending(ContactId=""), "greater than or equal to 1"),
        (sending(ContactId="c" * 257), "less than or equal to 256"),
        (sending(ClientToken="t" * 501), "less than or equal to 500"),
        (sending(Contact="c"), "'contact' failed to satisfy constraint: Member is not known"),
        (sending(DestinationEmailAddress={"EmailAddress": "anna@example"}), "regular expression"),
        (sending(DestinationEmailAddress={"EmailAddress": "an na@example.com"}), "regular expression"),
        (sending(DestinationEmailAddress={**ADDRESS, "DisplayName": "x" * 257}), "less than or equal to 256"),
        (sending(DestinationEmailAddress=[]), "type structure"),
        (sending(EmailMessage={"MessageSourceType": "MIME", "RawMessage": RAW}), "enum value set"),
        (sending(EmailMessage={"MessageSourceType": "RAW", "TemplatedMessageConfig": TEMPLATE}), "rawMessage"),
        (sending(EmailMessage={"MessageSourceType": "TEMPLATE", "RawMessage": RAW}), "templatedMessageConfig"),
        (raw(Subject="s" * 999), "less than or equal to 998"),
        (raw(Body=""), "greater than or equal to 1"),
        (raw(Body="b" * 5_242_881), "less than or equal to 5242880"),
        (raw(ContentType="text/markdown"), "text/plain, text/html"),
        (cc(0), "greater than or equal to 1"),
        (cc(50), "less than or equal to 49"),
        (sending(AdditionalRecipients={"CcEmailAddresses": [ADDRESS, {}]}), "ccEmailAddresses.2.member.emailAddress"),
    ],
)
def test_a_refusal_names_the_member_and_the_constraint(request_: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused) as refused:
        checked_sending(request_)

    assert outcome(refused.value.answer) == (400, "InvalidRequestException")
    assert said in json.loads(refused.value.answer.body)["Message"]


def test_a_refusal_quotes_the_invalid_value_and_names_every_violation() -> None:
    with pytest.raises(Refused) as refused:
        checked_sending(raw(Subject="") | {"DestinationEmailAddress": {"EmailAddress": "not-an-address"}})

    message = json.loads(refused.value.answer.body)["Message"]
    assert "2 validation errors" in message
    assert "Value 'not-an-address' at 'destinationEmailAddress.emailAddress'" in message


def test_a_refusal_shortens_a_huge_value() -> None:
    with pytest.raises(Refused) as refused:
        checked_sending(raw(Body="b" * 5_242_881))

    assert len(refused.value.answer.body) < 2000


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"text"', b'{"a": NaN}', b"\xff{}", b"[" * 100_000 + b"]" * 100_000]
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        checked_sending(parsed(body))

    assert outcome(refused.value.answer) == (400, "SerializationException")


@pytest.mark.parametrize(
    "request_",
    [
        creation(),
        creation(ExpiryDurationInMinutes=1),
        creation(ExpiryDurationInMinutes=10_080),
        creation(InitiationMethod="AGENT_REPLY", UserInfo={"UserId": "u"}, RelatedContactId="c"),
    ],
)
def test_email_contacts_can_be_created(request_: dict[str, Any]) -> None:
    assert checked_creation(request_) is request_


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (creation(Channel="VOICE"), "channel"),
        (creation(InitiationMethod="API"), "initiationMethod"),
        (creation(InitiationMethod="OUTBOUND"), "userInfo"),
        (creation(InitiationMethod="AGENT_REPLY", UserInfo={"UserId": "u"}), "relatedContactId"),
        (creation(ExpiryDurationInMinutes=0), "between 1 and 10080"),
        (creation(ExpiryDurationInMinutes=10_081), "between 1 and 10080"),
        (creation(ExpiryDurationInMinutes=1.5), "type integer"),
    ],
)
def test_other_contacts_are_refused(request_: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused) as refused:
        checked_creation(request_)

    assert said in json.loads(refused.value.answer.body)["Message"]
