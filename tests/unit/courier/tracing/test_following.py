"""From one name of a reply to all of it."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from courier.tracing.following import follow
from courier.tracing.letter_now import LetterNow
from courier.tracing.log_line import LogLine
from tests.letters import NOW


class Log:
    """Finds lines as the search does, and notes what it was asked."""

    def __init__(self, *lines: LogLine) -> None:
        self.lines = lines
        self.asked: list[set[str]] = []

    def search(self, names: AbstractSet[str]) -> Iterable[LogLine]:
        self.asked.append(set(names))
        return [line for line in self.lines if {line.token, line.message_id, line.contact_id} & names]


def line(message_id: str, token: str | None, contact_id: str | None = None) -> LogLine:
    return LogLine(NOW, "reply_retried", message_id, token, 1, contact_id=contact_id)


def letter(letter_id: str, token: str | None, contact_id: str | None, first_id: str) -> LetterNow:
    return LetterNow(letter_id, token, contact_id, first_id, "NotFound", NOW)


def test_a_replays_message_leads_to_the_first_one_by_their_token() -> None:
    log = Log(line("m-1", "t-1"), line("m-2", "t-1"), line("m-3", "t-3"))
    lines, _ = follow("m-2", [], log.search)
    assert {each.message_id for each in lines} == {"m-1", "m-2"}
    assert log.asked == [{"m-2"}, {"t-1"}]


def test_a_token_needs_one_search() -> None:
    log = Log(line("m-1", "t-1"), line("m-2", "t-1"))
    follow("t-1", [], log.search)
    assert log.asked == [{"t-1"}]


def test_a_contact_leads_to_its_replies_but_a_reply_not_to_its_contacts_other_ones() -> None:
    log = Log(line("m-1", "t-1", "c-1"), line("m-2", "t-2", "c-1"), line("m-3", "t-1"))
    assert {each.message_id for each in follow("c-1", [], log.search)[0]} == {"m-1", "m-2", "m-3"}
    assert {each.message_id for each in follow("t-1", [], log.search)[0]} == {"m-1", "m-3"}


def test_letters_lead_to_lines_and_lines_to_letters() -> None:
    letters = [
        letter("l-1", "t-1", "c-1", "m-1"),
        letter("l-2", "t-1", "c-9", "m-2"),
        letter("l-3", "t-3", "c-3", "m-3"),
    ]
    log = Log(line("m-1", "t-1"), line("m-2", "t-1"))
    for name in ("l-1", "t-1", "c-1", "m-1", "m-2"):
        lines, ours = follow(name, letters, log.search)
        assert {each.message_id for each in lines} == {"m-1", "m-2"}
        assert {each.id for each in ours} == {"l-1", "l-2"}


def test_a_message_whose_token_is_withheld_is_followed_by_its_id() -> None:
    log = Log(line("m-1", None, "c-1"), line("m-1", None), line("m-2", None))
    lines, _ = follow("c-1", [], log.search)
    assert lines == {log.lines[0], log.lines[1]}
