from bench.chaos.tally import Account
from bench.faults import Outcome, in_words
from bench.report import report


def outcome(**changes: object) -> Outcome:
    figures = {"replies": 10, "sent": 8, "calls": 12, "repeats": 0, "answers_lost": 0}
    lists: dict[str, list[str]] = {
        name: [] for name in ("lost", "twice", "without_reason", "dead_though_sound", "wrong_token")
    }
    return Outcome(Account(**(figures | lists | changes)), cut_off=3, concurrency=20)  # type: ignore[arg-type]


def test_the_table_sums_the_runs_of_each_system() -> None:
    text = in_words([1, 2], [outcome(), outcome()], [outcome(twice=["a", "b"]), outcome(twice=["c"], calls=36)])
    assert "| replies | 20 | 20 |" in text
    assert "| sent twice | 0 | 3 |" in text
    assert "| calls for each email | 1.50 | 3.00 |" in text
    assert "| invocations cut off | 6 | 6 |" in text
    assert "Seeds: 1, 2." in text


def test_where_nothing_was_sent_there_are_no_calls_for_each_email() -> None:
    assert "| calls for each email | - | 1.50 |" in in_words([1], [outcome(sent=0)], [outcome()])


def test_a_report_says_how_to_get_it_again() -> None:
    assert "`python -m bench faults --seeds 1`" in report("python -m bench faults --seeds 1", "content")
    assert "moto 5" in report("", "")
