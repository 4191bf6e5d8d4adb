"""Puts a reply on the queue whose body may be larger than a message: `python send_large_reply.py TOKEN < reply.json`.

Needs `pip install amazon-sqs-extended-client`, and the stack's outputs QueueUrl and PayloadBucketName in the variables
QUEUE_URL and PAYLOAD_BUCKET. What is larger than 256 KiB goes to S3, and the message holds a pointer to it; with
ALWAYS_THROUGH_S3=yes everything does, so that no text is ever on the queue.
"""

import os
import sys

from sqs_extended_client import SQSExtendedClientSession

token = sys.argv[1]  # the reply's id in your system: put on the queue twice, it is sent once

sqs = SQSExtendedClientSession().client("sqs")
sqs.large_payload_support = os.environ["PAYLOAD_BUCKET"]
sqs.always_through_s3 = os.environ.get("ALWAYS_THROUGH_S3") == "yes"
sqs.send_message(
    QueueUrl=os.environ["QUEUE_URL"],
    MessageBody=sys.stdin.read(),
    MessageAttributes={"ClientToken": {"DataType": "String", "StringValue": token}},
)
