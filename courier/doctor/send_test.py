"""`courier doctor --send-test`: settles on a real account how Connect answers where AWS does not document it."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rich.text import Text

from contract.client_token import is_identifier, iso
from courier import output
from courier.aws import BOTO_CONFIG
from courier.doctor.queries import function_configuration, instance_id
from courier.export import private_file
from courier.groups import member_path
from courier.journal import Action, journal
from courier.output import EXIT_PARTIAL, confirm, json_line, out, say
from courier.reply_files import reply_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from mypy_boto3_connect import ConnectClient

    from courier.aws import Account

UNKNOWN_SENDER = {"EmailAddress": "nobody@reply-courier.invalid"}
"""No instance has it: the domain .invalid is kept free (RFC 2606)."""
PACE_SECONDS = 0.6
"""Between two calls: fewer than the 2 a second that a new account may make."""
THROTTLED_SECONDS = 3
PATIENCE = 10
"""So often a throttled call is made again: the function may be using the quota."""
THROTTLED = 429
NOT_ALLOWED = {401, 403}
SUBJECT = "reply-courier send test"


def email(contact_id: str, address: str, step: Step, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The request for a test email, by the step that sends it."""
    return {
        "ContactId": contact_id,
        "DestinationEmailAddress": {"EmailAddress": address},
        "EmailMessage": {
            "MessageSourceType": "RAW",
            "RawMessage": {
                "Subject": f"{SUBJECT}: {step.replace('_', ' ')}",
                "Body": "This email was asked for with `courier doctor --send-test`. You need not do anything.",
                "ContentType": "text/plain",
            },
        },
        **more,
    }


@dataclass
class Trial:
    """Makes the calls.

    Attributes:
        connect: Repeats no call by itself.
        instance_id: Of the stack.
        new_id: Returns an id that nobody has used.
        sleep: Waits a number of seconds.
        answers: Those so far.
    """

    connect: ConnectClient
    instance_id: str
    new_id: Callable[[], str]
    sleep: Callable[[float], None]
    answers: dict[Step, Answer] = field(default_factory=dict)

    def run(self, contact_id: str, address: str) -> Iterator[tuple[Step, Answer]]:
        """Yield each call's answer as it comes.

        Raises:
            botocore.exceptions.ClientError: The caller may not send.
        """
        token = self.new_id()
        bad = email(contact_id, address, Step.BAD_BODY, FromEmailAddress=UNKNOWN_SENDER)
        mended = email(contact_id, address, Step.MENDED_BODY)
        sent: tuple[Mapping[str, Any], str] | None = None
        yield self._call(Step.BAD_BODY, bad, token)
        if self.answers[Step.BAD_BODY].is_accepted:
            sent = (bad, token)
        elif self.answers[Step.BAD_BODY].is_refused:
            yield self._call(Step.MENDED_BODY, mended, token)
            if self.answers[Step.MENDED_BODY].is_refused:  # because the refusal is remembered, or the contact is bad?
                token = self.new_id()
                yield self._call(Step.MENDED_BODY_NEW_TOKEN, mended, token)
            if self.answers[list(self.answers)[-1]].is_accepted:
                sent = (mended, token)
        if sent:
            yield self._call(Step.REPEAT, *sent)
            again = email(contact_id, address, Step.SPENT_CONTACT)
            yield self._call(Step.SPENT_CONTACT, again, self.new_id())
        nobodys = email(self.new_id(), address, Step.WRONG_CONTACT)
        yield self._call(Step.WRONG_CONTACT, nobodys, self.new_id())

    def _call(self, step: Step, request: Mapping[str, Any], token: str) -> tuple[Step, Answer]:
        for _ in range(PATIENCE):
            if self.answers:
                self.sleep(PACE_SECONDS)
            answer = self.answers[step] = self._asked(request, token)
            if answer.status != THROTTLED:
                break
            self.sleep(THROTTLED_SECONDS)
        return step, self.answers[step]

    def _asked(self, request: Mapping[str, Any], token: str) -> Answer:
        try:
            answer = self.connect.start_outbound_email_contact(
                InstanceId=self.instance_id, ClientToken=token, **request
            )
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in NOT_ALLOWED:
                raise
            return refused(error)
        except BotoCoreError as error:
            return lost(error)
        if "ContactId" not in answer:  # botocore reads a 200 whose body is not JSON as an empty answer
            return unreadable()
        return accepted(answer["ContactId"], request["ContactId"])


OK = 200
_SERVER_ERROR = 500
_PASSING = {402, 408, 429}


class Step(StrEnum):
    """A call, by what is sent; local/connect/settings.py reads these names."""

    BAD_BODY = "bad_body"
    MENDED_BODY = "mended_body"
    MENDED_BODY_NEW_TOKEN = "mended_body_new_token"
    REPEAT = "repeat"
    SPENT_CONTACT = "spent_contact"
    WRONG_CONTACT = "wrong_contact"


