"""The smallest function that sends a reply: boto3, and a loop over the records."""

import json
import os
from typing import Any

import boto3

connect = boto3.client("connect")


def lambda_handler(event: dict[str, Any], _context: object) -> None:
    """Send the replies of a batch."""
    for record in event["Records"]:
        connect.start_outbound_email_contact(InstanceId=os.environ["INSTANCE_ID"], **json.loads(record["body"]))
