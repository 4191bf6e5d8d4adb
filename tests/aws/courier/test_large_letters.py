"""Replies larger than a message, in the hands of an operator: bodies in S3 are followed, kept and renewed."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.operators import Operator, lines, texts
from tests.samples import ADDRESS, BODY, reply

MIB = 1_048_576
LARGE = "x" * (MIB + 1)


def large_reply(text: str = LARGE) -> dict[str, Any]:
    body = reply()
    body["EmailMessage"]["RawMessage"]["Body"] = text
    return body


def gone(operator: Operator) -> None:
    for stored in operator.aws.files.list_objects_v2(Bucket=operator.payload_bucket).get("Contents", []):
        operator.aws.files.delete_object(Bucket=operator.payload_bucket, Key=stored["Key"])


def test_send_puts_what_is_larger_than_a_message_into_s3_and_the_rest_on_the_queue(operator: Operator) -> None:
    both = "\n".join(map(json.dumps, (large_reply(), reply())))
    assert "2 on the queue" in operator.did("send", "-", stdin=both)
    bodies = [
        json.loads(operator.payload(message) if message["Body"].startswith("[") else message["Body"])
        for message in operator.on_the_queue()
    ]
    assert sorted(bodies, key=len) == sorted([large_reply(), reply()], key=len)


def test_send_puts_everything_into_s3_where_that_is_wanted(operator: Operator) -> None:
    operator.did("send", "--through-s3", "-", stdin=json.dumps(reply()))
    (message,) = operator.on_the_queue()
    assert BODY not in message["Body"]
    assert json.loads(operator.payload(message)) == reply()


def test_without_a_bucket_a_large_reply_is_not_sent_and_the_command_says_what_to_do(operator: Operator) -> None:
    urls = ("--queue-url", operator.queue_url, "--dead-letter-queue-url", operator.dead_letter_queue_url)
    ended = operator.courier(*urls, "send", "-", stdin=json.dumps(large_reply()))
    assert ended.returncode == 2
    assert "--payload-bucket" in ended.stderr
    operator.did(*urls, "--payload-bucket", operator.payload_bucket, "send", "-", stdin=json.dumps(large_reply()))
    assert len(operator.on_the_queue()) == 1


def test_check_takes_what_is_larger_than_a_message_and_refuses_what_is_larger_than_a_reply(operator: Operator) -> None:
    operator.did("check", "-", stdin=json.dumps(large_reply()))
    ended = operator.courier("check", "-", stdin=json.dumps(large_reply("x" * (5 * MIB + 1))))
    assert ended.returncode == 1
    assert "Body" in ended.stderr


def test_show_shows_the_reply_that_the_letter_points_to(operator: Operator) -> None:
    letter_id = operator.large_letter()
    shown = operator.did("dlq", "show", letter_id)
    assert BODY in shown
    assert ADDRESS in shown


def test_show_says_that_the_body_is_gone(operator: Operator) -> None:
    letter_id = operator.large_letter()
    gone(operator)
    ended = operator.courier("dlq", "show", letter_id)
    assert ended.returncode == 0
    assert "its body in S3 is gone" in ended.stderr


def test_letters_are_found_by_the_contact_in_s3(operator: Operator) -> None:
    operator.large_letter(reply(ContactId="contact-1"))
    wanted = operator.large_letter(reply(ContactId="contact-2"))
    listed = operator.did("dlq", "list", "--json", "--contact", "contact-2")
    assert [line["id"] for line in lines(listed)] == [wanted]
    operator.did("dlq", "replay", "--contact", "contact-2", "--yes")
    (message,) = operator.on_the_queue()
    assert json.loads(operator.payload(message))["ContactId"] == "contact-2"


def test_what_is_sent_again_has_all_of_its_time_before_it_in_s3_too(operator: Operator) -> None:
    for command in (("replay", "--reason", "NotFound"), ("renew", "--reason", "NotFound")):
        operator.large_letter()
        before = operator.aws.files.list_objects_v2(Bucket=operator.payload_bucket)["Contents"]
        operator.did("dlq", *command, "--yes")
        after = operator.aws.files.list_objects_v2(Bucket=operator.payload_bucket)["Contents"]
        assert [stored["Key"] for stored in after] == [stored["Key"] for stored in before]
        for stored in after:
            head = operator.aws.files.head_object(Bucket=operator.payload_bucket, Key=stored["Key"])
            assert head["Metadata"] == {}
        assert max(stored["LastModified"] for stored in after) >= max(stored["LastModified"] for stored in before)


@pytest.mark.parametrize("command", ["replay", "renew"])
def test_a_letter_whose_body_is_gone_is_named_and_stays(operator: Operator, command: str) -> None:
    letter_id = operator.large_letter()
    gone(operator)
    ended = operator.courier("dlq", command, letter_id, "--yes")
    assert ended.returncode == 1
    assert f"{letter_id}: its body in S3 is gone" in ended.stderr
    assert len(operator.dead_letters) == 1


def test_an_edited_reply_stays_in_s3_under_another_key(operator: Operator, tmp_path: Path) -> None:
    letter_id = operator.large_letter(ClientToken="t-1")
    before = operator.dead_letters[0]["Body"]
    operator.edits_with(tmp_path, f"text = text.replace({BODY!r}, 'Mended.')")
    operator.did("dlq", "edit", letter_id, "--yes")
    (message,) = operator.on_the_queue()
    assert message["Body"] != before
    assert json.loads(operator.payload(message)) == large_reply("Mended.")
    assert texts(message)["ClientToken"] == "t-1"


def test_an_edit_that_outgrows_a_message_goes_into_s3(operator: Operator, tmp_path: Path) -> None:
    letter_id = operator.letter()
    operator.edits_with(tmp_path, f"text = text.replace({BODY!r}, 'x' * {len(LARGE)})")
    operator.did("dlq", "edit", letter_id, "--yes")
    (message,) = operator.on_the_queue()
    assert json.loads(operator.payload(message)) == large_reply()


@pytest.mark.parametrize("command", [("export",), ("discard", "--all", "--because", "test", "--yes", "--to")])
def test_what_is_written_to_a_file_is_whole_and_comes_back_when_s3_has_forgotten_it(
    operator: Operator, tmp_path: Path, command: tuple[str, ...]
) -> None:
    operator.large_letter(ClientToken="t-1")
    file = tmp_path / "letters.jsonl"
    operator.did("dlq", *command, str(file))
    gone(operator)
    operator.did("dlq", "import", str(file))
    letters = operator.dead_letters
    assert {texts(letter)["ClientToken"] for letter in letters} == {"t-1"}
    (stored,) = operator.aws.files.list_objects_v2(Bucket=operator.payload_bucket)["Contents"]
    (imported,) = (letter for letter in letters if stored["Key"] in letter["Body"])
    assert json.loads(operator.payload(imported)) == reply()


def test_a_letter_whose_body_is_gone_can_be_discarded(operator: Operator, tmp_path: Path) -> None:
    operator.large_letter()
    gone(operator)
    operator.did("dlq", "discard", "--all", "--because", "gone", "--yes", "--to", str(tmp_path / "file.jsonl"))
    assert operator.dead_letters == []


def test_a_dry_run_says_that_a_letter_stays_because_its_body_is_gone(operator: Operator) -> None:
    operator.large_letter()
    gone(operator)
    ended = operator.courier("dlq", "replay", "--dry-run")
    assert ended.returncode == 1
    assert "stays: its body in S3 is gone" in ended.stdout
    assert "0 would be replayed, 1 would not." in ended.stdout


def test_a_letter_whose_body_cannot_be_read_now_is_neither_discarded_nor_left_out_of_an_export_unsaid(
    operator: Operator, tmp_path: Path
) -> None:
    letter_id = operator.large_letter()
    urls = ("--queue-url", operator.queue_url, "--dead-letter-queue-url", operator.dead_letter_queue_url)
    for command in (
        ("list", "--contact", "contact-1"),
        ("replay", "--contact", "contact-1", "--yes"),
        ("export", str(tmp_path / "1")),
        ("discard", "--all", "--because", "x", "--yes", "--no-journal", "--to", str(tmp_path / "2")),
    ):
        ended = operator.courier(*urls, "dlq", *command)
        assert ended.returncode == 1
        assert f"{letter_id}: its body in S3 cannot be read now" in ended.stderr
    assert len(operator.dead_letters) == 1
