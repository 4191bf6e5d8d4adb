"""A letter is discarded only when it is on the disk."""

import json
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from courier.commands.dlq.discard import write_then_delete
from courier.queues.held_letters import HeldLetters
from tests.fakes.sqs import letters


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
    with path.open("wb") as binary, HeldLetters(queues, "dead", print) as held:  # type: ignore[arg-type]
        file = Watched(binary, encoding="ascii")
        file.steps = steps
        assert write_then_delete(held, file, list(held), "spam") == []
    assert steps == ["fsync", "delete"]
    assert not queues.queues["dead"]


def test_a_letter_that_an_import_could_not_bring_back_stays(tmp_path: Path) -> None:
    queues = letters(1)
    kept = queues.put("dead", "full", **{f"a{n}": "x" for n in range(10)})
    path = tmp_path / "discarded.jsonl"
    with path.open("w") as file, HeldLetters(queues, "dead", print) as held:  # type: ignore[arg-type]
        (not_done,) = write_then_delete(held, file, list(held), "spam")
    assert not_done.name == kept
    assert "no room" in not_done.why
    assert list(queues.queues["dead"]) == [kept]
    assert [json.loads(line)["body"] for line in path.read_text().splitlines()] == ["0"]
