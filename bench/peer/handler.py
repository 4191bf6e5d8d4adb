"""The peer's function, after Powertools' own example for SQS.

https://docs.aws.amazon.com/powertools/python/latest/utilities/batch/#processing-messages-from-sqs. The record handler
makes the same call as reply-courier, with boto3's defaults, and passes the message id as the client token. (The example
also logs each payload. An email is personal, so the peer doesn't.)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

processor = BatchProcessor(event_type=EventType.SQS)
tracer = Tracer()
logger = Logger()
connect = boto3.client("connect")


@tracer.capture_method
def record_handler(record: SQSRecord) -> None:
    """Send one reply. If this raises an exception, SQS delivers the message again."""
    reply = record.json_body
    if "OMIT_CLIENT_TOKEN" not in os.environ:
        reply = {"ClientToken": record.message_id, **reply}
    connect.start_outbound_email_contact(InstanceId=os.environ["INSTANCE_ID"], **reply)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Send the replies of a batch, and report those that failed."""
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
