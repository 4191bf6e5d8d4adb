"""What `courier` decides: which letters, which faults, which batches, how fast, and what it tells a person."""

import io
import json
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)

from contract.reply import EVERY_FAULT_CHARACTERS
from courier.aws import Account, NotOurStackError, Queues, queues_of
from courier.check import faults
from courier.choice import Choice
from courier.drain import Pace
from courier.errors import explain, passes, permission
from courier.filters import Filters, seconds, select, short
from courier.held_letters import hold_seconds
from courier.letters import Letter, string
from courier.replies_file import Entry, replies
from courier.sending import MAX_BYTES, Outgoing, batches
from courier.view import printable
from tests.fakes.function import refusal
from tests.samples import raw_message, reply

NOW = 1_800_000_000.0
DAY = 86_400


def letter(name: str = "id-1", *, contact: str = "c", age: float = 0, **attributes: str) -> Letter:
    values = {n: string(v) for n, v in {"Reason": "NotFound", "ClientToken": f"t-{name}", **attributes}.items()}
    return Letter(name, "handle", json.dumps({"ContactId": contact}), values, NOW - age)


# Filters


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(ids=frozenset({"id-1", "other"})),
        Filters(reasons=frozenset({"NotFound"})),
        Filters(contacts=frozenset({"c"})),
        Filters(older_than=59),
        Filters(newer_than=61),
        Filters(frozenset({"id-1"}), frozenset({"NotFound"}), frozenset({"c"}), 59, 61),
    ],
)
def test_a_letter_meets_filters(filters: Filters) -> None:
    assert filters.match(letter(age=60), NOW)


@pytest.mark.parametrize(
    "filters",
    [
        Filters(ids=frozenset({"other"})),
        Filters(reasons=frozenset({"MovedBySqs"})),
        Filters(contacts=frozenset({"other"})),
        Filters(older_than=60),
        Filters(newer_than=60),
        Filters(reasons=frozenset({"NotFound"}), contacts=frozenset({"other"})),
    ],
)
def test_a_letter_fails_filters(filters: Filters) -> None:
    assert not filters.match(letter(age=60), NOW)


def test_nothing_is_received_beyond_the_limit_or_the_last_id() -> None:
    asked = []

    def letters() -> Any:
        for n in range(5):
            asked.append(n)
            yield letter(f"id-{n}")

    assert len(list(select(letters(), Filters(), NOW, 2))) == 2
    assert [each.id for each in select(letters(), Filters(ids=frozenset({"id-0"})), NOW)] == ["id-0"]
    assert asked == [0, 1, 0]
    assert len(list(select(letters(), Filters(), NOW))) == 5


def test_ages_are_read_and_written() -> None:
    assert [seconds(age) for age in ("90s", "15m", "12h", "7d")] == [90, 900, 43_200, 604_800]
    assert [short(age) for age in (-5, 0, 59, 60, 3_599, 7_200, 9 * DAY)] == [
        "0s",
        "0s",
        "59s",
        "1m",
        "59m",
        "2h",
        "9d",
    ]
    for wrong in ("", "7", "d", "7 d", "1w", "-1d", "1.5h"):
        with pytest.raises(ValueError, match="is no age"):
            seconds(wrong)


# Choice


def test_a_reply_that_comes_back_during_a_replay_is_not_replayed_again() -> None:
    choice = Choice(Filters(), NOW, None, replays=True)
    assert choice(letter("id-1"))
    assert not choice(letter("id-2", ClientToken="t-id-1"))
    assert (choice.ids, choice.copies, choice.left) == ({"id-1"}, 1, [])


def test_copies_of_a_reply_are_all_discarded() -> None:
    choice = Choice(Filters(), NOW, None, replays=False)
    assert choice(letter("id-1"))
    assert choice(letter("id-2", ClientToken="t-id-1", DeadLetteredAt="2020-01-01T00:00:00+00:00"))


def test_old_letters_stay_and_are_named_unless_forced() -> None:
    choice = Choice(Filters(), NOW, None, replays=True)
    assert not choice(letter(age=8 * DAY))
    assert [each.name for each in choice.left] == ["id-1"]
    assert "8d old" in choice.left[0].why
    forced = Choice(Filters(), NOW, None, replays=True, force=True)
    assert forced(letter(age=8 * DAY))
    assert (forced.left, forced.late) == ([], 1)


def test_ids_that_were_not_seen_are_named() -> None:
    choice = Choice(Filters(ids=frozenset({"id-1", "id-2", "id-3"})), NOW, None, replays=True)
    choice(letter("id-1"))
    choice(letter("id-2", age=8 * DAY))
    assert not choice.full
    assert [each.name for each in choice.missing()] == ["id-3"]


def test_the_limit_counts_what_is_chosen() -> None:
    choice = Choice(Filters(), NOW, 2, replays=True)
    assert [choice(letter(f"id-{n}", age=0 if n else 8 * DAY)) for n in range(4)] == [False, True, True, False]
    assert choice.full


# Batches, pace, holding


def test_batches_keep_order_and_both_limits_of_sqs() -> None:
    sizes = [MAX_BYTES, 1, MAX_BYTES - 1, 1, *[10] * 25]
    messages = [Outgoing(str(n), "b" * size, {}) for n, size in enumerate(sizes)]
    made = list(batches(messages))
    assert [message for batch in made for message in batch] == messages
    assert all(len(batch) <= 10 and sum(message.size for message in batch) <= MAX_BYTES for batch in made)
    assert [len(batch) for batch in made] == [1, 2, 10, 10, 6]


def test_a_size_is_what_sqs_counts() -> None:
    assert Outgoing("", "é", {"né": string("ü"), "b": {"DataType": "Binary", "BinaryValue": b"12"}}).size == 2 + 11 + 9


