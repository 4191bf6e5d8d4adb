"""An operator at work: the command `courier` as a process of its own, on the queues of a stack in local AWS."""

from __future__ import annotations

import json
import sys
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contract.client_token import iso
from contract.payload import pointer_message
from tests.forking import run
from tests.samples import ADDRESS, INSTANCE_ARN, long_names, reply, short_names

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mypy_boto3_sqs import SQSClient

    from local.aws import LocalAws

TOPIC = {"TopicArn": {"Ref": "Topic"}}
TEMPLATE = {
    "Resources": {
        "DeadLetters": {"Type": "AWS::SQS::Queue"},
        "Payloads": {"Type": "AWS::S3::Bucket"},
        "Log": {"Type": "AWS::Logs::LogGroup"},
        "Journal": {"Type": "AWS::Logs::LogGroup"},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ]
                }
            },
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"ZipFile": "nothing runs it"},
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Runtime": "python3.13",
                "Timeout": 1,
                "Environment": {"Variables": {"CONNECT_INSTANCE_ARN": INSTANCE_ARN}},
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                "FunctionName": {"Ref": "Function"},
                "ScalingConfig": {"MaximumConcurrency": 2},
            },
        },
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Watch": {"Type": "AWS::SNS::Subscription", "Properties": {**TOPIC, "Protocol": "email", "Endpoint": ADDRESS}},
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmDescription": "Replies wait. Runbook: DeadLettersWaiting.",
                "AlarmActions": list(TOPIC.values()),
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 1,
                "MetricName": "ApproximateNumberOfMessagesVisible",
                "Namespace": "AWS/SQS",
                "Period": 60,
                "Statistic": "Maximum",
                "Threshold": 0,
            },
        },
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "RedrivePolicy": {
                    "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]},
                    "maxReceiveCount": 1,
                }
            },
        },
    },
    "Outputs": {
        "QueueUrl": {"Value": {"Ref": "Queue"}},
        "DeadLetterQueueUrl": {"Value": {"Ref": "DeadLetters"}},
        "PayloadBucketName": {"Value": {"Ref": "Payloads"}},
        "LogGroupName": {"Value": {"Ref": "Log"}},
        "JournalLogGroupName": {"Value": {"Ref": "Journal"}},
        "FunctionName": {"Value": {"Ref": "Function"}},
        "MappingId": {"Value": {"Ref": "Mapping"}},
        "SendRate": {"Value": "2"},
    },
}
"""The stack's parts and outputs. An invocation lasts a second at most; SQS moves a message at its second receive."""


