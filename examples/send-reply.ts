// Puts a reply on the queue: npm install @aws-sdk/client-sqs, then node send-reply.ts TOKEN, with QUEUE_URL and CONTACT_ID
// in the environment. Node 22.18 or later runs TypeScript as it is. The client asks the host of QUEUE_URL, whatever
// AWS_ENDPOINT_URL says.
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const reply = {
  ContactId: process.env.CONTACT_ID, // of a draft, from CreateContact
  DestinationEmailAddress: { EmailAddress: "ada@customer.example" },
  EmailMessage: {
    MessageSourceType: "RAW",
    RawMessage: { Subject: "Re: My order", Body: "It is on its way.", ContentType: "text/plain" },
  },
};

// The client sends it again by itself while SQS does not answer. If it gives up, run this again with the same token: put
// on the queue twice, the reply is sent once.
await new SQSClient({ maxAttempts: 5 }).send(
  new SendMessageCommand({
    QueueUrl: process.env.QUEUE_URL,
    MessageBody: JSON.stringify(reply),
    // The reply's id in your system. A MessageGroupId beside it gives each tenant a share of the queue.
    MessageAttributes: { ClientToken: { DataType: "String", StringValue: process.argv[2] } },
  }),
);
