from courier.aws import Account, Queues
from courier.commands.dlq.edit import find_and_hold
from tests.fakes.sqs import letters


def test_a_letter_that_is_edited_is_held_for_an_hour_and_the_others_are_given_back() -> None:
    queues = letters(3)
    account = Account()
    account.__dict__.update(sqs=queues, queues=Queues("replies", "dead"))
    letter = find_and_hold(account, f"{1:036}")
    assert queues.hidden_for == [3_600]
    assert queues.hidden == {letter.id}
