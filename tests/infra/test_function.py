from tests.infra.conftest import ARN, Synthesise, Template, referred, resources, the_one


def test_the_function_is_set_up_as_the_handler_expects(template: Template) -> None:
    function = the_one(template, "AWS::Lambda::Function")
    log_group = referred(template, "LogGroupName")

    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert function["Handler"] == "handler.app.lambda_handler"
    assert function["MemorySize"] == 256
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["LoggingConfig"] == {
        "ApplicationLogLevel": "INFO",  # or there are no metrics
        "LogFormat": "JSON",
        "LogGroup": {"Ref": log_group},
    }


def test_the_function_is_told_its_queues_its_limits_and_its_names_and_nothing_else(template: Template) -> None:
    assert the_one(template, "AWS::Lambda::Function")["Environment"]["Variables"] == {
        "CONNECT_INSTANCE_ARN": ARN,
        "QUEUE_URL": {"Ref": referred(template, "QueueArn")},
        "DEAD_LETTER_QUEUE_URL": {"Ref": referred(template, "DeadLetterQueueArn")},
        "PAYLOAD_BUCKET": {"Ref": referred(template, "PayloadBucketName")},
        "DRAFT_TABLE": {"Ref": referred(template, "DraftTableName")},
        "EVENT_BUS_NAME": "",
        "SEND_RATE_SHARE": "0.6666666666666666",
        "BURST_SHARE": "2",
        "RETRY_SECONDS": "21600",
        "MAX_RECEIVES": "308",
        "CRASH_LOOP_SECONDS": "64800",
        "RETENTION_SECONDS": "1209600",
        "MALLOC_MMAP_THRESHOLD_": "1048576",
        "ALLOWED_RECIPIENTS": "",
        "POWERTOOLS_SERVICE_NAME": "reply-courier",
        "POWERTOOLS_METRICS_NAMESPACE": "ReplyCourier",
    }


def test_the_mapping_takes_partial_batch_responses_and_filters_nothing(template: Template) -> None:
    assert the_one(template, "AWS::Lambda::EventSourceMapping") == {
        "EventSourceArn": {"Fn::GetAtt": [referred(template, "QueueArn"), "Arn"]},
        "FunctionName": {"Ref": referred(template, "FunctionName")},
        "BatchSize": 1,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 3},
    }


def test_a_message_stays_invisible_for_six_function_timeouts(template: Template) -> None:
    queue = resources(template, "AWS::SQS::Queue")[referred(template, "QueueArn")]
    assert queue["VisibilityTimeout"] == 6 * the_one(template, "AWS::Lambda::Function")["Timeout"]


def test_the_settings_reach_the_function(synthesise: Synthesise) -> None:
    template = synthesise(sendRate="0.5", retryHours="1", architecture="x86_64", logRetentionDays="30")
    function = the_one(template, "AWS::Lambda::Function")
    mapping = the_one(template, "AWS::Lambda::EventSourceMapping")

    assert function["Architectures"] == ["x86_64"]
    assert function["Timeout"] == 154
    assert function["Environment"]["Variables"]["SEND_RATE_SHARE"] == "0.25"
    assert function["Environment"]["Variables"]["RETRY_SECONDS"] == "3600"
    assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (1, {"MaximumConcurrency": 2})
    log_group = resources(template, "AWS::Logs::LogGroup")[referred(template, "LogGroupName")]
    assert log_group["RetentionInDays"] == 30


def test_the_log_is_kept_ninety_days_and_outlives_the_stack(template: Template) -> None:
    log_group = template["Resources"][referred(template, "LogGroupName")]
    assert log_group["Properties"] == {"RetentionInDays": 90}
    assert log_group["DeletionPolicy"] == "RetainExceptOnCreate"


def test_the_journal_is_kept_for_ten_years_and_outlives_the_stack(template: Template) -> None:
    journal = template["Resources"][referred(template, "JournalLogGroupName")]
    assert journal["Properties"] == {"RetentionInDays": 3653}
    assert journal["DeletionPolicy"] == "RetainExceptOnCreate"
    assert journal["UpdateReplacePolicy"] == "Retain"
