"""The policy for operators allows what `courier` asks AWS for: all of it, and nothing else."""

import base64
import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.infra.conftest import ARN as INSTANCE
from tests.infra.conftest import compose, referred, resources, the_mappings_arn
from tests.operators import Operator
from tests.samples import reply

BATCHES = {  # of these, IAM knows the single ones
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
}

ASKED_BY_NAME = {
    "DescribeStacks": ("cloudformation", "stack"),
    "GetCallerIdentity": ("sts", "*"),
    "ListStackResources": ("cloudformation", "stack"),
    "ListSubscriptionsByTopic": ("sns", "topic"),
}
ASKED_BY_PATH = (
    ("lambda:GetFunctionConcurrency", "/concurrency", "function"),
    ("connect:DescribeInstance", "/instance/", "instance"),
)


@contextmanager
def recorded(operator: Operator) -> Iterator[list[Any]]:
    """Every request that reaches AWS meanwhile, as moto's recorder keeps it."""
    recorder = f"{operator.aws.endpoint}/moto-api/recorder"

    def ask(what: str) -> bytes:
        with urllib.request.urlopen(f"{recorder}/{what}", data=b"") as answer:
            return bytes(answer.read())

    ask("reset-recording")
    ask("start-recording")
    requests: list[Any] = []
    yield requests
    ask("stop-recording")
    with urllib.request.urlopen(f"{recorder}/download-recording") as kept:
        requests += map(json.loads, kept.read().splitlines())


def asked_for(request: Any, operator: Operator) -> tuple[str, str]:
    """What a request needs: an action, and on what."""
    target = {name.lower(): value for name, value in request["headers"].items()}.get("x-amz-target", "")
    body = base64.b64decode(request["body"]).decode() if request["body_encoded"] else str(request["body"])
    if target.startswith("AmazonSQS."):
        action = target.removeprefix("AmazonSQS.")
        queue = "replies" if json.loads(body)["QueueUrl"] == operator.queue_url else "dead letters"
        return f"sqs:{BATCHES.get(action, action)}", queue
    if target.startswith("Logs_"):
        action = target.rpartition(".")[2]
        name = json.loads(body).get("logGroupName")
        return f"logs:{action}", {None: "*", operator.log_group: "log group"}.get(name, "journal")
    if asked := _asked_by_path(request, operator):
        return asked
    if target.startswith("ServiceQuotas"):
        return f"servicequotas:{target.rpartition('.')[2]}", "*"
    (action,) = urllib.parse.parse_qs(body).get("Action") or re.findall(r"operation/(\w+)", request["url"]) or [target]
    action = action.rpartition(".")[2]
    service, what = ASKED_BY_NAME.get(action, ("cloudwatch", "*"))
    return f"{service}:{action}", what


def _asked_by_path(request: Any, operator: Operator) -> tuple[str, str] | None:
    """The same of a request to S3 or Lambda."""
    method, url = request["method"], request["url"]
    if method in {"GET", "HEAD", "PUT"} and operator.payload_bucket in url:
        return "s3:PutObject" if method == "PUT" else "s3:GetObject", "objects"
    for action, path, what in ASKED_BY_PATH:
        if path in url:
            return action, what
    if "/event-source-mappings/" in url:
        return f"lambda:{'Update' if method == 'PUT' else 'Get'}EventSourceMapping", "mapping"
    return ("lambda:GetFunctionConfiguration", "function") if url.endswith("/configuration") else None


def allowed(folder: Path) -> set[tuple[str, str]]:
    """What the policy for operators allows."""
    (stack,) = compose(folder).synth().stacks
    template = stack.template
    bucket = {"Fn::GetAtt": [referred(template, "PayloadBucketName"), "Arn"]}
    every_object = {"Fn::Join": ["", [bucket, "/*"]]}
    arns = {
        str({"Fn::GetAtt": [referred(template, "QueueArn"), "Arn"]}): "replies",
        str({"Fn::GetAtt": [referred(template, "DeadLetterQueueArn"), "Arn"]}): "dead letters",
        "arn:aws:cloudformation:eu-central-1:111122223333:stack/reply-courier/*": "stack",
        str({"Fn::GetAtt": [referred(template, "LogGroupName"), "Arn"]}): "log group",
        str({"Fn::GetAtt": [referred(template, "JournalLogGroupName"), "Arn"]}): "journal",
        str(every_object): "objects",
        str(bucket): "bucket",
        str({"Fn::GetAtt": [referred(template, "DraftTableName"), "Arn"]}): "drafts",
        str({"Fn::GetAtt": [referred(template, "FunctionName"), "Arn"]}): "function",
        str(the_mappings_arn(template)): "mapping",
        str({"Ref": next(iter(resources(template, "AWS::SNS::Topic")))}): "topic",
        INSTANCE: "instance",
        str([INSTANCE, f"{INSTANCE}/*"]): "instance and what is in it",
        "*": "*",
    }
    policy = resources(template, "AWS::IAM::ManagedPolicy")[referred(template, "OperatorPolicyArn")]
    return {
        (action, arns[str(statement["Resource"])])
        for statement in policy["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


def test_courier_asks_for_what_the_policy_allows_and_for_all_of_it(operator: Operator, tmp_path: Path) -> None:
    ids = [operator.letter() for _ in range(4)]
    operator.edits_with(tmp_path, "text = text.replace('contact-1', 'contact-2')")
    exported = tmp_path / "letters.jsonl"
    with recorded(operator) as requests:
        operator.did("send", "-", stdin=json.dumps(reply()))
        operator.did("status")
        assert operator.courier("doctor").returncode == 1  # moto lacks some of what it asks
        operator.did("pause")
        operator.did("resume")
        operator.did("dlq", "list")
        operator.did("dlq", "groups")
        operator.did("trace", ids[0])
        operator.did("dlq", "show", ids[0])
        operator.did("dlq", "renew", ids[0], "--yes")
        operator.did("dlq", "edit", ids[1], "--yes")
        operator.did("dlq", "replay", ids[2], "--yes")
        operator.did("dlq", "export", str(exported))
        operator.did("dlq", "discard", ids[3], "--because", "a test", "--to", str(tmp_path / "gone.jsonl"), "--yes")
        operator.did("dlq", "import", str(exported))
        large = operator.large_letter()
        operator.did("dlq", "show", large)
        operator.did("dlq", "replay", large, "--dry-run")
        operator.did("dlq", "renew", large, "--yes")
        operator.aws.logs.filter_log_events(logGroupName=operator.output("JournalLogGroupName"))  # as the runbook says
    asked = {asked_for(request, operator) for request in requests}
    asked.remove(("sts:GetCallerIdentity", "*"))  # AWS lets everybody ask who they are
    not_here = {
        # courier doesn't read the table of drafts yet.
        ("dynamodb:GetItem", "drafts"),
        ("dynamodb:DescribeTable", "drafts"),
        # Nobody lists the bucket: who may is told 404 for an object that is gone, and 403 otherwise.
        ("s3:ListBucket", "bucket"),
        # Only where ListServiceQuotas does not name the quota, and moto does not know that call.
        ("servicequotas:ListAWSDefaultServiceQuotas", "*"),
        # moto has no route for these, and so does not record them (tests/unit/courier/doctor/test_checks.py does).
        ("lambda:GetAccountSettings", "*"),
        ("connect:SearchEmailAddresses", "instance and what is in it"),
    }
    assert asked | not_here == allowed(tmp_path / "stack")
