"""The columns of `dlq list`."""

import pytest

from contract.dead_letter import REASON, Reason
from contract.message_attributes import string
from courier.dead_letters import Letter
from courier.output import printable
from courier.show import Row, show_letter_list


def test_what_others_wrote_cannot_control_the_terminal() -> None:
    assert printable("a\x1b[2J\x07b\nc\td\x9b\u202e") == "a\ufffd[2J\ufffdb\nc\td\ufffd\ufffd"


def test_the_contacts_stand_below_their_heading_whatever_the_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    body = '{"ContactId": "contact-1"}'
    rows = [Row.of(Letter("id", "receipt", body, {REASON: string(reason)}, 100)) for reason in Reason]
    show_letter_list(rows, 200, details=False)
    heading, *lines = capsys.readouterr().out.splitlines()[: len(rows) + 1]
    assert {line.index("contact-1") for line in lines} == {heading.index("CONTACT")}
