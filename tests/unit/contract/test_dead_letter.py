import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.dead_letter import DoesNotFitError, Reason, dead_letter_attributes, has_room
from contract.message_attributes import MAX_ATTRIBUTES, MAX_BYTES, message_bytes, xml_characters
from handler.message import Message
from handler.verdict import DeadLetter
from tests.samples import record, string_attribute

REFUSED = DeadLetter(Reason.NOT_FOUND, "ResourceNotFoundException (404): Contact not found")
NOW = "2027-01-15T08:00:00.500+00:00"


def message(body: str = "{}", **attributes: Any) -> Message:
    return Message.from_record(record(body, message_id="id-1", **attributes))


def attributes_of(given: Message, verdict: DeadLetter = REFUSED) -> dict[str, Any]:
    return dict(
        dead_letter_attributes(
            given.id,
            given.body,
            given.attributes,
            reason=verdict.reason,
            detail=verdict.detail,
            dead_lettered_at=NOW,
        )
    )


def fits(body: str) -> bool:
    return has_room("id-1", body, {})


def values(given: Message, verdict: DeadLetter = REFUSED) -> dict[str, Any]:
    attributes = attributes_of(given, verdict)
    return {name: value.get("StringValue", value.get("BinaryValue")) for name, value in attributes.items()}


def test_a_dead_letter_carries_its_token_reason_detail_and_time() -> None:
    assert values(message()) == {
        "ClientToken": "id-1",
        "Reason": "NotFound",
        "Detail": "ResourceNotFoundException (404): Contact not found",
        "DeadLetteredAt": "2027-01-15T08:00:00.500+00:00",
    }


def test_the_messages_own_attributes_travel_with_it() -> None:
    blob = {"binaryValue": base64.b64encode(b"\x00\xff").decode(), "dataType": "Binary.blob", "stringValue": None}
    carried = attributes_of(message(case="7", blob=blob))
    assert carried["case"] == {"DataType": "String", "StringValue": "7"}
    assert carried["blob"] == {"DataType": "Binary.blob", "BinaryValue": b"\x00\xff"}


def test_a_second_dead_lettering_keeps_the_first_token_and_tells_the_latest_reason() -> None:
    again = values(message(ClientToken="first-id", Reason="Refused", Detail="old", DeadLetteredAt="2020"))
    assert again["ClientToken"] == "first-id"
    assert again["Reason"] == "NotFound"
    assert again["DeadLetteredAt"].startswith("2027")


@pytest.mark.parametrize(
    "attribute",
    [
        string_attribute("t" * 501),
        string_attribute("7") | {"dataType": "Number"},
        {"binaryValue": "dA==", "dataType": "Binary"},
    ],
)
def test_an_attribute_that_is_not_a_token_stays_for_a_person_to_see(attribute: dict[str, Any]) -> None:
    carried = attributes_of(message(ClientToken=attribute))["ClientToken"]
    assert carried["DataType"] == attribute["dataType"]


def test_ten_attributes_make_room_for_token_reason_and_detail_which_names_what_was_left_out() -> None:
    carried = values(message(**{f"a{n}": "x" for n in range(10)}))
    assert len(carried) == 10
    assert carried["ClientToken"] == "id-1"
    assert carried["Reason"] == "NotFound"
    assert "Left out, because SQS's limits leave no room: a7, a8, a9." in carried["Detail"]
    assert "Contact not found" in carried["Detail"]


@pytest.mark.parametrize(("own", "ours"), [(6, 4), (7, 3), (8, 2)])
def test_detail_and_time_stay_away_before_any_attribute_of_the_messages_own_does(own: int, ours: int) -> None:
    carried = values(message(**{f"a{n}": "x" for n in range(own)}))
    assert len(carried) == own + ours
    assert {f"a{n}" for n in range(own)} <= carried.keys()


def test_a_body_just_below_the_limit_keeps_token_and_reason() -> None:
    token_and_reason = len("ClientTokenStringid-1") + len("ReasonStringNotFound")
    assert values(message("x" * (MAX_BYTES - token_and_reason))) == {"ClientToken": "id-1", "Reason": "NotFound"}


def test_bytes_count_and_not_characters() -> None:
    snowmen = MAX_BYTES // 3  # three bytes each, so that one byte is left
    assert fits("\N{SNOWMAN}" * (snowmen - 100))
    assert not fits("\N{SNOWMAN}" * snowmen)
    with pytest.raises(DoesNotFitError):
        values(message("\N{SNOWMAN}" * snowmen))


def test_a_body_that_leaves_no_room_is_left_to_sqs() -> None:
    with pytest.raises(DoesNotFitError):
        values(message("x" * MAX_BYTES))


def test_detail_holds_only_what_sqs_takes() -> None:
    detail = values(message(), DeadLetter(Reason.INVALID_REPLY, "\x00\ud800\ufffe ok \U0001f600\n" + "x" * 5000))[
        "Detail"
    ]
    assert detail.startswith("\ufffd\ufffd\ufffd ok \U0001f600\n")
    assert len(detail) == 2000


@given(st.text())
def test_every_text_becomes_one_that_xml_takes(text: str) -> None:
    cleaned = xml_characters(text)
    assert len(cleaned) == len(text)
    assert not any(c < " " and c not in "\t\n\r" for c in cleaned)


@given(
    st.integers(0, MAX_BYTES),
    st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L"]), min_size=1), st.text(min_size=1), max_size=10
    ),
    st.text(min_size=1, max_size=3000),
)
def test_whatever_comes_stays_inside_sqs_limits_and_keeps_token_and_reason(
    length: int, own: dict[str, str], detail: str
) -> None:
    own = {f"own-{name}": value for name, value in own.items()}
    letter = message("x" * length, **own)
    try:
        carried = attributes_of(letter, DeadLetter(Reason.INVALID_REPLY, detail))
    except DoesNotFitError:
        assert length + len("ClientTokenStringid-1ReasonStringInvalidReply") > MAX_BYTES
        return
    assert len(carried) <= MAX_ATTRIBUTES
    assert message_bytes(letter.body, carried) <= MAX_BYTES
    assert carried["ClientToken"]["StringValue"] == "id-1"
    assert carried["Reason"]["StringValue"] == "InvalidReply"
