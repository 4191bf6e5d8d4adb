from typing import Any

from tests.infra.conftest import Synthesise, Template, referred, resources, the_one

AT_ONCE = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 0, "EvaluationPeriods": 1, "Period": 60}


def test_one_message_in_the_dead_letter_queue_raises_an_alarm_within_a_minute(template: Template) -> None:
    alarm = alarm_on(template, "ApproximateNumberOfMessagesVisible")
    queue_name = {"Fn::GetAtt": [referred(template, "DeadLetterQueueArn"), "QueueName"]}

    assert alarm.items() >= (AT_ONCE | {"Namespace": "AWS/SQS", "Statistic": "Maximum"}).items()
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": queue_name}]


def test_one_reply_refused_for_want_of_access_raises_an_alarm_within_a_minute(template: Template) -> None:
    alarm = alarm_on(template, "RepliesDenied")

    assert alarm.items() >= (AT_ONCE | {"Namespace": "ReplyCourier", "Statistic": "Sum"}).items()
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "reply-courier"}]


def test_a_function_that_fails_for_five_minutes_on_end_raises_an_alarm(template: Template) -> None:
    alarm = alarm_on(template, "Errors")

    assert alarm.items() >= (AT_ONCE | {"Namespace": "AWS/Lambda", "Statistic": "Sum", "EvaluationPeriods": 5}).items()
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": referred(template, "FunctionName")}}]


def test_the_alarm_watches_the_metrics_where_the_handler_writes_them(template: Template) -> None:
    variables = the_one(template, "AWS::Lambda::Function")["Environment"]["Variables"]
    alarm = alarm_on(template, "RepliesDenied")

    assert alarm["Namespace"] == variables["POWERTOOLS_METRICS_NAMESPACE"]
    assert alarm["Dimensions"][0]["Value"] == variables["POWERTOOLS_SERVICE_NAME"]


def test_every_alarm_tells_the_topic_and_stays_quiet_without_data(template: Template) -> None:
    (topic,) = resources(template, "AWS::SNS::Topic")
    for alarm in resources(template, "AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == [{"Ref": topic}]
        assert alarm["TreatMissingData"] == "notBreaching"


def test_the_topic_takes_alarms_of_this_account_and_nothing_without_tls(template: Template) -> None:
    (topic,) = resources(template, "AWS::SNS::Topic")
    policy = the_one(template, "AWS::SNS::TopicPolicy")
    account = [":cloudwatch:", {"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}, ":alarm:*"]
    alarms = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, *account]]}

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
            "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        }
    ]


def test_an_address_subscribes_only_if_one_is_given(template: Template, synthesise: Synthesise) -> None:
    assert resources(template, "AWS::SNS::Subscription") == {}

    subscription = the_one(synthesise(alarmEmail="oncall@example.com"), "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "oncall@example.com")


def alarm_on(template: Template, metric: str) -> dict[str, Any]:
    (alarm,) = (
        alarm for alarm in resources(template, "AWS::CloudWatch::Alarm").values() if alarm["MetricName"] == metric
    )
    return alarm
