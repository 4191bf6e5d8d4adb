from pathlib import Path

import pytest

from tests.infra.conftest import KEY, Synthesise, Template, compose, referred, resources, the_one

FOURTEEN_DAYS = 14 * 24 * 3600
BOTH = ("QueueArn", "DeadLetterQueueArn")


@pytest.mark.parametrize("output", BOTH)
def test_both_queues_are_encrypted_and_hold_messages_as_long_as_sqs_can(template: Template, output: str) -> None:
    queue = resources(template, "AWS::SQS::Queue")[referred(template, output)]
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == FOURTEEN_DAYS


@pytest.mark.parametrize("output", BOTH)
def test_both_queues_refuse_whoever_comes_without_tls(template: Template, output: str) -> None:
    queue = referred(template, output)
    (policy,) = (
        policy
        for policy in resources(template, "AWS::SQS::QueuePolicy").values()
        if policy["Queues"] == [{"Ref": queue}]
    )
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "sqs:*",
            "Resource": {"Fn::GetAtt": [queue, "Arn"]},
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


@pytest.mark.parametrize("output", BOTH)
def test_unsent_replies_outlive_the_stack(template: Template, output: str) -> None:
    queue = template["Resources"][referred(template, output)]
    assert queue["DeletionPolicy"] == "RetainExceptOnCreate"
    assert queue["UpdateReplacePolicy"] == "Retain"


def test_the_queue_dead_letters_after_more_receives_than_the_handler_does(synthesise: Synthesise) -> None:
    template = synthesise(retryHours=48)
    redrive = resources(template, "AWS::SQS::Queue")[referred(template, "QueueArn")]["RedrivePolicy"]
    handlers_limit = the_one(template, "AWS::Lambda::Function")["Environment"]["Variables"]["MAX_RECEIVES"]

    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": [referred(template, "DeadLetterQueueArn"), "Arn"]}
    assert redrive["maxReceiveCount"] == 1000
    assert int(handlers_limit) < 1000


def test_the_dead_letter_queue_serves_this_queue_and_no_other(template: Template) -> None:
    queues = resources(template, "AWS::SQS::Queue")
    allowed = queues[referred(template, "DeadLetterQueueArn")]["RedriveAllowPolicy"]
    source = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":sqs:eu-central-1:111122223333:reply-courier"]]}

    assert queues[referred(template, "QueueArn")]["QueueName"] == "reply-courier"
    assert allowed == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [source],
    }


def test_tools_find_the_parts_by_the_names_of_the_outputs(template: Template) -> None:
    outputs = template["Outputs"]
    queues = {"QueueUrl", "QueueArn", "DeadLetterQueueUrl", "DeadLetterQueueArn"}
    others = {
        "FunctionName",
        "JournalLogGroupName",
        "AlarmTopicArn",
        "LogGroupName",
        "MappingId",
        "PayloadBucketName",
        "DraftTableName",
        "ProducerPolicyArn",
        "OperatorPolicyArn",
        "SendRate",
    }
    assert set(outputs) == queues | others
    assert referred(template, "QueueUrl") == referred(template, "QueueArn")
    assert referred(template, "DeadLetterQueueUrl") == referred(template, "DeadLetterQueueArn")
    assert outputs["QueueUrl"]["Value"] == {"Ref": referred(template, "QueueArn")}
    assert referred(template, "FunctionName") in resources(template, "AWS::Lambda::Function")


def test_the_visibility_timeout_outlasts_lambdas_own_retries_of_a_throttled_invocation(template: Template) -> None:
    """Six function timeouts: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html."""
    mapping = the_one(template, "AWS::Lambda::EventSourceMapping")
    queue = resources(template, "AWS::SQS::Queue")[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
    function = resources(template, "AWS::Lambda::Function")[mapping["FunctionName"]["Ref"]]
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]


def test_the_queues_policies_outlive_the_stack_as_they_do(template: Template) -> None:
    kept = [part for part in template["Resources"].values() if part["Type"].startswith("AWS::SQS::Queue")]
    assert len(kept) == 4
    assert {part["DeletionPolicy"] for part in kept} == {"RetainExceptOnCreate"}


def test_a_key_of_the_customers_encrypts_both_queues_and_the_log(synthesise: Synthesise) -> None:
    template = synthesise(kmsKeyArn=KEY)
    assert {queue["KmsMasterKeyId"] for queue in resources(template, "AWS::SQS::Queue").values()} == {KEY}
    assert {group["KmsKeyId"] for group in resources(template, "AWS::Logs::LogGroup").values()} == {KEY}


def test_producers_of_other_accounts_may_send_if_they_are_named(template: Template, synthesise: Synthesise) -> None:
    role = "arn:aws:iam::333344445555:role/crm"
    named = synthesise(producers=["222233334444", role])
    queue = referred(named, "QueueArn")
    (statements,) = (
        policy["PolicyDocument"]["Statement"]
        for policy in resources(named, "AWS::SQS::QueuePolicy").values()
        if policy["Queues"] == [{"Ref": queue}]
    )
    assert [each["Sid"] for each in statements if each["Effect"] == "Allow"] == ["AllowProducersToSend"]
    assert statements[-1] == {
        "Sid": "AllowProducersToSend",
        "Effect": "Allow",
        "Action": ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
        "Principal": {
            "AWS": [{"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::222233334444:root"]]}, role]
        },
        "Resource": {"Fn::GetAtt": [queue, "Arn"]},
    }
    assert "AllowProducersToSend" not in str(template)


def test_termination_protection_is_a_choice(tmp_path: Path) -> None:
    assembly = compose(tmp_path, terminationProtection=True, stackName="production").synth()
    (stack,) = assembly.stacks
    assert (stack.stack_name, stack.termination_protection) == ("production", True)
