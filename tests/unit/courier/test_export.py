"""A letter is discarded only when it is on the disk."""

import json
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.client_token import FIRST_TRIED_AT, MESSAGE_ID, iso
from contract.dead_letter import REASON
from contract.message_attributes import string
from courier.dead_letters import DeadLetterReader, Letter
from courier.export import ImportLineError, letter_json, parse_exported, summary_json, write_then_delete
from courier.output import json_line
from tests.fakes.sqs import letters
from tests.letters import NAMES, NOW, TEXTS, VALUES, letter
from tests.samples import PERSONAL, reply


@given(TEXTS, st.dictionaries(NAMES, VALUES, max_size=5), st.booleans())
def test_an_export_comes_back_bit_for_bit_under_the_token_it_had(
    body: str, own: dict[str, Any], is_explained: bool
) -> None:
    ours = {REASON: string("NotFound"), MESSAGE_ID: string("first")} if is_explained else {}
    one = Letter("id-1", "handle", body, own | ours, NOW, {"MessageGroupId": "g", "AWSTraceHeader": "Root=1"})
    text = json_line(letter_json(one))
    assert text.isascii()
    assert "\n" not in text
    back = parse_exported(text.encode())
    assert (back.body, back.system_attributes) == (body, one.system_attributes)
    moved = {MESSAGE_ID: string("id-1"), FIRST_TRIED_AT: string(iso(NOW))}
    assert back.attributes == own | (ours or moved)


@pytest.mark.parametrize(
    "text",
    [
        b"{}", b"[]", b"1", b"{", b"\xff", b'{"id": "", "body": "b", "attributes": {}}',
        b'{"id": "i", "body": "", "attributes": {}}', b'{"id": "i", "body": "b", "attributes": []}',
        b'{"id": "i", "body": "b", "attributes": {"a": 1}}',
        b'{"id": "i", "body": "b", "attributes": {"a": {"DataType": "Binary", "BinaryValue": "?"}}}',
        b'{"id": "i", "body": "\\ud800", "attributes": {}}',
        b'{"id": "i", "body": "b", "attributes": {}, "system_attributes": 1}',
        b'{"id": "i", "body": "b", "attributes": {}, "system_attributes": {"MessageGroupId": ["n@c.example"]}}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_not_an_export_is_told_and_not_quoted(text: bytes) -> None:
    with pytest.raises(ImportLineError) as told:
        parse_exported(text)
    assert len(str(told.value)) < 100


def test_a_list_shows_identifiers_and_nothing_else_of_a_reply() -> None:
    one = letter(
        json.dumps(reply(ContactId="ada@customer.example")), ClientToken="ada@customer.example", Reason="\x1b[2J"
    )
    form = summary_json(one)
    assert (form["contact_id"], form["client_token"], form["reason"]) == (None, None, None)
    assert not any(
        text in json_line(summary_json(letter(json.dumps(reply()), Reason="NotFound", Detail="d"))) for text in PERSONAL
    )


def test_a_letter_that_has_no_room_for_its_token_is_not_imported_under_another_one() -> None:
    ten = {f"a{n}": string("x") for n in range(10)}
    with pytest.raises(ImportLineError, match="no room for its token"):
        parse_exported(json_line(letter_json(Letter("id-1", "handle", "b", ten, NOW))).encode())


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00", "\x1b[2J", "now"])
def test_a_time_of_any_kind_is_shown_or_left_out(time: str) -> None:
    assert json_line(letter_json(letter(FirstTriedAt=time, Reason="NotFound")))


def test_a_letter_that_sqs_moved_later_is_imported_without_its_earlier_reason() -> None:
    moved = Letter("id-1", "handle", "b", {REASON: string("NotFound")}, NOW, was_moved=True)
    back = parse_exported(json_line(letter_json(moved)).encode())
    assert back.attributes.keys() == {MESSAGE_ID, FIRST_TRIED_AT}


class Watched(TextIOWrapper):
    """A real file that notes when its number is asked for, as fsync does."""

    steps: list[str]

    def fileno(self) -> int:
        self.steps.append("fsync")
        return super().fileno()


def test_letters_are_written_flushed_and_synced_before_they_are_deleted(tmp_path: Path) -> None:
    path = tmp_path / "discarded.jsonl"
    queues = letters(3)
    steps: list[str] = []
    delete = queues.delete_message_batch

    def delete_message_batch(**request: Any) -> Any:
        steps.append("delete")
        written = [json.loads(line)["body"] for line in path.read_text().splitlines()]
        assert sorted(written) == ["0", "1", "2"], "not all of them are in the file"
        return delete(**request)

    queues.delete_message_batch = delete_message_batch  # type: ignore[method-assign]
    with path.open("wb") as binary, DeadLetterReader(queues, "dead") as held:  # type: ignore[arg-type]
        file = Watched(binary, encoding="ascii")
        file.steps = steps
        assert write_then_delete(held, file, list(held), "spam") == []
    assert steps == ["fsync", "delete"]
    assert not queues.queues["dead"]


def test_a_letter_that_an_import_could_not_bring_back_stays(tmp_path: Path) -> None:
    queues = letters(1)
    kept = queues.put("dead", "full", **{f"a{n}": "x" for n in range(10)})
    path = tmp_path / "discarded.jsonl"
    with path.open("w") as file, DeadLetterReader(queues, "dead") as held:  # type: ignore[arg-type]
        (failures,) = write_then_delete(held, file, list(held), "spam")
    assert failures.name == kept
    assert "no room" in failures.why
    assert list(queues.queues["dead"]) == [kept]
    assert [json.loads(line)["body"] for line in path.read_text().splitlines()] == ["0"]
