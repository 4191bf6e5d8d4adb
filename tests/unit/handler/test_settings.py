import pytest

from handler.settings import Settings, SettingsError

ENVIRONMENT = {
    "CONNECT_INSTANCE_ARN": "arn:aws:connect:eu-central-1:123456789012:instance/i",
    "QUEUE_URL": "https://sqs/q",
    "DEAD_LETTER_QUEUE_URL": "https://sqs/dlq",
    "PAYLOAD_BUCKET": "payloads",
    "DRAFT_TABLE": "drafts",
    "EVENT_BUS_NAME": "default",
    "SEND_RATE_SHARE": "0.25",
    "BURST_SHARE": "2",
    "RETRY_SECONDS": "21600",
    "MAX_RECEIVES": "116",
    "CRASH_LOOP_SECONDS": "64800",
    "RETENTION_SECONDS": "1209600",
    "ALLOWED_RECIPIENTS": "*@example.com ada@example.org",
}


def test_the_environment_becomes_settings() -> None:
    settings = Settings.from_environment(ENVIRONMENT)
    assert (settings.send_rate_share, settings.retry_seconds, settings.max_receives) == (0.25, 21600, 116)


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({key: value for key, value in ENVIRONMENT.items() if key != name})


def test_a_variable_that_is_no_number_is_shown() -> None:
    with pytest.raises(SettingsError, match="'often'"):
        Settings.from_environment(ENVIRONMENT | {"MAX_RECEIVES": "often"})
