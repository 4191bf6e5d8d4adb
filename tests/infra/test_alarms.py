"""When each alarm goes off, on the metrics of an outage and of a quiet day, and the topic that it notifies."""

import re
from itertools import chain, repeat
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.infra.conftest import KEY, Synthesise, Template, resources, the_one
from tests.infra.metric_maths import Minutes, goes_off

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"
HOUR = 60
DAY = 24 * HOUR
VISIBLE, HIDDEN, DELETED, AGE = (
    f"replies.{name}"
    for name in (
        "ApproximateNumberOfMessagesVisible",
        "ApproximateNumberOfMessagesNotVisible",
        "NumberOfMessagesDeleted",
        "ApproximateAgeOfOldestMessage",
    )
)
LETTERS, HELD, LETTER_AGE = (
    f"letters.{name}"
    for name in (
        "ApproximateNumberOfMessagesVisible",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateAgeOfOldestMessage",
    )
)


def always(value: float | None, minutes: int = HOUR) -> list[float | None]:
    return [value] * minutes


def every(minutes: int, value: float = 1, length: int = HOUR) -> list[float | None]:
    """A value now and then, and nothing between."""
    return [value if n % minutes == 0 else None for n in range(length)]


def zeros_but(minutes: int, value: float = 1, length: int = HOUR) -> list[float | None]:
    """A value now and then, and zero between, as SQS tells it."""
    return [value if n % minutes == 0 else 0.0 for n in range(length)]


def no_letters(minutes: int = HOUR) -> dict[str, Minutes]:
    return {LETTERS: always(0, minutes), HELD: always(0, minutes)}


QUIET_DAY: dict[str, Minutes] = {
    # A reply every seven minutes, which is in flight when SQS counts now and then.
    VISIBLE: zeros_but(35, 1, DAY),
    HIDDEN: zeros_but(21, 1, DAY),
    DELETED: zeros_but(7, 1, DAY),
    AGE: zeros_but(7, 2, DAY),
    "RepliesSent": every(7, 1, DAY),
    "TimeToAccept": every(7, 0.4, DAY),
    # Connect fails once, and answers when it is asked again; one invocation of the day crashes.
    "ConnectUnavailable": [1, *always(None, DAY - 1)],
    "AttemptsThrottled": every(300, 1, DAY),
    "TableUnavailable": [1, *always(None, DAY - 1)],
    "Emails.ConcurrentEmailsPercentage": every(5, 78, DAY),
    "Errors": [1, *always(0, DAY - 1)],
    "Throttles": [2, *always(0, DAY - 1)],
    **no_letters(DAY),
}
IDLE_NIGHT: dict[str, Minutes] = {"Errors": always(None, 8 * HOUR)}
"""Nothing at all: SQS stops to publish."""
SURGE: dict[str, Minutes] = {
    # 5,000 replies at once; 120 a minute go out.
    VISIBLE: [float(max(0, 5_000 - 120 * n)) for n in range(HOUR)],
    HIDDEN: [4.0] * 42 + [0.0] * 18,
    DELETED: [120.0] * 42 + [0.0] * 18,
    AGE: [60.0 * min(n, 42) if n < 42 else 0.0 for n in range(HOUR)],
    "RepliesSent": [120.0] * 42 + [None] * 18,
    "TimeToAccept": [60.0 * n for n in range(42)] + [None] * 18,
    "AttemptsThrottled": every(5),
    **no_letters(),
}
MAPPING_OFF: dict[str, Minutes] = {
    VISIBLE: [5.0 * n for n in range(HOUR)],
    HIDDEN: always(0),
    DELETED: always(0),
    AGE: [60.0 * n for n in range(HOUR)],
    **no_letters(),
}


def down(refusals: str) -> dict[str, Minutes]:
    """Connect refuses all for an hour: replies wait for their backoff, and a few calls probe."""
    return {
        VISIBLE: zeros_but(7, 2),
        HIDDEN: [float(20 + 3 * n) for n in range(HOUR)],
        DELETED: always(0),
        AGE: [60.0 * n for n in range(HOUR)],
        refusals: every(3, 2),
        **no_letters(),
    }