def test_a_pace_spreads_letters_evenly() -> None:
    now = [100.0]
    pace = Pace(2, lambda: now[0])
    assert pace.batch == 2
    assert [pace.wait_time(2) for _ in range(3)] == [0, 1, 2]
    now[0] += 60
    assert [pace.wait_time(1) for _ in range(2)] == [0, 0.5]
    assert (Pace(0.5).batch, Pace(500).batch, Pace(None).batch, Pace(None).wait_time(10)) == (1, 10, 10, 0)


def test_letters_are_held_as_long_as_the_work_takes_and_no_longer_than_sqs_allows() -> None:
    assert hold_seconds(500, None) == 65
    assert hold_seconds(500, 2) == 310
    assert hold_seconds(100_000, 1000) == 1060
    assert hold_seconds(1_000_000, 1) == 43_200


# Check


def test_every_fault_is_told_by_path_also_of_a_long_reply() -> None:
    wrong = reply(ContactId="", Subjekt="x", EmailMessage=raw_message(Subject="a\nb", ContentType="text/rtf"))
    short_ones = faults(json.dumps(wrong))
    wrong["EmailMessage"]["RawMessage"]["Body"] = "b" * EVERY_FAULT_CHARACTERS
    assert faults(json.dumps(wrong)) == short_ones
    for path in ("reply.ContactId", "Subjekt", "RawMessage.Subject is not", "RawMessage.ContentType"):
        assert any(path in fault for fault in short_ones), path


def test_a_long_text_with_a_pattern_does_not_take_the_square_of_its_length() -> None:
    wrong = reply(DestinationEmailAddress={"EmailAddress": "a@" + "." * 1_000_000 + " "})
    assert any("EmailAddress" in fault for fault in faults(json.dumps(wrong)))


@pytest.mark.parametrize(
    "body", ["", "{", "[" * 100_000, "NaN", "[]", '{"a": 1, "a": 2}' + " " * EVERY_FAULT_CHARACTERS]
)
def test_what_is_no_reply_is_told_too(body: str) -> None:
    assert faults(body)


def test_a_sound_reply_has_no_faults_whichever_instance_it_names() -> None:
    assert faults(json.dumps(reply())) == ()
    assert faults(json.dumps(reply(InstanceId="11111111-2222-3333-4444-555555555555"))) == ()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", [(1, "")]),
        (b'{"a": 1}', [(1, '{"a": 1}')]),
        (b'{\n "a": [\n  {}\n ]\n}\n', [(1, '{\n "a": [\n  {}\n ]\n}\n')]),
        (b'{"a": 1}\n\n{"b": 2}\n', [(1, '{"a": 1}'), (3, '{"b": 2}')]),
        (b'{"a": \n{"b": 2}', [(1, '{"a":'), (2, '{"b": 2}')]),
        (b'{"a": 1}\n{"b": \xff}\n', [(1, '{"a": 1}'), (2, None)]),
        (b"{\n nonsense\n}", [(1, "{\n nonsense\n}")]),
    ],
)
def test_a_file_is_one_document_or_json_lines(content: bytes, found: list[tuple[int, str | None]]) -> None:
    assert list(replies(io.BytesIO(content))) == [Entry(*each) for each in found]


# For people


def account() -> Account:
    return Account("my-stack", region="eu-central-1")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NoCredentialsError(), "aws sso login"),
        (NoRegionError(), "--region"),
        (ProfileNotFound(profile="courier"), "~/.aws/config"),
        (EndpointConnectionError(endpoint_url="http://x"), "--region"),
        (ConnectTimeoutError(endpoint_url="http://x"), "network"),
        (refusal(403, "AccessDenied"), "not allowed to sqs:AnyOperation in the Region eu-central-1"),
        (refusal(403, "ExpiredToken"), "Log in again"),
        (refusal(400, "AWS.SimpleQueueService.NonExistentQueue"), "my-stack"),
        (refusal(403, "OverLimit"), "120,000"),
        (refusal(500, "Odd"), "again in a while"),
        (refusal(400, "Odd", "odd words"), "odd words"),
    ],
)
def test_an_error_says_what_to_do(error: Any, told: str) -> None:
    assert told in explain(error, account())


def test_only_what_passes_by_itself_is_worth_another_try() -> None:
    assert passes(refusal(400, "RequestThrottled"))
    assert passes(refusal(503, "Any"))
    assert not passes(refusal(403, "AccessDenied"))
    assert not passes(NoCredentialsError())


def test_permissions_are_named_as_iam_names_them() -> None:
    operations = ("SendMessageBatch", "ReceiveMessage", "DescribeStacks", "GetMetricStatistics")
    assert [permission(operation) for operation in operations] == [
        *("sqs:SendMessage", "sqs:ReceiveMessage", "cloudformation:DescribeStacks", "cloudwatch:GetMetricStatistics")
    ]


def test_queues_are_found_by_the_stacks_outputs() -> None:
    outputs = [{"OutputKey": k, "OutputValue": v} for k, v in (("QueueUrl", "q"), ("DeadLetterQueueUrl", "d"))]
    stack: Any = {"StackName": "s", "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}
    assert queues_of(stack) == Queues("q", "d")
    with pytest.raises(NotOurStackError, match="has no output 'DeadLetterQueueUrl'"):
        queues_of(stack | {"Outputs": stack["Outputs"][:1]})


def test_what_others_wrote_cannot_control_the_terminal() -> None:
    assert printable("a\x1b[2J\x07b\nc\td\x9b\u202e") == "a\ufffd[2J\ufffdb\nc\td\ufffd\ufffd"
