"""Who may do what: the whole lists, so that a change of one shows."""

from typing import Any

from tests.infra.conftest import ARN, KEY, Synthesise, Template, referred, resources, the_mappings_arn, the_one

USE_KMS_KEY = {
    "Sid": "UseKmsKey",
    "Effect": "Allow",
    "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
    "Resource": KEY,
}
DECRYPT_DRAFTS = {
    "Sid": "DecryptDrafts",
    "Effect": "Allow",
    "Action": "kms:Decrypt",
    "Resource": KEY,
    "Condition": {"StringEquals": {"kms:ViaService": ["dynamodb.eu-central-1.amazonaws.com"]}},
}
OF_THIS_INSTANCE = {"StringEquals": {"connect:InstanceId": [ARN.rpartition("/")[2], ARN]}}


def policy_of(template: Template, output: str) -> Any:
    """The statements of a managed policy."""
    return resources(template, "AWS::IAM::ManagedPolicy")[referred(template, output)]["PolicyDocument"]["Statement"]


def every_object(template: Template) -> Any:
    return {"Fn::Join": ["", [{"Fn::GetAtt": [referred(template, "PayloadBucketName"), "Arn"]}, "/*"]]}


def read_large_replies(template: Template) -> list[Any]:
    bucket = {"Fn::GetAtt": [referred(template, "PayloadBucketName"), "Arn"]}
    return [
        {"Sid": "ReadLargeReplies", "Effect": "Allow", "Action": "s3:GetObject", "Resource": every_object(template)},
        {"Sid": "DetectMissingReplies", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket},
    ]


def put_large_replies(template: Template) -> Any:
    return {"Sid": "PutLargeReplies", "Effect": "Allow", "Action": "s3:PutObject", "Resource": every_object(template)}


def run_doctor(template: Template) -> list[Any]:
    stack = "arn:aws:cloudformation:eu-central-1:111122223333:stack/reply-courier/*"
    (topic,) = resources(template, "AWS::SNS::Topic")
    function = {"Fn::GetAtt": [referred(template, "FunctionName"), "Arn"]}
    allowed: dict[str, tuple[Any, Any]] = {
        "FindAlarms": ("cloudformation:ListStackResources", stack),
        "ListAlarmSubscriptions": ("sns:ListSubscriptionsByTopic", {"Ref": topic}),
        "ReadReservedConcurrency": ("lambda:GetFunctionConcurrency", function),
        "DescribeInstance": ("connect:DescribeInstance", ARN),
        "SearchEmailAddresses": ("connect:SearchEmailAddresses", [ARN, f"{ARN}/*"]),
        "ReadAlarmsAndQuotas": (
            [
                "cloudwatch:DescribeAlarms",
                "lambda:GetAccountSettings",
                "servicequotas:ListAWSDefaultServiceQuotas",
                "servicequotas:ListServiceQuotas",
            ],
            "*",
        ),
    }
    return [
        {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}
        for sid, (action, resource) in allowed.items()
    ]


def test_the_role_allows_exactly_what_the_handler_does(template: Template) -> None:
    role = the_one(template, "AWS::IAM::Role")
    queue, dead_letters = referred(template, "QueueArn"), referred(template, "DeadLetterQueueArn")
    log_group = referred(template, "LogGroupName")

    assert set(role) == {"AssumeRolePolicyDocument", "Policies"}
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
    (policy,) = role["Policies"]
    assert policy["PolicyDocument"] == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "SendReplies",
                "Effect": "Allow",
                "Action": "connect:StartOutboundEmailContact",
                "Resource": [ARN, f"{ARN}/*"],
            },
            {
                "Sid": "SendRepliesByInstanceId",
                "Effect": "Allow",
                "Action": "connect:StartOutboundEmailContact",
                "Resource": "*",
                "Condition": OF_THIS_INSTANCE,
            },
            {
                "Sid": "MakeDrafts",
                "Effect": "Allow",
                "Action": "connect:CreateContact",
                "Resource": [ARN, f"{ARN}/agent/*", f"{ARN}/contact/*"],
            },
            {
                "Sid": "DescribeAndStopDrafts",
                "Effect": "Allow",
                "Action": ["connect:DescribeContact", "connect:StopContact"],
                "Resource": f"{ARN}/contact/*",
            },
            {
                "Sid": "HandleDraftsByInstanceId",
                "Effect": "Allow",
                "Action": ["connect:CreateContact", "connect:DescribeContact", "connect:StopContact"],
                "Resource": "*",
                "Condition": OF_THIS_INSTANCE,
            },
            {
                "Sid": "RememberDrafts",
                "Effect": "Allow",
                "Action": ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:UpdateItem"],
                "Resource": {"Fn::GetAtt": [referred(template, "DraftTableName"), "Arn"]},
            },
            {
                "Sid": "ReceiveReplies",
                "Effect": "Allow",
                "Action": [
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ReceiveMessage",
                ],
                "Resource": {"Fn::GetAtt": [queue, "Arn"]},
            },
            {
                "Sid": "DeadLetterReplies",
                "Effect": "Allow",
                "Action": "sqs:SendMessage",
                "Resource": {"Fn::GetAtt": [dead_letters, "Arn"]},
            },
            {
                "Sid": "WriteLog",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": {"Fn::GetAtt": [log_group, "Arn"]},
            },
            {
                "Sid": "WriteTraces",
                "Effect": "Allow",
                "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
                "Resource": "*",
            },
            *read_large_replies(template),
        ],
    }


