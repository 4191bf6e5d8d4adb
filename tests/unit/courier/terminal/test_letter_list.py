"""The columns of `dlq list`."""

import pytest

from contract.dead_letter import REASON, Reason
from contract.message_attributes import string
from courier.queues.letter import Letter
from courier.terminal.letter_list import Row, letter_list


def test_the_contacts_stand_below_their_heading_whatever_the_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    body = '{"ContactId": "contact-1"}'
    rows = [Row.of(Letter("id", "receipt", body, {REASON: string(reason)}, 100)) for reason in Reason]
    letter_list(rows, 200, details=False)
    heading, *lines = capsys.readouterr().out.splitlines()[: len(rows) + 1]
    assert {line.index("contact-1") for line in lines} == {heading.index("CONTACT")}