ONE_REPLY_WHILE_DOWN: dict[str, Minutes] = {
    # Tried again after five minutes, on average.
    VISIBLE: always(0),
    HIDDEN: always(1),
    DELETED: always(0),
    AGE: always(None),  # received three times and more
    "ConnectUnavailable": [2, *always(None, 5), 1, *always(None, 4), 1, *always(None, 6), 1, *always(None, 41)],
    **no_letters(),
}
QUOTA_OF_ANOTHER: dict[str, Minutes] = {
    VISIBLE: always(3_000),
    HIDDEN: always(4),
    DELETED: always(40),
    AGE: always(2_000),
    "RepliesSent": always(40),
    "AttemptsThrottled": always(30),
    **no_letters(),
}
ACCOUNTS_CONCURRENCY_USED_UP: dict[str, Minutes] = {**MAPPING_OFF, "Throttles": always(6)}
STUCK_REPLY: dict[str, Minutes] = {
    # It kills the function, and comes back after the visibility time-out of 912 seconds; others are sent.
    VISIBLE: always(0),
    HIDDEN: always(1),
    DELETED: zeros_but(3),
    AGE: always(None),
    "RepliesSent": every(3),
    "Errors": [1.0 if n * 60 % 912 < 60 else 0.0 for n in range(HOUR)],
    **no_letters(),
}
ONE_LETTER: dict[str, Minutes] = {  # of a queue that was idle, SQS tells nothing
    LETTERS: [*always(None, 20), *always(1, 40)],
    HELD: [*always(None, 20), *always(0, 40)],
}
DOWN_FOR_LONG: dict[str, Minutes] = {
    # After six hours replies leave the queue, since their retry window is over.
    VISIBLE: always(0, 7 * HOUR),
    HIDDEN: always(300, 7 * HOUR),
    DELETED: [*always(0, 6 * HOUR), *zeros_but(3)],
    AGE: always(None, 7 * HOUR),
    "ConnectUnavailable": every(3, 2, 7 * HOUR),
    **no_letters(6 * HOUR),
}
LISTED: dict[str, Minutes] = {
    # Ten letters of last week; somebody looks at them for two minutes.
    LETTERS: [10.0] * 30 + [0.0, 0.0] + [10.0] * 28,
    HELD: [0.0] * 30 + [10.0, 10.0] + [0.0] * 28,
}
OLD_AND_NEW: dict[str, Minutes] = {LETTERS: [1.0] * 60 + [501.0] * 60, HELD: always(0, 2 * HOUR)}
LETTER_OF_6_DAYS: dict[str, Minutes] = {LETTERS: always(1), HELD: always(0), LETTER_AGE: always(6.01 * 86_400)}
LETTER_OF_12_DAYS: dict[str, Minutes] = {LETTERS: always(1), HELD: always(0), LETTER_AGE: always(12.01 * 86_400)}
DENIED: dict[str, Minutes] = {**down("AccessDenied")}
LONG_BACKLOG: dict[str, Minutes] = {
    **{name: [*values, *values] for name, values in QUOTA_OF_ANOTHER.items()},
    DELETED: always(120, 2 * HOUR),
    AGE: always(25_000, 2 * HOUR),
    "TimeToAccept": always(25_000, 2 * HOUR),
}
S3_DOWN: dict[str, Minutes] = {**SURGE, "PayloadsUnavailable": every(6)}
TABLE_DOWN: dict[str, Minutes] = {**SURGE, "TableUnavailable": every(6)}
TABLE_DOWN_FOR_ONE_REPLY: dict[str, Minutes] = {
    **{name: values for name, values in ONE_REPLY_WHILE_DOWN.items() if name != "ConnectUnavailable"},
    "TableUnavailable": ONE_REPLY_WHILE_DOWN["ConnectUnavailable"],
}
MANY_ACTIVE_EMAILS: dict[str, Minutes] = {**SURGE, "Email.ConcurrentEmailsPercentage": every(5, 85)}
UNDER_THE_OTHER_NAME: dict[str, Minutes] = {**SURGE, "Emails.ConcurrentEmailsPercentage": every(5, 85)}
BUS_DOWN: dict[str, Minutes] = {**SURGE, "OutcomesLost": [2.0, *always(None, HOUR - 1)]}

