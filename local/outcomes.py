"""What becomes of replies, as a producer hears of it: a rule of the event bus copies the events to a queue."""

import json
from dataclasses import dataclass
from typing import Any

from local.aws import LocalAws
from local.sqs import messages

NAME = "outcomes"
BUS = "default"
"""Every account has it."""


@dataclass(frozen=True)
class OutcomeQueue:
    """The queue, at ``url``."""

    aws: LocalAws
    url: str

    def take(self) -> list[dict[str, Any]]:
        """Take every event that has come so far."""
        taken = []
        for message in messages(self.aws.sqs, self.url):
            taken.append(json.loads(message["Body"]))
            self.aws.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return taken


def subscribe(aws: LocalAws) -> OutcomeQueue:
    """Have the events copied from now on."""
    url = aws.sqs.create_queue(QueueName=NAME)["QueueUrl"]
    arn = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events = aws.session.client("events", endpoint_url=aws.endpoint)
    events.put_rule(Name=NAME, EventBusName=BUS, EventPattern=json.dumps({"source": ["reply-courier"]}))
    events.put_targets(Rule=NAME, EventBusName=BUS, Targets=[{"Id": NAME, "Arn": arn}])
    return OutcomeQueue(aws, url)
