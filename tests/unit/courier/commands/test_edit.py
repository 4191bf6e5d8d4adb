from typing import Any

from courier.aws import Account, Queues
from courier.commands.edit import find_and_hold
from tests.fakes.queues import letters


def test_a_letter_that_is_edited_is_held_for_an_hour_and_the_others_are_given_back() -> None:
    queues = letters(3)
    hidden_for: dict[str, int] = {}

    def change_message_visibility(**request: Any) -> None:
        hidden_for[request["ReceiptHandle"]] = request["VisibilityTimeout"]

    queues.change_message_visibility = change_message_visibility  # type: ignore[attr-defined]  # for this command alone
    account = Account()
    account.__dict__.update(sqs=queues, queues=Queues("replies", "dead"))
    letter = find_and_hold(account, f"{1:036}")
    assert hidden_for == {letter.receipt_handle: 3_600}
    assert queues.hidden == {letter.id}