@dataclass
class Operator:
    """Runs `courier`, and looks at the queues behind its back.

    Args:
        aws: Where the stack is.
        stack: Its name.
        queue_url: The queue of replies.
        dead_letter_queue_url: The other one.
        payload_bucket: For what is larger than a message.
        log_group: The function's.
        environment: More for the command's environment; None takes a variable away.
    """

    aws: LocalAws
    stack: str
    queue_url: str
    dead_letter_queue_url: str
    payload_bucket: str
    log_group: str = ""
    environment: dict[str, str | None] = field(default_factory=dict)

    @property
    def sqs(self) -> SQSClient:
        return self.aws.sqs

    @property
    def env(self) -> dict[str, str]:
        everything = {**self.aws.program_environment, "COURIER_STACK": self.stack, **self.environment}
        return {name: value for name, value in everything.items() if value is not None}

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "courier"]

    def courier(self, *arguments: str, stdin: str | bytes = b"") -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return run([*arguments], self.env, stdin.encode() if isinstance(stdin, str) else stdin)

    def did(self, *arguments: str, stdin: str | bytes = b"") -> str:
        """Run a command that is to succeed; return what it says."""
        ended = self.courier(*arguments, stdin=stdin)
        assert ended.returncode == 0, (ended.returncode, ended.stderr)
        return ended.stdout

    def edits_with(self, folder: Path, program: str) -> None:
        """Set an editor: Python that finds the text in `text`, and leaves it there."""
        script = folder / "editor.py"
        script.write_text(
            f"import sys\nfile = sys.argv[1]\ntext = open(file).read()\n{program}\nopen(file, 'w').write(text)\n"
        )
        self.environment |= {"EDITOR": f"{sys.executable} {script}", "TMPDIR": str(folder)}

    def letter(self, body: Any = None, **attributes: str) -> str:
        """Put a letter on the dead-letter queue, as the function does; return its id."""
        ours = {"MessageId": str(uuid.uuid4()), "Reason": "NotFound", "Detail": "Contact not found (404)"}
        return self.put(self.dead_letter_queue_url, body, **{**ours, **attributes})

    def large_letter(self, body: Any = None, **attributes: str) -> str:
        """Put a letter there whose body is in S3; return its id."""
        text = json.dumps(reply() if body is None else body)
        key = str(uuid.uuid4())
        self.aws.files.put_object(Bucket=self.payload_bucket, Key=key, Body=text.encode())
        pointing, size = pointer_message(self.payload_bucket, key, len(text))
        ours = {"MessageId": str(uuid.uuid4()), "Reason": "NotFound", "Detail": "Contact not found (404)"}
        named = long_names(ours | attributes).items()
        strings: Any = {name: {"DataType": "String", "StringValue": value} for name, value in named}
        return self.sqs.send_message(
            QueueUrl=self.dead_letter_queue_url, MessageBody=pointing, MessageAttributes={**strings, **size}
        )["MessageId"]

    def payload(self, message: Mapping[str, Any]) -> str:
        """The body that a message points to."""
        where = json.loads(message["Body"])[1]
        answer = self.aws.files.get_object(Bucket=where["s3BucketName"], Key=where["s3Key"])
        content = answer["Body"].read()
        assert message["MessageAttributes"]["ExtendedPayloadSize"]["StringValue"] == str(len(content))
        return content.decode()

    def put(self, url: str, body: Any = None, **attributes: str) -> str:
        """Put a message on a queue; return its id."""
        body = reply() if body is None else body
        return self.sqs.send_message(
            QueueUrl=url,
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": text} for name, text in long_names(attributes).items()
            },
        )["MessageId"]

    def letters(self, count: int) -> None:
        """Put many letters there."""
        for start in range(0, count, 10):
            self.sqs.send_message_batch(
                QueueUrl=self.dead_letter_queue_url,
                Entries=[
                    {
                        "Id": str(n),
                        "MessageBody": json.dumps(reply(ContactId=f"contact-{n}")),
                        "MessageAttributes": {
                            "ClientToken": {"DataType": "String", "StringValue": f"token-{n}"},
                            "ReplyCourier.Reason": {"DataType": "String", "StringValue": "RetriesExhausted"},
                        },
                    }
                    for n in range(start, min(start + 10, count))
                ],
            )

    def moved_by_sqs(self, body: Any = None, **attributes: str) -> str:
        """Have SQS itself move a message to the dead-letter queue; return its id."""
        message_id = self.put(self.queue_url, body, **attributes)
        for _ in range(2):
            self.sqs.receive_message(QueueUrl=self.queue_url, VisibilityTimeout=0)
        return message_id

    def logged(self, *told: Mapping[str, Any]) -> None:
        """Put lines into the function's log as it writes them, each a second after the one before."""
        stream = {"logGroupName": self.log_group, "logStreamName": uuid.uuid4().hex}
        self.aws.logs.create_log_stream(**stream)
        begun = time.time() - 3600
        events = [
            {"timestamp": int((begun + n) * 1000), "message": json.dumps({"timestamp": iso(begun + n), **line})}
            for n, line in enumerate(told)
        ]
        self.aws.logs.put_log_events(**stream, logEvents=events)  # type: ignore[arg-type]  # it is what AWS takes

    def will_log(self, *told: Mapping[str, Any]) -> None:
        """Put lines there about messages that come to the queue in a minute: after the letters that a test puts."""
        stream = {"logGroupName": self.log_group, "logStreamName": uuid.uuid4().hex}
        self.aws.logs.create_log_stream(**stream)
        now = time.time()
        lines = [{"timestamp": iso(now), "enqueued_at": iso(now + 60), **line} for line in told]
        events = [{"timestamp": int(now * 1000), "message": json.dumps(line)} for line in lines]
        self.aws.logs.put_log_events(**stream, logEvents=events)  # type: ignore[arg-type]  # it is what AWS takes

    def journal(self) -> list[Any]:
        """Every line of the stack's journal; none if its log group was deleted."""
        group = self.output("JournalLogGroupName")
        try:
            kept = self.aws.logs.filter_log_events(logGroupName=group)["events"]
        except self.aws.logs.exceptions.ResourceNotFoundException:
            return []
        return [json.loads(event["message"]) for event in kept]

    def output(self, name: str) -> str:
        """What the stack names so."""
        outputs = self.aws.stacks.describe_stacks(StackName=self.stack)["Stacks"][0]["Outputs"]
        return next(each["OutputValue"] for each in outputs if each["OutputKey"] == name)

    def visible(self, url: str) -> list[dict[str, Any]]:
        """What can be received of a queue now; it stays visible."""
        found: list[Any] = []
        while received := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600, MessageAttributeNames=["All"]
        ).get("Messages"):
            found += received
        for message in found:
            self.sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
        return found

    @property
    def dead_letters(self) -> list[dict[str, Any]]:
        return self.visible(self.dead_letter_queue_url)

    def on_the_queue(self) -> list[dict[str, Any]]:
        """The replies; each is read once, since SQS moves it at its second receive."""
        found: list[Any] = []
        while received := self.sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            found += received
        return found

    def counts(self, url: str) -> tuple[int, int]:
        """Visible, in flight."""
        counts = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(counts["ApproximateNumberOfMessages"]), int(counts["ApproximateNumberOfMessagesNotVisible"])


def texts(message: Mapping[str, Any]) -> dict[str, str]:
    """A message's attributes of type String."""
    return {name: value["StringValue"] for name, value in short_names(message.get("MessageAttributes", {})).items()}


def operator_of_a_new_stack(aws: LocalAws) -> Operator:
    """A stack of its own, so that tests meet only their own letters."""
    name = f"s{uuid.uuid4().hex}"
    aws.stacks.create_stack(StackName=name, TemplateBody=json.dumps(TEMPLATE))
    outputs = aws.stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    urls = {output["OutputKey"]: output["OutputValue"] for output in outputs}
    return Operator(
        aws, name, urls["QueueUrl"], urls["DeadLetterQueueUrl"], urls["PayloadBucketName"], urls["LogGroupName"]
    )


def lines(text: str) -> Iterator[Any]:
    """The JSON values of JSON lines."""
    return map(json.loads, text.splitlines())