WAITING, RISING = "DeadLettersWaiting", "DeadLettersRising"
PLAYED: dict[str, tuple[dict[str, Minutes], set[str]]] = {
    "a quiet day": (QUIET_DAY, set()),
    "an idle night": (IDLE_NIGHT, set()),
    "a surge that is sent at the rate": (SURGE, set()),
    "the mapping is off": (MAPPING_OFF, {"NoRepliesSent"}),
    "Connect is down": (down("ConnectUnavailable"), {"NoRepliesSent", "ConnectUnavailable"}),
    "Connect is down, one reply waits": (ONE_REPLY_WHILE_DOWN, {"NoRepliesSent", "ConnectUnavailable"}),
    "Connect does not answer": (down("ConnectTimedOut"), {"NoRepliesSent", "ConnectTimedOut"}),
    "Connect is full": (down("ActiveEmailsFull"), {"NoRepliesSent", "ActiveEmailsFull"}),
    "the table is down, and replies with a contact go out": (TABLE_DOWN, {"TableUnavailable"}),
    "the table is down, one reply waits": (TABLE_DOWN_FOR_ONE_REPLY, {"TableUnavailable", "NoRepliesSent"}),
    "the instance has many active emails": (MANY_ACTIVE_EMAILS, {"ActiveEmailsHigh"}),
    "the same, under the other name of the metric group": (UNDER_THE_OTHER_NAME, {"ActiveEmailsHigh"}),
    "S3 is down, and small replies go out": (S3_DOWN, {"PayloadsUnavailable"}),
    "the event bus takes no outcomes": (BUS_DOWN, {"OutcomesLost"}),
    "access is denied": (DENIED, {"AccessDenied", "NoRepliesSent"}),
    "another caller uses the quota": (QUOTA_OF_ANOTHER, {"SlowerThanSendRate"}),
    "a backlog of half a day": (LONG_BACKLOG, {"OldestReplyTooOld", "RepliesSentLate"}),
    "the account's concurrency is used up": (ACCOUNTS_CONCURRENCY_USED_UP, {"FunctionThrottled", "NoRepliesSent"}),
    "one reply kills the function": (STUCK_REPLY, {"FunctionErrors"}),
    "a letter comes": (ONE_LETTER, {WAITING}),
    "letters are listed": (LISTED, {WAITING}),
    "500 letters come to an old one": (OLD_AND_NEW, {WAITING, RISING}),
    "a letter nears 7 days": (LETTER_OF_6_DAYS, {WAITING, "TokenExpiring"}),
    "a letter nears its end": (LETTER_OF_12_DAYS, {WAITING, "TokenExpiring", "DeadLetterExpiring"}),
}


@pytest.fixture(scope="module")
def template(synthesise: Synthesise) -> Template:
    """With all alarms that there are."""
    return synthesise(eventBusName="outcomes")


def alarms(template: Template) -> dict[str, dict[str, object]]:
    """Each alarm by its name in infra/alarms.py."""
    found = resources(template, "AWS::CloudWatch::Alarm")
    return {re.sub("^Alarms|[0-9A-F]{8}$", "", logical_id): alarm for logical_id, alarm in found.items()}


@pytest.mark.parametrize("played", PLAYED)
def test_what_goes_off(template: Template, played: str) -> None:
    data, expected = PLAYED[played]
    assert {name for name, alarm in alarms(template).items() if any(goes_off(alarm, data))} == expected


def test_every_alarm_goes_off_in_some_outage(template: Template) -> None:
    assert set(chain.from_iterable(expected for _, expected in PLAYED.values())) == set(alarms(template))


def test_an_alarm_is_over_when_its_cause_is(template: Template) -> None:
    after = {name: [*values, *repeat(values[0] and 0.0, 90)] for name, values in down("ConnectUnavailable").items()}
    after["ConnectUnavailable"] = [*after["ConnectUnavailable"][:HOUR], *always(None, 90)]
    over = {name: goes_off(alarm, after)[-1] for name, alarm in alarms(template).items()}
    assert set(over.values()) == {False}


def test_an_outage_longer_than_the_retry_window_is_not_called_over(template: Template) -> None:
    on = goes_off(alarms(template)["ConnectUnavailable"], DOWN_FOR_LONG)
    assert all(on[3:])


def test_an_old_letter_hides_no_new_ones(template: Template) -> None:
    on = goes_off(alarms(template)["DeadLettersRising"], OLD_AND_NEW)
    assert on == [False] * 4 + [True] + [False] * 3


