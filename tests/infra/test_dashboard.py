"""What a person looks at: only what exists, in the order of the questions."""

import json
import re
from typing import Any

import pytest

from courier.doctor.checks import RETRY_METRICS
from handler import observability
from local.aws import ROOT
from tests.infra.conftest import ARN, Synthesise, Template, referred, resources, the_one

QUESTIONS = [
    "Are replies being sent?",
    "How long do replies wait, and when will the backlog be sent?",
    "Does one message group delay the others?",
    "Which replies fail, and why?",
    "Do drafts fill up the instance?",
    "Does the function work?",
]
OF_DRAFTS = {
    *("DraftsMade", "DraftsStopped", "DraftStopsFailed", "DraftsHeld"),
    *("TableUnavailable", "ContactsNotYetKnown", "UsersFull"),
}


def body_of(template: Template) -> dict[str, Any]:
    """The dashboard as CloudWatch reads it; each token becomes its name."""
    parts = the_one(template, "AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Join"][1]
    return dict(json.loads("".join(part if isinstance(part, str) else next(iter(part)) for part in parts)))


def titles(body: dict[str, Any]) -> list[str]:
    return [each["properties"]["markdown"].removeprefix("## ") for each in body["widgets"] if each["type"] == "text"]


def test_it_answers_the_questions_from_top_to_bottom(template: Template) -> None:
    assert the_one(template, "AWS::CloudWatch::Dashboard")["DashboardName"] == "reply-courier-eu-central-1"
    assert titles(body_of(template)) == QUESTIONS


def test_it_shows_how_the_groups_do_that_take_no_more_than_their_share(template: Template) -> None:
    """Metrics of fair queues, as SQS's developer guide names them."""
    shown = json.dumps(body_of(template))
    for metric in ("AgeOfOldestMessageInQuietGroups", "NumberOfMessagesVisibleInQuietGroups", "NumberOfNoisyGroups"):
        assert f'"AWS/SQS", "Approximate{metric}"' in shown


def test_it_shows_the_active_emails_of_the_instance_under_either_name(template: Template) -> None:
    for group in ("Email", "Emails"):
        instance = f'"InstanceId", "{ARN.rpartition("/")[2]}", "MetricGroup", "{group}"'
        assert f'"AWS/Connect", "ConcurrentEmailsPercentage", {instance}' in json.dumps(body_of(template))


def test_it_shows_that_a_stack_is_not_for_production(synthesise: Synthesise) -> None:
    first, text, *others = titles(body_of(synthesise(allowedRecipients="*@example.com")))
    assert (first, others) == ("Not for production", QUESTIONS)
    assert "`*@example.com`" in text


def test_every_metric_of_the_functions_is_one_that_it_writes(template: Template) -> None:
    written = set(re.findall(r'"(\w+)"', (ROOT / "handler" / "observability.py").read_text()))
    assert set(observability.CAUSE_METRICS.values()) <= written
    assert set(RETRY_METRICS) == set(observability.CAUSE_METRICS.values())  # what `courier doctor` asks for
    alarms = json.dumps(resources(template, "AWS::CloudWatch::Alarm"))
    shown = set(re.findall(r'"ReplyCourier", ?"(\w+)"', json.dumps(body_of(template))))
    shown |= set(re.findall(r'"MetricName": "(\w+)", "Namespace": "ReplyCourier"', alarms))
    assert set(observability.CAUSE_METRICS.values()) | {"RepliesSent", "TimeToAccept", *OF_DRAFTS} <= shown <= written


@pytest.mark.parametrize(("rate", "an_hour"), [("10", "36000"), (278, "1000800"), (499.5, "1798200")])
def test_the_backlogs_end_counts_with_the_rate(synthesise: Synthesise, rate: object, an_hour: str) -> None:
    template = synthesise(sendRate=rate)
    assert f'"(visible + hidden) / {an_hour}"' in json.dumps(body_of(template))
    numbers = re.findall(r'"[Ee]xpression": "([^"]*)"', json.dumps([body_of(template), template["Resources"]]))
    assert len(numbers) > 5
    assert not re.search(r"[0-9]e[+-]?[0-9]", str(numbers))


def test_saved_queries_read_the_functions_log_by_fields_that_it_has(template: Template) -> None:
    log_group = referred(template, "LogGroupName")
    queries = resources(template, "AWS::Logs::QueryDefinition").values()
    assert {query["Name"] for query in queries} == {
        "reply-courier/One reply's story",
        "reply-courier/Refusals by reason",
        "reply-courier/Slowest replies",
    }
    written = (ROOT / "handler" / "observability.py").read_text()
    for query in queries:
        assert query["LogGroupNames"] == [{"Ref": log_group}]
        for field in re.findall(r"\b[a-z]+_[a-z_]+\b", query["QueryString"]):
            assert f'"{field}"' in written
