"""Who may publish alarms, and what they are encrypted with."""

from tests.infra.conftest import KEY, Synthesise, Template, resources, the_one


def test_the_topic_takes_alarms_of_this_account_and_nothing_without_tls(template: Template) -> None:
    (topic,) = resources(template, "AWS::SNS::Topic")
    policy = the_one(template, "AWS::SNS::TopicPolicy")
    alarms = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":cloudwatch:eu-central-1:111122223333:alarm:*"]]}

    assert policy["Topics"] == [{"Ref": topic}]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Sid": "AllowPublishThroughSSLOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": {"Ref": topic},
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Sid": "LetAlarmsIn",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": {"Ref": topic},
            "Condition": {"ArnLike": {"aws:SourceArn": alarms}},
        },
    ]


def test_the_topic_is_encrypted_with_a_key_that_alarms_may_use(template: Template) -> None:
    ((key_id, key),) = resources(template, "AWS::KMS::Key").items()

    assert the_one(template, "AWS::SNS::Topic") == {"KmsMasterKeyId": {"Fn::GetAtt": [key_id, "Arn"]}}
    assert key["EnableKeyRotation"] is True
    assert key["KeyPolicy"]["Statement"][1:] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
        }
    ]


def test_an_address_subscribes_only_if_one_is_given(template: Template, synthesise: Synthesise) -> None:
    assert resources(template, "AWS::SNS::Subscription") == {}

    subscription = the_one(synthesise(alarmEmail="oncall@example.com"), "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "oncall@example.com")


def test_a_key_of_the_customers_takes_the_place_of_ours(synthesise: Synthesise) -> None:
    template = synthesise(kmsKeyArn=KEY)
    assert resources(template, "AWS::KMS::Key") == {}
    assert the_one(template, "AWS::SNS::Topic") == {"KmsMasterKeyId": KEY}
