"""Receives the outcomes of replies as a producer does: an event bus rule copies the events to a queue."""

import json
from dataclasses import dataclass
from typing import Any

from local.aws import LocalAws
from local.sqs import messages

NAME = "outcomes"
BUS = "default"
"""Every account has this event bus."""


@dataclass(frozen=True)
class OutcomeQueue:
    """A queue with outcomes."""

    aws: LocalAws
    url: str

    def take(self) -> list[dict[str, Any]]:
        """Return all events so far, and delete them from the queue."""
        taken = []
        for message in messages(self.aws.sqs, self.url):
            taken.append(json.loads(message["Body"]))
            self.aws.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return taken


def subscribe(aws: LocalAws) -> OutcomeQueue:
    """Create the rule and its queue."""
    url = aws.sqs.create_queue(QueueName=NAME)["QueueUrl"]
    arn = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events = aws.session.client("events", endpoint_url=aws.endpoint)
    events.put_rule(Name=NAME, EventBusName=BUS, EventPattern=json.dumps({"source": ["reply-courier"]}))
    events.put_targets(Rule=NAME, EventBusName=BUS, Targets=[{"Id": NAME, "Arn": arn}])
    return OutcomeQueue(aws, url)
