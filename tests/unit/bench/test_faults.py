"""The table "faults"."""

from bench.faults import Outcome, to_markdown
from bench.report import report
from bench.tally import Tally


def outcome(**changes: object) -> Outcome:
    figures = {"replies": 10, "sent": 8, "calls": 12, "repeats": 0, "answers_lost": 0}
    lists: dict[str, list[str]] = {
        name: [] for name in ("lost", "twice", "without_reason", "dead_though_sound", "several_tokens")
    }
    return Outcome(Tally(**(figures | lists | changes)), cut_off=3, concurrency=20)  # type: ignore[arg-type]


def test_the_table_sums_the_runs_of_each_system() -> None:
    text = to_markdown(
        [1, 2],
        {
            "reply-courier": [outcome(), outcome()],
            "peer": [outcome(), outcome(twice=["a"])],
            "peer without client token": [outcome(twice=["a", "b"]), outcome(twice=["c"], calls=36)],
        },
    )
    assert "| replies | 20 | 20 | 20 |" in text
    assert "| sent twice | 0 | 1 | 3 |" in text
    assert "| calls for each email | 1.50 | 1.50 | 3.00 |" in text
    assert "| invocations cut off | 6 | 6 | 6 |" in text
    assert "Seeds: 1, 2." in text


def test_a_system_that_sent_nothing_has_no_calls_for_each_email() -> None:
    text = to_markdown([1], {"reply-courier": [outcome(sent=0)], "peer": [outcome()]})
    assert "| calls for each email | - | 1.50 |" in text


def test_a_report_names_its_command_and_versions() -> None:
    assert "`python -m bench faults --seeds 1`" in report("python -m bench faults --seeds 1", "content")
    assert "moto 5" in report("", "")