def test_a_letter_is_told_in_the_minute_of_its_first_metric(template: Template) -> None:
    assert goes_off(alarms(template)["DeadLettersWaiting"], ONE_LETTER).index(True) == 20


def test_every_alarm_tells_the_topic_when_it_goes_off_and_when_it_is_over(template: Template) -> None:
    (topic,) = resources(template, "AWS::SNS::Topic")
    for alarm in alarms(template).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]


def test_every_alarm_says_what_it_means_the_runbooks_first_command_and_where_to_read_on(template: Template) -> None:
    for name, alarm in alarms(template).items():
        (first,) = re.findall(
            rf"^### {name}\n.*?- \*\*First:\*\* `(.+?)`", RUNBOOK.read_text(), re.DOTALL | re.MULTILINE
        )
        told = rf".+ First: {re.escape(' '.join(first.split()))}\. Runbook: {name}\."
        assert re.fullmatch(told, str(alarm["AlarmDescription"]))
        assert len(str(alarm["AlarmDescription"])) <= 1024


def test_no_maths_needs_a_metric_without_any_data_to_be_filled_up(template: Template) -> None:
    """The alarm that fills up goes off with data of either name alone: see PLAYED."""
    assert [name for name, alarm in alarms(template).items() if "FILL" in str(alarm)] == ["ActiveEmailsHigh"]


def test_many_active_emails_stay_an_alarm_while_the_newest_value_is_late(template: Template) -> None:
    late = {"Email.ConcurrentEmailsPercentage": [*every(5, 85, 30), *always(None, 5)]}
    assert all(goes_off(alarms(template)["ActiveEmailsHigh"], late))


def test_no_period_of_the_function_alarm_is_shorter_than_the_visibility_time_out(template: Template) -> None:
    (queue,) = (each for each in resources(template, "AWS::SQS::Queue").values() if "RedrivePolicy" in each)
    assert int(str(alarms(template)["FunctionErrors"]["Period"])) >= queue["VisibilityTimeout"]


def test_no_alarm_can_wait_for_a_metric_of_two_dimensions() -> None:
    from infra.metrics import Metrics

    metrics = Metrics("service", Mock(), Mock(), Mock(), "instance")
    with pytest.raises(ValueError, match="also has the dimension reason"):
        metrics.of_function("RepliesDeadLettered", 5)


def test_the_topic_takes_alarms_of_this_account_and_nothing_without_tls(template: Template) -> None:
    (topic,) = resources(template, "AWS::SNS::Topic")
    policy = the_one(template, "AWS::SNS::TopicPolicy")
    alarms = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":cloudwatch:eu-central-1:111122223333:alarm:*"]]}

    assert policy["Topics"] == [{"Ref": topic}]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Sid": "AllowPublishThroughSSLOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": {"Ref": topic},
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Sid": "AllowAlarmsToPublish",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": {"Ref": topic},
            "Condition": {"ArnLike": {"aws:SourceArn": alarms}},
        },
    ]


def test_the_topic_is_encrypted_with_a_key_that_alarms_may_use(template: Template) -> None:
    ((key_id, key),) = resources(template, "AWS::KMS::Key").items()

    assert the_one(template, "AWS::SNS::Topic") == {"KmsMasterKeyId": {"Fn::GetAtt": [key_id, "Arn"]}}
    assert key["EnableKeyRotation"] is True
    assert key["KeyPolicy"]["Statement"][1:] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
        }
    ]


def test_an_address_subscribes_only_if_one_is_given(template: Template, synthesise: Synthesise) -> None:
    assert resources(template, "AWS::SNS::Subscription") == {}

    subscription = the_one(synthesise(alarmEmail="oncall@example.com"), "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "oncall@example.com")


def test_a_key_of_the_customers_takes_the_place_of_ours(synthesise: Synthesise) -> None:
    template = synthesise(kmsKeyArn=KEY)
    assert resources(template, "AWS::KMS::Key") == {}
    assert the_one(template, "AWS::SNS::Topic") == {"KmsMasterKeyId": KEY}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (2, "2"),
        (0.5, "0.5"),
        (100, "100"),
        (1_000_800.0, "1000800"),
        (1_800_000, "1800000"),
        (833.3333333, "833.333333"),
    ],
)
def test_a_number_in_an_expression_has_no_exponent(number: float, text: str) -> None:
    from infra.metrics import decimal

    assert decimal(number) == text
