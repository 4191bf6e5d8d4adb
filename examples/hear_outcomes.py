"""Prints what became of replies: one line for each outcome that is on a queue of yours, until the queue is empty.

The stack's setting eventBusName names an event bus. A rule on it, {"source": ["reply-courier"]}, sends the events to
your queue OUTCOME_QUEUE_URL, whose policy has to allow sqs:SendMessage to events.amazonaws.com. An outcome may come
twice: remember the ids that you have seen, for some days.
"""

import json
import os

import boto3

queue_url = os.environ["OUTCOME_QUEUE_URL"]
sqs = boto3.client("sqs")
seen: set[str] = set()  # in your database
while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
    for message in messages:
        event = json.loads(message["Body"])
        outcome, data = event["detail"]["metadata"]["id"], event["detail"]["data"]
        if outcome not in seen:
            seen.add(outcome)
            # A dead letter is not the end: it may be mended, and then it is sent under the same token. Sent is the end.
            print(event["detail-type"], data["client_token"] or data["message_id"], data["reason"] or "")  # noqa: T201
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
