"""What a status says of the dead letters."""

from types import SimpleNamespace
from typing import Any

import pytest

from courier.status import read_status
from tests.fakes.sqs import FakeSqs, letters
from tests.letters import account_on

SENT = 1_800_000_000
DAY = 86_400


def account(queues: FakeSqs) -> Any:
    cloudwatch = SimpleNamespace(get_metric_statistics=lambda **_: {"Datapoints": []})
    account = account_on(queues)
    account.__dict__.update(cloudwatch=cloudwatch, known_output=lambda _name: None)
    return account


@pytest.mark.parametrize(("age", "expiring"), [(0, 0), (10.9 * DAY, 0), (11.1 * DAY, 3), (13.9 * DAY, 3)])
def test_letters_that_sqs_deletes_within_three_days_are_counted(age: float, expiring: int) -> None:
    told = read_status(account(letters(3)), SENT + age)
    assert (told.letters.expiring, told.to_json()["expiring"]) == (expiring, expiring)
    assert told.to_json()["is_complete"]


def test_a_status_that_could_not_read_every_letter_says_so() -> None:
    queues = letters(3)
    queues.receive_message(QueueUrl="dead", MaxNumberOfMessages=1, WaitTimeSeconds=1)
    told = read_status(account(queues), SENT)
    assert not told.to_json()["is_complete"]
    assert told.letters.reasons == {"NotFound": 2}


def test_no_letter_is_younger_than_now_where_sqs_clock_is_ahead() -> None:
    told = read_status(account(letters(1)), SENT - 2)
    assert told.to_json()["dead_letters"]["oldest_seconds"] == 0
