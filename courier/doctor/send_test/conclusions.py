"""What the answers of a send test prove, and which sentence of the documents. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from courier.doctor.send_test.answer import Answer, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFLICT = 409
NOT_FOUND = 404
BAD_REQUEST = 400
REPEATED = "IdempotencyException"


class Proof(StrEnum):
    """What the answers say of a sentence."""

    PROVED = "proved"
    DISPROVED = "disproved"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the documents that rests on what AWS does not document."""

    document: str
    text: str


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What is known now.

    Attributes:
        question: What AWS does not document.
        proof: Of the sentence.
        sentence: Which one.
        so: What the answers mean for those who work with it.
    """

    question: str
    proof: Proof
    sentence: Sentence
    so: str

    def to_json(self) -> dict[str, Any]:
        """As the file holds it."""
        return {
            "question": self.question,
            "proof": self.proof,
            "document": self.sentence.document,
            "sentence": self.sentence.text,
            "so": self.so,
        }


REFUSED_IS_UNUSED = Sentence("docs/design.md", "An edit keeps the token, too: a refused token is unused")
REPEAT_IS_200 = Sentence("docs/design.md", "If a repeat is answered with 200 and the first ContactId, all is simple.")
REPEAT_IS_409 = Sentence("docs/design.md", "If it is answered with 409, that can be this very reply")
BOTH_COME = Sentence("docs/courier.md", "if the first one was sent, the customer gets both")
WRONG_IS_404 = Sentence("docs/runbook.md", "Connect does not know the contact, the template or the instance (404)")
SENTENCES = (REFUSED_IS_UNUSED, REPEAT_IS_200, REPEAT_IS_409, BOTH_COME, WRONG_IS_404)
NO_ANSWER = Answer(None)


def conclusions(answers: Mapping[Step, Answer]) -> list[Conclusion]:
    """Answer each question by the answers there are."""
    return [
        _of_refusals(answers),
        _of_repeats(answers.get(Step.REPEAT, NO_ANSWER)),
        _of_spent_contacts(answers.get(Step.SPENT_CONTACT, NO_ANSWER)),
        _of_wrong_contacts(answers.get(Step.WRONG_CONTACT, NO_ANSWER)),
    ]


def _of_refusals(answers: Mapping[Step, Answer]) -> Conclusion:
    question = "Does Connect remember a token under which it refused a request?"
    bad, mended, anew = (
        answers.get(step, NO_ANSWER) for step in (Step.BAD_BODY, Step.MENDED_BODY, Step.MENDED_BODY_NEW_TOKEN)
    )
    if mended.is_accepted:
        so = "No: a mended reply goes out under its token, and the hole that docs/design.md names does not exist."
        return Conclusion(question, Proof.PROVED, REFUSED_IS_UNUSED, so)
    if mended.is_refused and anew.is_accepted:
        so = (
            "Yes: a refused reply is edited with --new-token, once it is sure that it was not sent; and the hole that "
            "docs/design.md names (One hole stays if Connect remembers refusals) exists."
        )
        return Conclusion(question, Proof.DISPROVED, REFUSED_IS_UNUSED, so)
    if bad.is_accepted:
        so = "Connect took an address that the instance does not have, so there was no refusal."
    elif anew.is_refused:
        so = "Connect refused the mended body under a new token as well: use another contact."
    else:
        so = "Not every call got an answer that settles it: run it again, with another contact."
    return Conclusion(question, Proof.OPEN, REFUSED_IS_UNUSED, so)


def _of_repeats(answer: Answer) -> Conclusion:
    question = "How does Connect answer the same request under the same token?"
    if answer.is_accepted and answer.same_contact:
        so = "With 200 and the same contact: a reply whose answer was lost is told as sent."
        return Conclusion(question, Proof.PROVED, REPEAT_IS_200, so)
    if answer.status == CONFLICT:
        so = "With 409: a letter TokenAlreadyUsed can be of a reply that was sent. Keep all the care of the runbook."
        return Conclusion(question, Proof.PROVED, REPEAT_IS_409, so)
    if answer.is_accepted or answer.is_refused:
        so = f"With {answer.status}, as no document says: tell the makers of reply-courier before you send with it."
        return Conclusion(question, Proof.DISPROVED, REPEAT_IS_200, so)
    return Conclusion(question, Proof.OPEN, REPEAT_IS_200, "No email was accepted whose call could be repeated.")


def _of_spent_contacts(answer: Answer) -> Conclusion:
    question = "Is a contact that was sent sent again under another token?"
    if answer.is_accepted:
        so = "Yes: only the token keeps a customer from getting a reply twice."
        return Conclusion(question, Proof.PROVED, BOTH_COME, so)
    if answer.is_refused:
        so = f"No ({answer.status}): not even an edit with --new-token sends a contact's email twice."
        return Conclusion(question, Proof.DISPROVED, BOTH_COME, so)
    return Conclusion(question, Proof.OPEN, BOTH_COME, "No email was accepted, so there is no spent contact.")


def _of_wrong_contacts(answer: Answer) -> Conclusion:
    question = "How does Connect answer for a contact that it does not know?"
    if answer.status == NOT_FOUND:
        return Conclusion(question, Proof.PROVED, WRONG_IS_404, "Such replies are dead letters with NotFound.")
    if answer.is_refused:
        if answer.error == REPEATED:
            so = f"With {answer.status}: taken for a repeated token, so TokenAlreadyUsed or AlreadySent, not NotFound."
            return Conclusion(question, Proof.DISPROVED, WRONG_IS_404, so)
        reason = "InvalidRequest" if answer.status == BAD_REQUEST else "Refused"
        so = f"With {answer.status}: such replies are dead letters with {reason}, and not with NotFound."
        return Conclusion(question, Proof.DISPROVED, WRONG_IS_404, so)
    if answer.is_accepted:
        so = "It accepts one, and what becomes of the email is not known."
        return Conclusion(question, Proof.DISPROVED, WRONG_IS_404, so)
    return Conclusion(question, Proof.OPEN, WRONG_IS_404, "The call got no answer that settles it: run it again.")


def emails(answers: Mapping[Step, Answer]) -> list[str]:
    """The test emails that must be in the mailbox, once each, by their subjects' ends."""
    steps = (step for step in answers if step is not Step.REPEAT and answers[step].is_accepted)
    # The one under a new token is the mended body.
    return [(Step.MENDED_BODY if step is Step.MENDED_BODY_NEW_TOKEN else step).replace("_", " ") for step in steps]
