"""What `courier dlq replay` and `edit` say became of replies; the function's lines are written by the test."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.log_lines import fields
from tests.operators import texts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.operators import Operator


def sent(token: str) -> dict[str, Any]:
    return fields("reply_sent", client_token=token)


def dead(token: str, reason: str = "NotFound") -> dict[str, Any]:
    return fields("reply_dead_lettered", client_token=token, reason=reason)


def tokens_on_the_queue(operator: Operator) -> list[str]:
    return sorted(texts(message)["ClientToken"] for message in operator.on_the_queue())


def test_a_wait_ends_in_what_became_of_each(operator: Operator) -> None:
    operator.letters(3)
    operator.will_log(sent("token-0"), dead("token-1"), sent("token-2"))
    ended = operator.courier("dlq", "replay", "--all", "--yes", "--wait")
    assert ended.stdout == "3 replayed.\n2 sent, 1 came back (1 NotFound), 0 not known yet.\n"
    assert ended.returncode == 1
    assert "Why: courier trace token-1" in ended.stderr


def test_a_wait_for_what_is_sent_is_a_success(operator: Operator) -> None:
    operator.letter(ClientToken="t-1")
    operator.will_log(sent("t-1"))
    assert operator.did("dlq", "replay", "--all", "--yes", "--wait").endswith("1 sent, 0 came back, 0 not known yet.\n")


def test_a_canary_that_came_back_keeps_the_others_where_they_are(operator: Operator) -> None:
    operator.letters(30)
    operator.will_log(*(dead(f"token-{n}", "Refused") for n in range(30)))
    ended = operator.courier("dlq", "replay", "--all", "--yes", "--canary", "4")
    assert ended.returncode == 1
    assert "Of the first 4: 0 sent, 4 came back (4 Refused), 0 not known yet. The others stay." in ended.stderr
    assert "Why: courier dlq groups --newer-than 1h" in ended.stderr
    assert ended.stdout == "4 replayed.\n"
    assert len(operator.on_the_queue()) == 4
    assert len(operator.dead_letters) == 26
    assert operator.counts(operator.dead_letter_queue_url) == (26, 0)


def test_a_canary_that_is_sent_lets_the_others_follow(operator: Operator) -> None:
    operator.letters(30)
    operator.will_log(*(sent(f"token-{n}") for n in range(30)))
    ended = operator.courier("dlq", "replay", "--all", "--canary", "4", stdin="y\n")
    assert "Replay 30 letters (30 RetriesExhausted), 4 first?" in ended.stderr
    assert "Of the first 4: 4 sent, 0 came back, 0 not known yet. The others follow." in ended.stderr
    assert (ended.returncode, ended.stdout.strip()) == (
        0,
        "30 replayed.\n30 sent, 0 came back, 0 not known yet.",
    )
    assert tokens_on_the_queue(operator) == sorted(f"token-{n}" for n in range(30))


def test_a_canary_of_which_nothing_is_known_in_time_keeps_the_others(operator: Operator) -> None:
    operator.letters(3)
    ended = operator.courier("dlq", "replay", "--all", "--yes", "--canary", "1", "--timeout", "1s")
    assert ended.returncode == 1
    assert "Of the first 1: 0 sent, 0 came back, 1 not known yet. The others stay." in ended.stderr
    assert len(operator.on_the_queue()) == 1


def test_a_limit_holds_for_the_canary_and_the_others_together(operator: Operator) -> None:
    operator.letters(9)
    old = operator.letter(FirstTriedAt="2020-01-01T00:00:00+00:00")
    operator.will_log(*(sent(f"token-{n}") for n in range(9)))
    ended = operator.courier("dlq", "replay", "--limit", "5", "--yes", "--canary", "2")
    assert ended.stdout.startswith("5 replayed.\n")
    assert ended.stderr.count(old) <= 1  # it is seen in both passes, and told once
    assert len(operator.dead_letters) == 5


def test_ids_are_found_by_both_passes(operator: Operator) -> None:
    ids = [operator.letter(ClientToken=f"t-{n}") for n in range(4)]
    operator.will_log(*(sent(f"t-{n}") for n in range(4)))
    assert operator.did("dlq", "replay", "--yes", "--canary", "2", *ids).startswith("4 replayed.\n")
    assert operator.dead_letters == []


def test_a_program_reads_what_became_of_each(operator: Operator) -> None:
    operator.letters(2)
    operator.letter(ClientToken="of ana")  # the log withholds what is not an identifier
    operator.will_log(sent("token-0"), dead("token-1"))
    ended = operator.courier("dlq", "replay", "--all", "not-there", "--json", "--yes")
    assert ended.returncode == 2  # ids and --all
    told = json.loads(operator.did("dlq", "replay", "--all", "--json", "--yes"))
    assert told == {
        "replayed": 3,
        "sent": ["token-0"],
        "came_back": {"token-1": "NotFound"},
        "not_known": [],
        "withheld": 1,
        "not_done": [],
        "copies": 0,
        "stopped": False,
    }


def test_a_dry_run_for_programs_has_a_line_for_each_letter(operator: Operator) -> None:
    letter = operator.letter(ClientToken="t-1")
    told = json.loads(operator.did("dlq", "replay", "--dry-run", "--json"))
    assert (told["id"], told["client_token"], told["plan"]) == (letter, "t-1", "keeps its token")


def test_a_program_reads_what_the_preview_refused_too(operator: Operator) -> None:
    old = operator.letter(FirstTriedAt="2020-01-01T00:00:00+00:00")
    nothing = operator.courier("dlq", "replay", "--all", "--json")
    operator.letter(ClientToken="t")
    operator.letter(ClientToken="t")
    ended = operator.courier("dlq", "replay", "--all", "--json", stdin="y\n")
    for each, replayed, copies in ((nothing, 0, 0), (ended, 1, 1)):
        told = json.loads(each.stdout)
        assert (each.returncode, told["replayed"], told["copies"]) == (1, replayed, copies)
        assert [failure["name"] for failure in told["not_done"]] == [old]
        assert each.stderr.count(old) == 1


@pytest.mark.parametrize(
    "command", [["replay", "--all", "--canary", "1"], ["replay", "--all", "--wait"], ["edit", "x", "--wait"]]
)
def test_what_waits_for_outcomes_needs_a_stack_with_a_log(operator: Operator, command: list[str]) -> None:
    operator.letter()
    urls = ("--queue-url", operator.queue_url, "--dead-letter-queue-url", operator.dead_letter_queue_url)
    ended = operator.courier(*urls, "dlq", *command, "--yes")
    assert ended.returncode == 2
    assert "--wait and --canary read the function's log" in " ".join(ended.stderr.replace("│", "").split())
    assert len(operator.dead_letters) == 1


def test_a_timeout_without_a_wait_is_wrong_usage(operator: Operator) -> None:
    assert operator.courier("dlq", "replay", "--all", "--yes", "--timeout", "5s").returncode == 2


def test_an_edit_waits_as_well(operator: Operator, tmp_path: Path) -> None:
    operator.edits_with(tmp_path, "text = text.replace('contact-1', 'contact-2')")
    operator.will_log(sent("t-1"), dead("t-2"))
    good = operator.courier("dlq", "edit", operator.letter(ClientToken="t-1"), "--yes", "--wait")
    assert (good.returncode, good.stdout) == (0, "1 edited and on the queue.\n1 sent, 0 came back, 0 not known yet.\n")
    bad = operator.courier("dlq", "edit", operator.letter(ClientToken="t-2"), "--yes", "--wait")
    assert bad.returncode == 1
    assert "1 came back (1 NotFound)" in bad.stdout
    assert "Why: courier trace t-2" in bad.stderr


def test_a_replay_says_that_it_cannot_search_the_log_and_is_done(operator: Operator) -> None:
    operator.letter()
    operator.aws.logs.delete_log_group(logGroupName=operator.log_group)
    ended = operator.courier("dlq", "replay", "--all", "--yes")
    assert ended.returncode == 0
    assert "1 not known yet" in ended.stdout
    assert "names a log group that does not exist" in ended.stderr


def test_each_action_is_in_the_journal_of_the_stack(operator: Operator, tmp_path: Path) -> None:
    ids = [operator.letter(ClientToken=f"t-{n}") for n in range(4)]
    operator.edits_with(tmp_path, "text = text.replace('contact-1', 'contact-2')")
    gone = str(tmp_path / "gone.jsonl")
    operator.did("dlq", "renew", ids[0], "--yes")
    operator.did("dlq", "replay", ids[1], "--yes")
    operator.did("dlq", "edit", ids[2], "--yes")
    operator.did("dlq", "discard", ids[3], "--because", "told ana@example.com by phone", "--to", gone, "--yes")
    operator.did("dlq", "import", gone)
    operator.did("pause")
    operator.did("resume")
    operator.did("dlq", "list")  # changes nothing

    lines = operator.journal()
    started = {line["what"]: line for line in lines if line["event"] == "started"}
    assert [*started] == ["dlq renew", "dlq replay", "dlq edit", "dlq discard", "dlq import", "pause", "resume"]
    assert started["dlq replay"]["requested"] == {"ids": [ids[1]]}
    assert started["dlq replay"]["by"] == "user/moto"
    of_action = {what: [each for each in lines if each["action"] == line["action"]] for what, line in started.items()}
    affected = {what: each[1]["tokens"] for what, each in of_action.items() if each[1]["event"] == "affects"}
    assert affected == {
        "dlq renew": ["t-0"],
        "dlq replay": ["t-1"],
        "dlq edit": ["t-2"],
        "dlq discard": ["t-3"],
        "dlq import": ["t-3"],
    }
    outcomes = {what: each[-1]["outcome"] for what, each in of_action.items()}
    assert outcomes["dlq discard"] == {"discarded": 1, "not_done": 0}
    assert outcomes["dlq replay"] == {"replayed": 1, "not_done": 0, "sent": 0, "came_back": {}, "not_known": 1}
    assert outcomes["pause"]["mapping"] == "Disabled"
    assert "ana" not in str(lines)


def test_without_a_journal_only_what_cannot_be_undone_needs_a_word(operator: Operator, tmp_path: Path) -> None:
    operator.aws.logs.delete_log_group(logGroupName=operator.output("JournalLogGroupName"))
    operator.edits_with(tmp_path, "text = text.replace('contact-1', 'contact-2')")
    ids = [operator.letter(ClientToken=f"t-{n}") for n in range(4)]
    to = ("--because", "x", "--to", str(tmp_path / "gone"))
    refused = (
        ["dlq", "discard", ids[0], *to],
        ["dlq", "replay", ids[1], "--force"],
        ["dlq", "edit", ids[2], "--new-token"],
        ["dlq", "edit", ids[2], "--force"],
    )
    for command in refused:
        ended = operator.courier(*command, "--yes")
        assert ended.returncode == 2
        assert "needs the journal: CloudWatch refused the line (ResourceNotFoundException)" in ended.stderr
    assert len(operator.dead_letters) == 4
    for command in refused[:3]:
        ended = operator.courier(*command, "--yes", "--no-journal")
        assert ended.returncode == 0
        assert "The journal does not record this" in ended.stderr
    assert operator.did("dlq", "replay", ids[3], "--yes").startswith("1 replayed.")
    assert operator.did("pause")


def test_a_canary_of_old_letters_takes_others_in_their_place(operator: Operator) -> None:
    old = [operator.letter(FirstTriedAt="2020-01-01T00:00:00+00:00") for _ in range(2)]
    new = [operator.letter(ClientToken=f"t-{n}") for n in range(4)]
    operator.will_log(*(dead(f"t-{n}") for n in range(4)))
    ended = operator.courier("dlq", "replay", *old, *new, "--yes", "--canary", "2")
    assert "Of the first 2: 0 sent, 2 came back" in ended.stderr
    assert len(operator.on_the_queue()) == 2


def test_a_canary_that_is_not_even_put_back_stops_the_others(operator: Operator) -> None:
    for n in range(3):
        operator.large_letter(ClientToken=f"t-{n}")
    for letter in operator.dead_letters:
        key = json.loads(letter["Body"])[1]["s3Key"]
        operator.aws.files.delete_object(Bucket=operator.payload_bucket, Key=key)
    ended = operator.courier("dlq", "replay", "--all", "--yes", "--canary", "1")
    assert ended.returncode == 1
    assert "Of the first 1: 0 sent, 0 came back, 0 not known yet, 1 not replayed. The others stay." in ended.stderr
    assert operator.on_the_queue() == []
    assert len(operator.dead_letters) == 3
