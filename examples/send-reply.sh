#!/bin/sh
# Puts a reply on the queue: sh send-reply.sh TOKEN, with QUEUE_URL and CONTACT_ID (of a draft, from CreateContact) in the
# environment. If it fails, run it again with the same token: put on the queue twice, the reply is sent once.
set -eu
# In many Regions the AWS CLI asks an old host of SQS, whatever AWS_ENDPOINT_URL says.
aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} sqs send-message \
  --queue-url "$QUEUE_URL" \
  --message-attributes "{\"ClientToken\": {\"DataType\": \"String\", \"StringValue\": \"$1\"}}" \
  --message-body '{
    "ContactId": "'"$CONTACT_ID"'",
    "DestinationEmailAddress": {"EmailAddress": "ada@customer.example"},
    "EmailMessage": {
      "MessageSourceType": "RAW",
      "RawMessage": {"Subject": "Re: My order", "Body": "It is on its way.", "ContentType": "text/plain"}
    }
  }'
