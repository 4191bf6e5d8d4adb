import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.dead_letter import (
    DoesNotFitError,
    Reason,
    dead_letter_attributes,
    has_room,
    renewed_attributes,
    resent_attributes,
)
from contract.message_attributes import MAX_ATTRIBUTES, MAX_BYTES, message_bytes, replace_invalid_characters, string
from handler.message import Message
from handler.verdict import DeadLetter
from tests.samples import record, short_names, string_attribute

REFUSED = DeadLetter(Reason.NOT_FOUND, "ResourceNotFoundException (404): Contact not found")
TRIED = "2027-01-15T08:00:00.500+00:00"


def message(body: str = "{}", **attributes: Any) -> Message:
    return Message.from_record(record(body, message_id="id-1", **attributes))


def attributes_of(given: Message, verdict: DeadLetter = REFUSED, tried: str | None = None) -> dict[str, Any]:
    return dict(
        dead_letter_attributes(
            given.id,
            given.body,
            given.attributes,
            reason=verdict.reason,
            detail=verdict.detail,
            first_tried_at=tried,
        )
    )


def fits(body: str) -> bool:
    return has_room("id-1", body, {}, TRIED)


def texts(attributes: dict[str, Any]) -> dict[str, Any]:
    return short_names({name: value.get("StringValue", value.get("BinaryValue")) for name, value in attributes.items()})


def values(given: Message, verdict: DeadLetter = REFUSED, tried: str | None = None) -> dict[str, Any]:
    return texts(attributes_of(given, verdict, tried))


def test_a_dead_letter_carries_its_first_id_reason_detail_and_first_try() -> None:
    told = {"MessageId": "id-1", "Reason": "NotFound", "Detail": "ResourceNotFoundException (404): Contact not found"}
    assert values(message(), tried=TRIED) == {**told, "FirstTriedAt": TRIED}
    assert values(message()) == told


def test_the_messages_own_attributes_travel_with_it() -> None:
    blob = {"binaryValue": base64.b64encode(b"\x00\xff").decode(), "dataType": "Binary.blob", "stringValue": None}
    carried = attributes_of(message(case="7", blob=blob))
    assert carried["case"] == {"DataType": "String", "StringValue": "7"}
    assert carried["blob"] == {"DataType": "Binary.blob", "BinaryValue": b"\x00\xff"}


def test_a_second_dead_lettering_keeps_id_and_first_try_has_the_latest_reason_and_no_old_force() -> None:
    before = message(MessageId="first", Reason="Refused", Detail="old", FirstTriedAt="2020", ForcedAt="2021")
    again = values(before, tried=TRIED)
    assert (again["MessageId"], again["FirstTriedAt"], again["Reason"]) == ("first", "2020", "NotFound")
    assert "ForcedAt" not in again
    assert "old" not in again["Detail"]


def test_a_producers_own_reason_and_detail_stay_beside_ours() -> None:
    given = message()
    own = {"Reason": string("mine"), "Detail": string("too"), "ClientToken": string("t")}
    attributes = dict(dead_letter_attributes(given.id, "{}", own, reason="NotFound", detail="d", first_tried_at=None))
    assert own.items() <= attributes.items()
    assert attributes["ReplyCourier.Reason"] == string("NotFound")


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


def test_ten_attributes_make_room_for_ours_and_detail_which_names_what_was_left_out() -> None:
    own = {f"a{n}": "x" for n in range(8)}
    carried = values(message(ClientToken="t", ExtendedPayloadSize="7", **own), tried=TRIED)
    assert len(carried) == 10
    assert (carried["ClientToken"], carried["ExtendedPayloadSize"], carried["MessageId"]) == ("t", "7", "id-1")
    assert (carried["Reason"], carried["FirstTriedAt"]) == ("NotFound", TRIED)
    assert "Dropped to fit SQS's limits: a4, a5, a6, a7." in carried["Detail"]
    assert "Contact not found" in carried["Detail"]


@pytest.mark.parametrize(("own", "ours"), [(6, 4), (7, 3)])
def test_detail_stays_away_before_any_attribute_of_the_messages_own_does(own: int, ours: int) -> None:
    carried = values(message(**{f"a{n}": "x" for n in range(own)}), tried=TRIED)
    assert len(carried) == own + ours
    assert {f"a{n}" for n in range(own)} <= carried.keys()


def test_a_body_just_below_the_limit_keeps_id_and_reason() -> None:
    required = len("ReplyCourier.MessageIdStringid-1") + len("ReplyCourier.ReasonStringNotFound")
    assert values(message("x" * (MAX_BYTES - required))) == {"MessageId": "id-1", "Reason": "NotFound"}


def test_sent_again_a_letter_keeps_its_token_and_first_try_and_leaves_the_reason_behind() -> None:
    given = message(MessageId="first", FirstTriedAt=TRIED, Reason="Refused", Detail="d", ForcedAt="2021", own="x")
    kept = {"MessageId": "first", "FirstTriedAt": TRIED, "own": "x"}
    again = resent_attributes("id-2", "{}", given.attributes, first_tried_at="later")
    assert texts(again) == kept


def test_renewed_a_letter_keeps_all_it_has_and_gets_its_first_id() -> None:
    given = message(Reason="Refused", Detail="d", ClientToken="t", own="x").attributes
    assert renewed_attributes("id-1", "{}", given, first_tried_at=TRIED) == {
        **given,
        "ReplyCourier.MessageId": string("id-1"),
        "ReplyCourier.FirstTriedAt": string(TRIED),
    }
    with pytest.raises(DoesNotFitError):
        renewed_attributes("id-1", "{}", {f"a{n}": string("x") for n in range(10)}, first_tried_at=None)


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
    cleaned = replace_invalid_characters(text)
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
        carried = attributes_of(letter, DeadLetter(Reason.INVALID_REPLY, detail), TRIED)
    except DoesNotFitError:
        assert not has_room(letter.id, letter.body, letter.attributes, TRIED)
        return
    assert len(carried) <= MAX_ATTRIBUTES
    assert message_bytes(letter.body, carried) <= MAX_BYTES
    assert texts(carried).items() >= {"MessageId": "id-1", "Reason": "InvalidReply", "FirstTriedAt": TRIED}.items()
