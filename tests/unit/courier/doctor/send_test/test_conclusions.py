from __future__ import annotations

from pathlib import Path

import pytest

from courier.doctor.send_test.answer import Answer, Step
from courier.doctor.send_test.conclusions import SENTENCES, Sentence, conclusions, emails

ROOT = Path(__file__).parents[5]
OK, OTHER = Answer(200, same_contact=True), Answer(200, same_contact=False)
BAD, MISSING, USED, BUSY, LOST = Answer(400), Answer(404), Answer(409), Answer(429), Answer(None)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_stands_in_its_document(sentence: Sentence) -> None:
    document = " ".join((ROOT / sentence.document).read_text().split())
    assert sentence.text in document


@pytest.mark.parametrize(
    ("bad", "mended", "anew", "proof"),
    [
        (BAD, OK, None, "proved"),
        (BAD, USED, OK, "disproved"),
        (BAD, BAD, OK, "disproved"),  # the refusal itself is what is remembered
        (BAD, MISSING, MISSING, "open"),
        (BAD, BUSY, None, "open"),
        (OK, None, None, "open"),
        (LOST, None, None, "open"),
    ],
)
def test_refusals(bad: Answer, mended: Answer | None, anew: Answer | None, proof: str) -> None:
    steps = {Step.BAD_BODY: bad, Step.MENDED_BODY: mended, Step.MENDED_BODY_NEW_TOKEN: anew}
    found = conclusions({step: answer for step, answer in steps.items() if answer})[0]
    assert (found.proof, found.sentence.text) == (
        proof,
        "An edit keeps the token, too: a refused token is unused",
    )


@pytest.mark.parametrize(
    ("repeat", "proof", "begins"),
    [
        (OK, "proved", "If a repeat is answered with 200"),
        (OTHER, "disproved", "If a repeat is answered with 200"),
        (USED, "proved", "If it is answered with 409"),
        (BAD, "disproved", "If a repeat is answered with 200"),
        (MISSING, "disproved", "If a repeat is answered with 200"),
        (LOST, "open", "If a repeat is answered with 200"),
    ],
)
def test_repeats(repeat: Answer, proof: str, begins: str) -> None:
    found = conclusions({Step.REPEAT: repeat})[1]
    assert found.proof == proof
    assert found.sentence.text.startswith(begins)


@pytest.mark.parametrize(("spent", "proof"), [(OK, "proved"), (BAD, "disproved"), (USED, "disproved"), (BUSY, "open")])
def test_spent_contacts(spent: Answer, proof: str) -> None:
    assert conclusions({Step.SPENT_CONTACT: spent})[2].proof == proof


@pytest.mark.parametrize(
    ("wrong", "proof", "so"),
    [
        (MISSING, "proved", "NotFound"),
        (BAD, "disproved", "InvalidRequest"),
        (Answer(410), "disproved", "Refused"),
        (OK, "disproved", "accepts"),
        (LOST, "open", "again"),
    ],
)
def test_wrong_contacts(wrong: Answer, proof: str, so: str) -> None:
    found = conclusions({Step.WRONG_CONTACT: wrong})[3]
    assert found.proof == proof
    assert so in found.so


def test_without_any_answer_all_is_open() -> None:
    assert {conclusion.proof for conclusion in conclusions({})} == {"open"}


def test_the_mailbox_must_hold_what_was_accepted_but_no_repeat() -> None:
    answers = {Step.BAD_BODY: BAD, Step.MENDED_BODY_NEW_TOKEN: OK, Step.REPEAT: OK, Step.SPENT_CONTACT: OK}
    assert emails(answers) == ["mended body", "spent contact"]
