"""Puts a reply on the queue: `python send_reply.py TOKEN`, with QUEUE_URL and CONTACT_ID in the environment."""

import json
import os
import sys

import boto3
from botocore.config import Config

reply = {
    "ContactId": os.environ["CONTACT_ID"],  # of a draft, from CreateContact
    "DestinationEmailAddress": {"EmailAddress": "ada@customer.example"},
    "EmailMessage": {
        "MessageSourceType": "RAW",
        "RawMessage": {"Subject": "Re: My order", "Body": "It is on its way.", "ContentType": "text/plain"},
    },
}

# The client sends it again by itself while SQS does not answer. If it gives up, run this again with the same token: put
# on the queue twice, the reply is sent once.
sqs = boto3.client("sqs", config=Config(retries={"mode": "standard", "total_max_attempts": 5}))
sqs.send_message(
    QueueUrl=os.environ["QUEUE_URL"],
    MessageBody=json.dumps(reply),
    # The reply's id in your system. A MessageGroupId beside it gives each tenant a share of the queue.
    MessageAttributes={"ClientToken": {"DataType": "String", "StringValue": sys.argv[1]}},
)