def test_nothing_else_grants_the_role_anything(template: Template) -> None:
    assert resources(template, "AWS::IAM::Policy") == {}
    for policy in resources(template, "AWS::IAM::ManagedPolicy").values():
        assert "Roles" not in policy


def test_a_producer_may_send_and_no_more(template: Template) -> None:
    assert policy_of(template, "ProducerPolicyArn") == [
        {
            "Sid": "SendReplies",
            "Effect": "Allow",
            "Action": ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
            "Resource": {"Fn::GetAtt": [referred(template, "QueueArn"), "Arn"]},
        },
        put_large_replies(template),
    ]


def test_an_operator_may_do_what_courier_does(template: Template) -> None:
    """tests/aws/courier/test_permissions.py asks `courier` itself."""
    assert policy_of(template, "OperatorPolicyArn") == [
        {
            "Sid": "ReadStackOutputs",
            "Effect": "Allow",
            "Action": "cloudformation:DescribeStacks",
            "Resource": "arn:aws:cloudformation:eu-central-1:111122223333:stack/reply-courier/*",
        },
        {
            "Sid": "SendAndReplay",
            "Effect": "Allow",
            "Action": ["sqs:GetQueueAttributes", "sqs:SendMessage"],
            "Resource": {"Fn::GetAtt": [referred(template, "QueueArn"), "Arn"]},
        },
        {
            "Sid": "HandleDeadLetters",
            "Effect": "Allow",
            "Action": [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            "Resource": {"Fn::GetAtt": [referred(template, "DeadLetterQueueArn"), "Arn"]},
        },
        {"Sid": "ReadMetrics", "Effect": "Allow", "Action": "cloudwatch:GetMetricStatistics", "Resource": "*"},
        {
            "Sid": "PauseAndResume",
            "Effect": "Allow",
            "Action": ["lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"],
            "Resource": the_mappings_arn(template),
        },
        {
            "Sid": "ReadFunctionConfiguration",
            "Effect": "Allow",
            "Action": "lambda:GetFunctionConfiguration",
            "Resource": {"Fn::GetAtt": [referred(template, "FunctionName"), "Arn"]},
        },
        {
            "Sid": "TagPausedQueue",
            "Effect": "Allow",
            "Action": ["sqs:ListQueueTags", "sqs:TagQueue", "sqs:UntagQueue"],
            "Resource": {"Fn::GetAtt": [referred(template, "QueueArn"), "Arn"]},
        },
        {
            "Sid": "QueryLog",
            "Effect": "Allow",
            "Action": "logs:StartQuery",
            "Resource": {"Fn::GetAtt": [referred(template, "LogGroupName"), "Arn"]},
        },
        {"Sid": "ReadQueryResults", "Effect": "Allow", "Action": "logs:GetQueryResults", "Resource": "*"},
        {
            "Sid": "WriteAndReadJournal",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:FilterLogEvents", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": [referred(template, "JournalLogGroupName"), "Arn"]},
        },
        *run_doctor(template),
        *read_large_replies(template),
        put_large_replies(template),
        {
            "Sid": "ReadDrafts",
            "Effect": "Allow",
            "Action": ["dynamodb:DescribeTable", "dynamodb:GetItem"],
            "Resource": {"Fn::GetAtt": [referred(template, "DraftTableName"), "Arn"]},
        },
    ]


def test_whoever_handles_messages_may_use_a_key_of_the_customers(synthesise: Synthesise) -> None:
    template = synthesise(kmsKeyArn=KEY)
    (inline,) = the_one(template, "AWS::IAM::Role")["Policies"]
    assert inline["PolicyDocument"]["Statement"][-2:] == [USE_KMS_KEY, DECRYPT_DRAFTS]
    services = ["s3.eu-central-1.amazonaws.com", "sqs.eu-central-1.amazonaws.com"]
    through_services = {"StringEquals": {"kms:ViaService": services}}
    used_through_services = {**USE_KMS_KEY, "Condition": through_services}
    assert policy_of(template, "ProducerPolicyArn")[-1] == used_through_services
    assert policy_of(template, "OperatorPolicyArn")[-2:] == [used_through_services, DECRYPT_DRAFTS]


def test_the_function_may_tell_the_event_bus_that_is_named_and_no_other(synthesise: Synthesise) -> None:
    (inline,) = the_one(synthesise(eventBusName="outcomes"), "AWS::IAM::Role")["Policies"]
    assert inline["PolicyDocument"]["Statement"][-1] == {
        "Sid": "PublishOutcomes",
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": "arn:aws:events:eu-central-1:111122223333:event-bus/outcomes",
    }