@dataclass(frozen=True, slots=True)
class Answer:
    """What Connect answered, less what may be personal.

    Attributes:
        status: The HTTP status; None if there was no answer.
        error: AWS's name for the error; None if there was none.
        message: The member that Connect's message names, if any.
        same_contact: Whether it was accepted with the contact id of the request.
    """

    status: int | None
    error: str | None = None
    message: str = ""
    same_contact: bool | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether Connect took it."""
        return self.status == OK

    @property
    def is_refused(self) -> bool:
        """Whether Connect refused it for good: an answer that passes, or none, settles nothing."""
        return self.status is not None and OK < self.status < _SERVER_ERROR and self.status not in _PASSING

    def __str__(self) -> str:
        """As a person reads it."""
        if self.is_accepted:
            return "200, accepted" + ("" if self.same_contact else " under another contact id")
        told = f"{self.status or 'no answer'} {self.error or ''}".strip()
        return f"{told}: {self.message}" if self.message else told

    def to_json(self) -> dict[str, Any]:
        """As the file holds it."""
        return asdict(self)


def accepted(contact_id: str, asked_for: str) -> Answer:
    """Connect's answer with a contact id."""
    return Answer(OK, same_contact=contact_id == asked_for)


def refused(error: ClientError) -> Answer:
    """Connect's refusal; its words may quote the request."""
    answer = error.response["Error"]
    code = answer.get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return Answer(status, code if is_identifier(code) else "(withheld)", member_path(answer.get("Message", "")) or "")


def unreadable() -> Answer:
    """An answer without a contact id: as with none at all, what came of the call is not known."""
    return Answer(None, "AnswerWithoutContactId")


def lost(error: BotoCoreError) -> Answer:
    """No answer: what came of the call is not known."""
    return Answer(None, type(error).__name__)


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


QUESTION = (
    "Send a test email to this address with this contact? The contact is used up. It is one email, or up to three if "
    "Connect accepts what it should refuse. The calls use the account's quota."
)


def send_test(  # noqa: PLR0913 - the command's options
    account: Account, contact_id: str, address: str, to: Path | None, *, yes: bool, as_json: bool
) -> None:
    """Make the calls, keep the answers in a new file, and say what they prove.

    Raises:
        typer.BadParameter: The contract does not take the contact id or the address.
        typer.Exit: Something is still open, or the answer to the question is no.
    """
    if wrong := reply_errors(json.dumps(email(contact_id, address, Step.MENDED_BODY))):
        raise typer.BadParameter("; ".join(wrong))
    instance = instance_id(function_configuration(account))
    confirm(QUESTION, yes=yes)
    now = time.time()
    path = to or Path(f"connect-answers-{time.strftime('%Y%m%dT%H%M%S', time.gmtime(now))}.json")
    with private_file(path) as file, journal(account, "doctor --send-test") as action:
        trial = Trial(_connect_without_retries(account), instance, partial(_new_id, action), time.sleep)
        try:
            for step, answer in trial.run(contact_id, address):
                if not as_json:
                    show_answer(step, answer)
        finally:
            proved = conclusions(trial.answers)
            kept = {
                "asked_at": iso(now),
                "answers": {step: answer.to_json() for step, answer in trial.answers.items()},
                "conclusions": [conclusion.to_json() for conclusion in proved],
            }
            action.outcome = {step: answer.status for step, answer in trial.answers.items()}
            file.write(json.dumps(kept, indent=2) + "\n")
            if not trial.answers:
                path.unlink()
    if as_json:
        output.data(json_line(kept))
    else:
        show_conclusions(proved, emails(trial.answers))
    output.warn(f"The answers are in {path}; local AWS gives the same ones: make local ANSWERS={path}")
    if any(conclusion.proof is Proof.OPEN for conclusion in proved):
        raise typer.Exit(EXIT_PARTIAL)


def _new_id(action: Action) -> str:
    """A client token, or a contact id that is nobody's; the journal has it before Connect does."""
    made = str(uuid.uuid4())
    action.record_tokens([made])
    return made


STYLES = {Proof.PROVED: "green", Proof.DISPROVED: "bold red", Proof.OPEN: "yellow"}
WIDTH = 24


def show_answer(step: Step, answer: Answer) -> None:
    """A call and its answer, in a line."""
    say(f"{step.replace('_', ' '):{WIDTH}}{answer}")


def show_conclusions(conclusions: Iterable[Conclusion], emails: Iterable[str]) -> None:
    """Each question with its answer, the sentence it is about, and what only the mailbox knows."""
    for each in conclusions:
        out.print()
        say(each.question)
        say(each.so)
        line = Text(each.proof, style=STYLES[each.proof])
        out.print(line.append(f': {each.sentence.document}, "{each.sentence.text}"'), soft_wrap=not out.is_terminal)
    out.print()
    if subjects := ", ".join(f'"{email}"' for email in emails):
        say(f"Look into the mailbox: the test email {subjects} must be there once each.")
        say("One that is there twice was sent again by its repeat, whatever Connect answered: then tokens do not hold.")


def _connect_without_retries(account: Account) -> ConnectClient:
    """A client that repeats no call: a retry would hide the first answer."""
    once = BOTO_CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
    return account.session.client("connect", endpoint_url=account.endpoint_url, config=once)
