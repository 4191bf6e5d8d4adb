"""The command `courier` as a process, against moto over HTTP: what it says, what it exits with, what it leaves."""

from __future__ import annotations

import json
import os
import re
import stat
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from contract.client_token import client_token, iso
from courier.reply_files import digest
from local.sqs_faults import SqsFaults
from tests.operators import Operator, lines, operator_of_a_new_stack, texts
from tests.samples import ADDRESS, BODY, NAME, PERSONAL, SUBJECT, raw_message, reply

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400


def nothing_held(operator: Operator) -> bool:
    return operator.counts(operator.dead_letter_queue_url)[1] == 0


# Sending and checking


def test_send_puts_json_lines_on_the_queue_each_with_a_token_of_its_own(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "replies.jsonl"
    bodies = [json.dumps(reply(ContactId=f"contact-{n}")) for n in range(23)]
    file.write_text("\n\n".join(bodies))
    assert operator.did("send", str(file), "--token-prefix", "batch-1") == "23 on the queue.\n"
    messages = operator.on_the_queue()
    assert sorted(message["Body"] for message in messages) == sorted(bodies)
    assert {texts(message)["ClientToken"] for message in messages} == {f"batch-1.{digest(body)}" for body in bodies}


def test_sent_again_with_other_lines_around_it_a_reply_keeps_its_token(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "replies.jsonl"
    file.write_text(json.dumps(reply()))
    operator.did("send", str(file), "--token-prefix", "p")
    file.write_text(f"{json.dumps(reply(ContactId='new'))}\n{json.dumps(reply())}\n{json.dumps(reply())}")
    ended = operator.courier("send", str(file), "--token-prefix", "p")
    assert (ended.returncode, ended.stdout) == (0, "2 on the queue.\n")
    assert "line 3: the same reply as in line 2" in ended.stderr
    same = [texts(message)["ClientToken"] for message in operator.on_the_queue() if "new" not in message["Body"]]
    assert len(same) == 2
    assert len(set(same)) == 1


def test_a_token_names_one_reply_only(operator: Operator) -> None:
    two = json.dumps(reply()) + "\n" + json.dumps(reply(ContactId="b"))
    ended = operator.courier("send", "-", "--token", "t", stdin=two)
    assert ended.returncode == 2
    assert "--token-prefix" in ended.stderr
    assert operator.on_the_queue() == []


@pytest.mark.parametrize("option", ["--token", "--token-prefix"])
def test_a_token_that_is_not_text_is_wrong_usage(operator: Operator, option: str) -> None:
    ended = operator.courier("send", "-", option, "\udcff", stdin=json.dumps(reply()))
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False)
    assert "a token is text" in ended.stderr
    assert operator.on_the_queue() == []


def test_a_terminal_without_a_character_shows_another_one(operator: Operator) -> None:
    letter = operator.letter(reply(EmailMessage=raw_message(Subject="\u2603")))
    operator.environment["PYTHONIOENCODING"] = "ascii"
    assert "Subject" in operator.did("dlq", "show", letter)


def test_send_takes_one_reply_from_standard_input_over_many_lines(operator: Operator) -> None:
    operator.did("send", "-", "--token", "mine", stdin=json.dumps(reply(), indent=2))
    operator.did("send", "-", stdin=json.dumps(reply()))
    first, second = operator.on_the_queue()
    assert json.loads(first["Body"]) == json.loads(second["Body"]) == reply()
    assert texts(first) == {"ClientToken": "mine"}
    assert re.fullmatch(r"[0-9a-f-]{36}\.[0-9a-f]{32}", texts(second)["ClientToken"])


def test_send_sends_nothing_if_one_reply_breaks_the_contract(operator: Operator) -> None:
    ended = operator.courier("send", "-", stdin=json.dumps(reply()) + "\n" + json.dumps(reply(ContactId="")))
    assert ended.returncode == 1
    assert "line 2: reply.ContactId is empty" in ended.stderr
    assert ended.stdout.endswith("Nothing was sent.\n")
    assert operator.on_the_queue() == []


def test_a_send_whose_answer_is_lost_leaves_copies_under_one_token(operator: Operator) -> None:
    with SqsFaults(operator.aws.endpoint, Random(1)) as faults:
        faults.fail("SendMessageBatch", "drop_after", times=1)
        operator.environment["AWS_ENDPOINT_URL_SQS"] = faults.url
        operator.did("send", "-", stdin=json.dumps(reply()))
    copies = operator.on_the_queue()
    assert len(copies) == 2
    assert len({texts(copy)["ClientToken"] for copy in copies}) == 1


def test_check_names_every_fault_and_asks_nothing_of_aws(operator: Operator) -> None:
    operator.environment |= {"AWS_ENDPOINT_URL": "http://localhost:1", "AWS_ACCESS_KEY_ID": ""}
    wrong = reply(ContactId="", Subjekt="x")
    text = f"{json.dumps(reply())}\n{json.dumps(wrong)}\nnonsense\n"
    ended = operator.courier("check", "-", stdin=text)
    assert ended.returncode == 1
    assert ended.stdout == "3 checked, 2 with errors.\n"
    assert ended.stderr.count("courier: line 2: ") == 2
    assert "courier: line 3: reply: is not JSON" in ended.stderr
    found = list(lines(operator.courier("check", "-", "--json", stdin=text).stdout))
    assert [each["line"] for each in found] == [1, 2, 3]
    assert [len(each["faults"]) for each in found] == [0, 2, 1]
    assert operator.courier("check", "-", stdin=json.dumps(reply())).returncode == 0
    assert operator.courier("check", "-", stdin=b"\xff").returncode == 1


# Reading


def test_queues_without_a_stack_are_named_by_their_urls(operator: Operator) -> None:
    letter_id = operator.letter()
    queues = ("--queue-url", operator.queue_url, "--dead-letter-queue-url", operator.dead_letter_queue_url)
    operator.environment["COURIER_STACK"] = "deleted"
    assert letter_id in operator.did(*queues, "dlq", "list")
    operator.did(*queues, "dlq", "replay", "--all", "--yes")
    assert len(operator.on_the_queue()) == 1
    gone = operator.courier(*queues[:3], queues[3] + "-gone", "dlq", "list")
    assert gone.returncode == 2
    assert "--dead-letter-queue-url" in gone.stderr


def test_one_queue_without_the_other_is_wrong_usage(operator: Operator) -> None:
    ended = operator.courier("--queue-url", operator.queue_url, "dlq", "list")
    assert ended.returncode == 2
    assert "together" in ended.stderr


def test_status_counts_both_queues_and_receives_no_reply(operator: Operator) -> None:
    for reason in ("NotFound", "NotFound", "InvalidReply"):
        operator.letter(Reason=reason)
    operator.moved_by_sqs()
    operator.put(operator.queue_url)
    form = json.loads(operator.did("status", "--json"))
    assert form["replies"] == {"waiting": 1, "in_flight": 0, "delayed": 0, "oldest_seconds": None}
    assert form["reasons"] == {"NotFound": 2, "InvalidReply": 1, "MovedBySqs": 1}
    assert form["dead_letters"] | {"oldest_seconds": 0} == {
        "waiting": 4,
        "in_flight": 0,
        "delayed": 0,
        "oldest_seconds": 0,
    }
    assert form["dead_letters"]["oldest_seconds"] >= 0
    table = operator.did("status")
    assert re.search(r"^dead letters +4 +0 +0 +\d+[sm]$", table, re.MULTILINE)
    assert re.search(r"^  NotFound +2 *$", table, re.MULTILINE)
    (message,) = operator.sqs.receive_message(
        QueueUrl=operator.queue_url, MessageSystemAttributeNames=["ApproximateReceiveCount"]
    )["Messages"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert nothing_held(operator)


def test_a_list_shows_each_letter_once_in_80_columns_and_nothing_personal(operator: Operator) -> None:
    operator.letters(35)
    moved = operator.moved_by_sqs()
    listed = operator.did("dlq", "list")
    rows = listed.splitlines()
    assert rows[0].split() == ["ID", "REASON", "AGE", "CONTACT"]
    assert len({row.split()[0] for row in rows[1:-1]}) == 36
    assert rows[-1] == "36 letters: 35 RetriesExhausted, 1 MovedBySqs."
    assert max(map(len, rows)) <= 80
    assert re.search(rf"^{moved} MovedBySqs +\d+[sm] contact-1$", listed, re.MULTILINE)
    assert "\x1b" not in listed
    forms = list(lines(operator.did("dlq", "list", "--json")))
    assert [set(form) for form in forms] == [
        {"id", "reason", "contact_id", "client_token", "sent_at", "first_tried_at"}
    ] * 36
    assert not any(text in listed + json.dumps(forms) for text in PERSONAL)
    assert nothing_held(operator)


def test_a_list_begins_with_the_oldest_and_a_limit_takes_the_oldest(operator: Operator) -> None:
    ids = [operator.letter(ClientToken=str(n)) for n in range(12)]
    forms = list(lines(operator.did("dlq", "list", "--json")))
    assert [form["sent_at"] for form in forms] == sorted(form["sent_at"] for form in forms)
    assert {form["id"] for form in forms} == set(ids)
    assert list(lines(operator.did("dlq", "list", "--json", "--limit", "5"))) == forms[:5]


def test_details_say_what_went_wrong_and_nothing_personal(operator: Operator) -> None:
    operator.letter(Detail=f"ResourceNotFoundException (404): Contact not found for {ADDRESS}")
    assert "ResourceNotFound" not in operator.did("dlq", "list")
    for command in (["list", "--details"], ["groups"]):
        told = operator.did("dlq", *command)
        assert "ResourceNotFoundException (404)" in told
        assert not any(text in told for text in (ADDRESS, "Contact not found"))


def test_where_no_letter_matches_it_is_said(operator: Operator) -> None:
    assert operator.did("dlq", "list") == operator.did("dlq", "groups") == "No letters.\n"
    operator.letter()
    assert operator.did("dlq", "list", "--reason", "Refused") == "No letters match.\n"


def test_a_misspelt_reason_is_wrong_usage_and_the_nearest_is_named(operator: Operator) -> None:
    for command in (["list"], ["replay"], ["discard", "--because", "x"], ["export", "file"], ["groups"]):
        ended = operator.courier("dlq", *command, "--reason", "Notfound")
        assert ended.returncode == 2
        assert "'Notfound' is not a reason. The nearest is NotFound." in ended.stderr


def test_all_letters_are_replayed_or_discarded_only_if_that_is_said(operator: Operator) -> None:
    letter = operator.letter()
    for command in (["replay"], ["discard", "--because", "x"]):
        for arguments in ([], ["--all", letter], ["--all", "--limit", "1"]):
            ended = operator.courier("dlq", *command, *arguments, "--yes")
            assert ended.returncode == 2
            assert "--all" in ended.stderr
    assert [message["MessageId"] for message in operator.dead_letters] == [letter]
    assert "1 would be replayed" in operator.did("dlq", "replay", "--dry-run")


def test_filters_narrow_a_list(operator: Operator) -> None:
    one = operator.letter(reply(ContactId="a"))
    new = operator.letter(reply(ContactId="b"), Reason="InvalidReply")
    moved = operator.moved_by_sqs(reply(ContactId="b"))

    def listed(*arguments: str) -> set[str]:
        return {form["id"] for form in lines(operator.did("dlq", "list", "--json", *arguments))}

    assert listed("--reason", "NotFound") == listed("--contact", "a") == {one}
    assert (listed("--older-than", "7d"), listed("--newer-than", "1h")) == (set(), {one, new, moved})
    assert listed("--reason", "NotFound", "--reason", "MovedBySqs") == {one, moved}
    assert listed("--contact", "b", "--reason", "InvalidReply") == {new}
    assert len(listed("--limit", "2")) == 2
    assert nothing_held(operator)


def test_a_list_that_misses_what_somebody_else_holds_says_so(operator: Operator, tmp_path: Path) -> None:
    operator.letters(3)
    operator.sqs.receive_message(QueueUrl=operator.dead_letter_queue_url, VisibilityTimeout=600)
    commands = (
        ["status"],
        ["dlq", "list"],
        ["dlq", "export", str(tmp_path / "all")],
        ["dlq", "replay", "--all", "--yes"],
    )
    for command in commands:
        ended = operator.courier(*command)
        assert ended.returncode == 1, command
        assert "about 1 letter: held by somebody else" in ended.stderr


def test_show_shows_the_reply_and_its_history(operator: Operator) -> None:
    letter = operator.letter(Detail="Contact not found", own="\x7f[31mred")
    shown = operator.did("dlq", "show", letter)
    personal = (ADDRESS, NAME, SUBJECT, BODY)
    assert all(text in shown for text in (letter, "NotFound", "Contact not found", "contact-1", *personal))
    assert "\x7f" not in shown
    form = json.loads(operator.did("dlq", "show", letter, "--json"))
    assert form["body"] == json.dumps(reply())
    assert form["attributes"]["ReplyCourier.Detail"] == {"DataType": "String", "StringValue": "Contact not found"}
    assert nothing_held(operator)


@pytest.mark.parametrize("body", ["no JSON", "[1]", '{"EmailMessage": {"RawMessage": 1}}', '{"EmailMessage": null}'])
def test_show_shows_what_is_no_reply(operator: Operator, body: str) -> None:
    shown = operator.did("dlq", "show", operator.letter(body))
    assert "Reply" in shown or body in shown


def test_show_ends_with_what_went_wrong_and_the_next_command_and_folds_many_copies(operator: Operator) -> None:
    copies = [{"EmailAddress": f"copy-{n}@customer.example"} for n in range(49)]
    letter = operator.letter(reply(AdditionalRecipients={"CcEmailAddresses": copies}), Detail="Contact not found")
    shown = operator.did("dlq", "show", letter).splitlines()
    assert shown[-1].endswith("then: courier dlq replay --reason NotFound --canary 5")
    assert [line.split()[0] for line in shown[-3:-1]] == ["Reason", "Detail"]
    assert "copy-2@customer.example" in "".join(shown)
    assert "copy-3@customer.example" not in "".join(shown)
    assert "… and 46 more" in "".join(shown)
    assert (
        len(
            json.loads(json.loads(operator.did("dlq", "show", letter, "--json"))["body"])["AdditionalRecipients"][
                "CcEmailAddresses"
            ]
        )
        == 49
    )


# Replay (what becomes of replies: test_outcomes.py)


def replayed(count: int) -> str:
    """What a replay says where nothing receives the replies."""
    return f"{count} replayed.\n0 sent, 0 came back, {count} not known yet.\n"


def test_a_replay_keeps_tokens_of_letters_of_both_kinds(operator: Operator) -> None:
    operator.letter(ClientToken="t-1", MessageId="first", Detail="d")
    moved = operator.moved_by_sqs(own="x")
    planned = operator.did("dlq", "replay", "--dry-run")
    assert re.search(rf"{moved} MovedBySqs +its message id becomes its token$", planned, re.MULTILINE)
    assert "2 would be replayed, 0 would not. Nothing was done." in planned
    assert len(operator.dead_letters) == 2

    assert operator.did("dlq", "replay", "--all", "--yes") == replayed(2)
    sent = {client_token("", message["MessageAttributes"]): message for message in operator.on_the_queue()}
    assert set(sent) == {"t-1", moved}
    assert texts(sent["t-1"]) == {"ClientToken": "t-1", "MessageId": "first"}
    assert texts(sent[moved])["own"] == "x"
    assert all(message["Body"] == json.dumps(reply()) for message in sent.values())
    assert operator.dead_letters == []


def test_a_replay_takes_ids_filters_and_a_limit(operator: Operator) -> None:
    one, two = operator.letter(ClientToken="1"), operator.letter(ClientToken="2", Reason="Refused")
    ended = operator.courier("dlq", "replay", "--yes", one, "not-there")
    assert (ended.returncode, ended.stdout) == (1, replayed(1))
    assert "not-there: is not on the dead-letter queue now" in ended.stderr
    operator.letters(12)
    assert operator.did("dlq", "replay", "--yes", "--reason", "RetriesExhausted", "--limit", "5") == replayed(5)
    assert len(operator.on_the_queue()) == 6
    assert len(operator.dead_letters) == 8
    assert two in {message["MessageId"] for message in operator.dead_letters}
    assert nothing_held(operator)


def test_a_replay_asks_and_nobody_answering_is_a_no(operator: Operator) -> None:
    operator.letter()
    assert operator.courier("dlq", "replay", "--all").returncode == 1
    assert operator.courier("dlq", "replay", "--all", stdin="n\n").returncode == 1
    assert operator.on_the_queue() == []
    yes = operator.courier("dlq", "replay", "--all", stdin="y\n")
    assert (yes.returncode, yes.stdout.lstrip()) == (0, replayed(1))
    assert "Replay 1 letter (1 NotFound)?" in yes.stderr


def test_ids_that_are_not_there_are_named_before_the_question_and_in_the_exit_code(operator: Operator) -> None:
    ended = operator.courier("dlq", "replay", operator.letter(), "not-there", stdin="y\n")
    assert (ended.returncode, ended.stdout.lstrip()) == (1, replayed(1))
    assert ended.stderr.index("not-there: is not on") < ended.stderr.index("Replay 1 letter (1 NotFound)?")
    assert ended.stderr.count("not-there") == 1


def test_letters_with_one_token_are_replayed_one_at_a_time(operator: Operator) -> None:
    for _ in range(3):
        operator.letter(ClientToken="t")
    ended = operator.courier("dlq", "replay", "--all", "--yes")
    assert (ended.returncode, ended.stdout) == (0, replayed(1))
    assert "Skipped 2 duplicates (same client token)." in ended.stderr
    assert len(operator.dead_letters) == 2


def test_letters_older_than_connects_memory_stay_unless_forced(operator: Operator) -> None:
    old = operator.letter(ClientToken="old", FirstTriedAt="2020-01-01T00:00:00.000+00:00")
    operator.letter(ClientToken="new")
    for arguments in (["--dry-run"], ["--yes"]):
        ended = operator.courier("dlq", "replay", "--all", *arguments)
        assert ended.returncode == 1
        assert f"courier: {old}: was first tried more than 7 days ago" in ended.stderr
    assert [texts(message)["ClientToken"] for message in operator.on_the_queue()] == ["new"]
    assert operator.did("dlq", "replay", "--yes", "--force", old) == replayed(1)


def test_what_was_confirmed_by_force_is_replayed_by_force(operator: Operator) -> None:
    began = time.time()
    young = iso(began - 86_400)
    for first_tried_at, token in (("2020-01-01T00:00:00+00:00", "old"), (young, "young")):
        operator.letter(FirstTriedAt=first_tried_at, ClientToken=token)
    assert operator.did("dlq", "replay", "--all", "--force", stdin="y\n").lstrip() == replayed(2)
    messages = [texts(message) for message in operator.on_the_queue()]
    tried = {message["ClientToken"]: message["FirstTriedAt"] for message in messages}
    assert tried["young"] == young
    assert tried["old"] > iso(began - 60)


def test_a_letter_without_room_for_its_token_is_named_and_stays(operator: Operator) -> None:
    letter = operator.moved_by_sqs("b" * 1_048_576)
    planned = operator.courier("dlq", "replay", "--dry-run")
    assert planned.returncode == 1
    assert "stays: leaves no room for its token" in planned.stdout
    assert "0 would be replayed, 1 would not." in planned.stdout
    ended = operator.courier("dlq", "replay", "--all", "--yes")
    assert (ended.returncode, ended.stdout) == (1, "0 replayed.\n")
    assert f"courier: {letter}: leaves no room for its token" in ended.stderr
    assert nothing_held(operator)


def test_a_replay_that_sqs_stops_says_so_and_goes_on_when_run_again(operator: Operator) -> None:
    operator.letters(60)
    with SqsFaults(operator.aws.endpoint, Random(1)) as faults:
        operator.environment["AWS_ENDPOINT_URL_SQS"] = faults.url
        faults.fail("DeleteMessageBatch", "error")
        ended = operator.courier("dlq", "replay", "--all", "--yes")
        assert ended.returncode == 1
        assert "SQS is unavailable (DeleteMessageBatch failed with InternalFailure)" in ended.stderr
        assert ended.stdout.startswith("10 replayed.\n")
        faults.clear()
        assert nothing_held(operator)
        assert operator.did("dlq", "replay", "--all", "--yes") == replayed(60)
    tokens = [texts(message)["ClientToken"] for message in operator.on_the_queue()]
    assert set(tokens) == {f"token-{n}" for n in range(60)}
    assert len(tokens) > 60


def test_a_replay_that_sqs_stops_names_what_it_refused_before(operator: Operator) -> None:
    old = operator.letter(FirstTriedAt="2020-01-01T00:00:00+00:00")
    operator.letter(ClientToken="t")
    with SqsFaults(operator.aws.endpoint, Random(1)) as faults:
        operator.environment["AWS_ENDPOINT_URL_SQS"] = faults.url
        faults.fail("DeleteMessageBatch", "error")
        ended = operator.courier("dlq", "replay", "--all", "--yes")
    assert (ended.returncode, ended.stdout) == (1, replayed(1))
    assert f"courier: {old}: was first tried" in ended.stderr


# Edit


def test_an_edited_letter_is_sent_under_its_own_token(operator: Operator, tmp_path: Path) -> None:
    letter = operator.letter(ClientToken="t")
    operator.edits_with(tmp_path, "text = text.replace('contact-1', 'contact-2')")
    assert operator.did("dlq", "edit", letter, "--yes") == "1 edited and on the queue.\n"
    (message,) = operator.on_the_queue()
    assert json.loads(message["Body"]) == reply(ContactId="contact-2")
    assert texts(message)["ClientToken"] == "t"
    assert operator.dead_letters == []
    assert list(tmp_path.glob("courier-*")) == []


def test_an_edit_that_changes_nothing_sends_nothing_unless_it_drops_a_token_that_cannot_be_used(
    operator: Operator, tmp_path: Path
) -> None:
    operator.edits_with(tmp_path, "pass")
    usable = operator.letter(ClientToken="t")
    unusable = operator.letter(ClientToken="t" * 600, Reason="InvalidClientToken")
    ended = operator.courier("dlq", "edit", usable, "--yes")
    assert (ended.returncode, ended.stdout) == (1, "Nothing was changed, and nothing is sent.\n")
    assert operator.did("dlq", "edit", unusable, "--yes") == "1 edited and on the queue.\n"
    (message,) = operator.on_the_queue()
    assert "ClientToken" not in texts(message)


def test_the_fault_is_told_before_the_editor_opens(operator: Operator, tmp_path: Path) -> None:
    operator.edits_with(tmp_path, "print('the editor', file=sys.stderr)")
    letter = operator.letter(reply(ContactId=""), Reason="InvalidReply", Detail="reply.ContactId is empty")
    told = operator.courier("dlq", "edit", letter).stderr
    assert told.index("courier: the reply: reply.ContactId is empty") < told.index("the editor")


def test_a_new_token_is_asked_for_and_its_risk_is_told(operator: Operator, tmp_path: Path) -> None:
    operator.edits_with(tmp_path, "text = text.replace('contact-1', 'contact-2')")
    letter = operator.letter(ClientToken="t", Reason="TokenAlreadyUsed")
    assert "See --new-token" in operator.courier("dlq", "edit", letter, stdin="n\n").stderr
    ended = operator.courier("dlq", "edit", letter, "--new-token", stdin="y\n")
    assert ended.returncode == 0
    assert "the customer gets both" in ended.stderr
    (message,) = operator.on_the_queue()
    assert texts(message)["ClientToken"] == "t.edit-1"


def test_neither_edit_nor_check_prints_what_may_be_an_address(operator: Operator, tmp_path: Path) -> None:
    operator.edits_with(tmp_path, "text = text.replace('contact-1', 'contact-2')")
    letter = operator.letter(ClientToken=ADDRESS, MessageId=ADDRESS)
    ended = operator.courier("dlq", "edit", letter, "--yes")
    wrong = reply(**{ADDRESS: 1, NAME: 2, "Subjekt": 3})
    checked = operator.courier("check", "-", stdin=json.dumps(wrong))
    assert "Subjekt" in checked.stderr
    printed = ended.stdout + ended.stderr + checked.stdout + checked.stderr
    assert not any(text in printed for text in (ADDRESS, NAME))


@pytest.mark.parametrize(
    "body", ['"\\ud800"', '{"ContactId": "\\ud800"}', '{"EmailMessage": {"RawMessage": "\\ud800"}}']
)
def test_a_body_with_half_a_character_is_listed_shown_edited_and_imported(
    operator: Operator, tmp_path: Path, body: str
) -> None:
    letter = operator.letter(body, FirstTriedAt="9999-12-31T23:59:59-23:59")
    operator.did("dlq", "list")
    operator.did("dlq", "list", "--json")
    operator.did("dlq", "show", letter)
    operator.edits_with(tmp_path, "text = text + ' '")
    edited = operator.courier("dlq", "edit", letter, "--yes")
    assert "Traceback" not in edited.stderr
    file = tmp_path / "letters.jsonl"
    operator.did("dlq", "export", str(file))
    assert operator.did("dlq", "import", str(file)) == "1 imported.\n"


# Renew


def test_a_renewed_letter_keeps_all_but_its_id(operator: Operator) -> None:
    operator.letter(ClientToken="t", own="x")
    moved = operator.moved_by_sqs(own="y")
    before = operator.dead_letters
    assert operator.did("dlq", "renew") == "No letters to renew.\n"
    assert operator.did("dlq", "renew", "--yes", *(message["MessageId"] for message in before)) == "2 renewed.\n"
    after = operator.dead_letters
    assert {message["MessageId"] for message in before}.isdisjoint(message["MessageId"] for message in after)
    by_own = {texts(message)["own"]: texts(message) for message in after}
    assert by_own["x"] == next(texts(message) for message in before if texts(message)["own"] == "x")
    assert (by_own["y"]["MessageId"], "Reason" in by_own["y"]) == (moved, False)
    assert nothing_held(operator)


def test_an_edit_that_breaks_the_contract_is_not_sent_and_not_lost(operator: Operator, tmp_path: Path) -> None:
    letter = operator.letter()
    operator.edits_with(tmp_path, "text = text.replace('contact-1', '')")
    ended = operator.courier("dlq", "edit", letter, "--yes")
    assert ended.returncode == 1
    assert "your edit: reply.ContactId is empty" in ended.stderr
    (kept,) = tmp_path.glob("courier-*.json")
    assert str(kept) in ended.stderr
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert operator.on_the_queue() == []
    assert [message["MessageId"] for message in operator.dead_letters] == [letter]


def test_an_edit_that_changes_nothing_sends_nothing_and_leaves_no_file(operator: Operator, tmp_path: Path) -> None:
    letter = operator.letter()
    operator.edits_with(tmp_path, "")
    assert operator.courier("dlq", "edit", letter, "--yes").returncode == 1
    assert operator.on_the_queue() == []
    assert list(tmp_path.glob("courier-*")) == []
    assert nothing_held(operator)


def test_an_editor_that_does_not_start_is_named(operator: Operator) -> None:
    operator.environment["EDITOR"] = "no-such-editor --wait"
    ended = operator.courier("dlq", "edit", operator.letter(), "--yes")
    assert ended.returncode == 2
    assert "Set EDITOR to one that works" in ended.stderr
    assert nothing_held(operator)


def test_an_edit_of_a_letter_that_somebody_took_meanwhile_is_not_sent(operator: Operator, tmp_path: Path) -> None:
    letter = operator.letter()
    purge = (
        "import boto3; boto3.client('sqs', endpoint_url={!r}).purge_queue(QueueUrl={!r}); "
        "text = text.replace('contact-1', 'contact-2')"
    )
    operator.edits_with(tmp_path, purge.format(operator.aws.endpoint, operator.dead_letter_queue_url))
    ended = operator.courier("dlq", "edit", letter, "--yes")
    assert ended.returncode == 1
    assert "it may be gone" in ended.stderr
    assert operator.on_the_queue() == []


# Discard, export, import


def test_what_is_discarded_is_in_a_file_first_and_comes_back(operator: Operator, tmp_path: Path) -> None:
    operator.letters(15)
    operator.letter(ClientToken="stays")
    file = tmp_path / "gone.jsonl"
    discard = ["dlq", "discard", "--reason", "RetriesExhausted", "--because", "test mails", "--to", str(file)]
    assert operator.courier(*discard, stdin="n\n").returncode == 1
    assert not file.exists()
    said = operator.did(*discard, "--yes")
    assert f"written to {file}." in said
    assert "15 discarded." in said
    gone = list(lines(file.read_text()))
    assert {form["because"] for form in gone} == {"test mails"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [texts(message)["ClientToken"] for message in operator.dead_letters] == ["stays"]

    assert operator.did("dlq", "import", str(file)) == "15 imported.\n"
    back = {client_token("", message["MessageAttributes"]): message["Body"] for message in operator.dead_letters}
    assert back.pop("stays")
    assert back == {form["client_token"]: form["body"] for form in gone}


def test_a_discard_wants_a_reason_and_overwrites_nothing(operator: Operator, tmp_path: Path) -> None:
    letter = operator.letter()
    assert operator.courier("dlq", "discard", letter, "--yes").returncode == 2
    file = tmp_path / "there"
    file.write_text("mine")
    ended = operator.courier("dlq", "discard", letter, "--because", "x", "--to", str(file), "--yes")
    assert (ended.returncode, file.read_text()) == (2, "mine")
    assert "File exists" in ended.stderr
    assert [message["MessageId"] for message in operator.dead_letters] == [letter]


def test_what_cannot_be_written_is_not_deleted(operator: Operator) -> None:
    operator.letter()
    ended = operator.courier("dlq", "discard", "--all", "--because", "x", "--to", "/nowhere/at/all", "--yes")
    assert ended.returncode == 2
    assert "/nowhere/at/all: No such file" in ended.stderr
    assert len(operator.dead_letters) == 1
    assert nothing_held(operator)


def test_an_export_and_import_keep_body_attributes_and_token_bit_for_bit(operator: Operator, tmp_path: Path) -> None:
    body = 'é\t"\U0001f600\u2028 \r\n no JSON'
    url = operator.dead_letter_queue_url
    values: Any = {
        "bytes": {"DataType": "Binary.png", "BinaryValue": bytes(range(256))},
        "number": {"DataType": "Number", "StringValue": "1.50"},
    }
    letter = operator.sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=values)["MessageId"]
    file = tmp_path / "letters.jsonl"
    assert operator.did("dlq", "export", str(file)) == f"1 letter is in {file}.\n"
    assert operator.courier("dlq", "export", str(file)).returncode == 2
    assert len(operator.dead_letters) == 1

    other = operator_of_a_new_stack(operator.aws)
    assert other.did("dlq", "import", str(file)) == "1 imported.\n"
    (back,) = other.dead_letters
    assert back["Body"] == body
    ours = back["MessageAttributes"].keys() - values.keys()
    assert ours == {"ReplyCourier.MessageId", "ReplyCourier.FirstTriedAt"}  # as for all that SQS moved
    assert back["MessageAttributes"]["ReplyCourier.MessageId"]["StringValue"] == letter
    assert back["MessageAttributes"].items() >= values.items()


def test_an_import_with_a_wrong_line_imports_nothing(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"
    file.write_text('{"id": "i", "body": "b", "attributes": {}}\n{"id": "i"}\n')
    ended = operator.courier("dlq", "import", str(file))
    assert (ended.returncode, ended.stdout) == (1, "Nothing was imported.\n")
    assert "line 2: is not a letter" in ended.stderr
    assert operator.dead_letters == []


# Paused


def test_who_paused_and_since_when_is_shown_until_it_is_resumed(operator: Operator) -> None:
    for _ in range(3):
        operator.put(operator.queue_url)
    assert "The queue is empty in about 1s at 2 a second, if Connect accepts them." in operator.did("status")
    assert "Sending is paused, by user/moto since 20" in operator.did("pause")
    assert "PAUSED by user/moto since 20" in (shown := operator.did("status"))
    assert "is empty in" not in shown
    form = json.loads(operator.did("status", "--json"))
    assert (form["mapping"], form["paused"]["by"], form["gone_in_seconds"]) == ("Disabled", "user/moto", None)
    (mapping,) = operator.aws.functions.list_event_source_mappings(EventSourceArn=arn_of(operator))[
        "EventSourceMappings"
    ]
    operator.aws.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    assert "PAUSED" not in operator.did("status")
    assert json.loads(operator.did("status", "--json"))["paused"] is None
    assert json.loads(operator.did("resume", "--json")) == {"mapping": "Enabled", "paused": None}


def arn_of(operator: Operator) -> str:
    attributes = operator.sqs.get_queue_attributes(QueueUrl=operator.queue_url, AttributeNames=["QueueArn"])
    return attributes["Attributes"]["QueueArn"]


def test_status_says_how_much_of_the_rate_is_used(operator: Operator) -> None:
    service: Any = [{"Name": "service", "Value": operator.stack}]
    at = datetime.now(UTC).replace(second=0) - timedelta(minutes=3)
    operator.aws.cloudwatch.put_metric_data(
        Namespace="ReplyCourier",
        MetricData=[{"MetricName": "RepliesSent", "Dimensions": service, "Timestamp": at, "Value": 540}],
    )
    assert "Sent in the last 5 minutes: 540, 90% of sendRate (counted up to 2 minutes late)." in operator.did("status")
    assert json.loads(operator.did("status", "--json"))["share_used"] == 0.9


def test_a_pause_needs_a_stack_that_names_its_mapping(operator: Operator) -> None:
    outputs = {name: {"Value": {"Ref": "Q"}} for name in ("QueueUrl", "DeadLetterQueueUrl")}
    template = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Outputs": outputs}
    name = f"old-{os.urandom(4).hex()}"
    operator.aws.stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))
    ended = operator.courier("--stack", name, "pause")
    assert ended.returncode == 2
    assert "has no output 'MappingId'" in ended.stderr
    assert "replies" in operator.did("--stack", name, "status")


# Errors


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (["--stack", "no-such-stack"], {}, "There is no stack no-such-stack in the Region eu-central-1"),
        (["--region", "us-east-1"], {}, "in the Region us-east-1"),
        (["--profile", "no-such-profile"], {}, "no-such-profile"),
        (["--endpoint-url", "http://localhost:1"], {"AWS_MAX_ATTEMPTS": "1"}, "--endpoint-url"),
        ([], {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "There are no AWS credentials"),
        ([], {"AWS_REGION": None, "AWS_DEFAULT_REGION": None}, "No AWS Region is set"),
    ],
)
def test_no_access_is_explained_and_exits_with_2(
    operator: Operator, arguments: list[str], environment: dict[str, str | None], told: str
) -> None:
    operator.environment |= environment
    ended = operator.courier(*arguments, "dlq", "list")
    assert ended.returncode == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("operation", "permission"),
    [
        ("ReceiveMessage", "sqs:ReceiveMessage"),
        ("SendMessageBatch", "sqs:SendMessage"),
        ("DeleteMessageBatch", "sqs:DeleteMessage"),
    ],
)
def test_a_missing_permission_is_named(operator: Operator, operation: str, permission: str) -> None:
    operator.letter()
    with SqsFaults(operator.aws.endpoint, Random(1)) as faults:
        faults.fail(operation, "refuse")
        operator.environment["AWS_ENDPOINT_URL_SQS"] = faults.url
        ended = operator.courier("dlq", "replay", "--all", "--yes")
    assert ended.returncode == 2
    assert f"You are not allowed to {permission}" in ended.stderr
    assert nothing_held(operator)


def test_a_queue_that_is_gone_is_named(operator: Operator) -> None:
    operator.sqs.delete_queue(QueueUrl=operator.dead_letter_queue_url)
    ended = operator.courier("dlq", "list")
    assert ended.returncode == 2
    assert "names a queue that does not exist" in ended.stderr


def test_another_ones_stack_is_told_from_ours(operator: Operator) -> None:
    template = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}
    name = f"other-{os.urandom(4).hex()}"
    operator.aws.stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))
    ended = operator.courier("--stack", name, "status")
    assert ended.returncode == 2
    assert "has no output 'QueueUrl'" in ended.stderr


def test_wrong_usage_exits_with_2(operator: Operator) -> None:
    for arguments in (
        ["dlq", "list", "--older-than", "7"],
        ["dlq", "replay", "--all", "--rate", "0"],
        ["dlq", "nonsense"],
    ):
        assert operator.courier(*arguments).returncode == 2
    assert operator.courier("send", "/nowhere/at/all").returncode == 2
