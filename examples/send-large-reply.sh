#!/bin/sh
# Puts a reply on the queue whose text is in S3, as the Extended Client does it, with nothing but the two calls:
# sh send-large-reply.sh TOKEN, with QUEUE_URL, PAYLOAD_BUCKET (the stack's outputs) and CONTACT_ID in the environment.
set -eu
reply=$(mktemp)
trap 'rm -f "$reply"' EXIT
cat > "$reply" <<END
{
  "ContactId": "$CONTACT_ID",
  "DestinationEmailAddress": {"EmailAddress": "ada@customer.example"},
  "EmailMessage": {
    "MessageSourceType": "RAW",
    "RawMessage": {"Subject": "Re: My order", "Body": "It is on its way.", "ContentType": "text/plain"}
  }
}
END
size=$(wc -c < "$reply" | tr -d ' ')
# The token is the object's key here. A mended text goes under another key: a dead letter points to this one.
aws s3api put-object \
  --bucket "$PAYLOAD_BUCKET" --key "$1" --body "$reply"
# In many Regions the AWS CLI asks an old host of SQS, whatever AWS_ENDPOINT_URL says.
aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} sqs send-message \
  --queue-url "$QUEUE_URL" \
  --message-attributes "{
    \"ClientToken\": {\"DataType\": \"String\", \"StringValue\": \"$1\"},
    \"ExtendedPayloadSize\": {\"DataType\": \"Number\", \"StringValue\": \"$size\"}
  }" \
  --message-body "[
    \"software.amazon.payloadoffloading.PayloadS3Pointer\", {\"s3BucketName\": \"$PAYLOAD_BUCKET\", \"s3Key\": \"$1\"}
  ]"
