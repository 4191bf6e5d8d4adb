"""`courier doctor --send-test`."""

import json
import time
import uuid
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from contract.client_token import iso
from courier.commands.dlq.export_import import private_file
from courier.commands.options import SOME_NOT_DONE, confirm
from courier.doctor.asking import instance_id
from courier.doctor.clients import connect_asked_once
from courier.doctor.send_test.answer import Step
from courier.doctor.send_test.conclusions import Proof, conclusions, emails
from courier.doctor.send_test.trial import Trial, email
from courier.journal import Action, journal
from courier.queues.letter_json import json_line
from courier.replies.reply_faults import faults
from courier.terminal import view
from courier.terminal.send_test_page import show_answer, show_conclusions

if TYPE_CHECKING:
    from courier.aws import Account

QUESTION = (
    "Send a test email to this address with this contact? The contact is used up. It is one email, or up to three if "
    "Connect accepts what it should refuse. The calls use the account's quota."
)


def send_test(  # noqa: PLR0913 - the command's options
    account: "Account", contact_id: str, address: str, to: Path | None, *, yes: bool, as_json: bool
) -> None:
    """Make the calls, keep the answers in a new file, and say what they prove.

    Raises:
        typer.BadParameter: The contract does not take the contact id or the address.
        typer.Exit: Something is still open, or the answer to the question is no.
    """
    if wrong := faults(json.dumps(email(contact_id, address, Step.MENDED_BODY))):
        raise typer.BadParameter("; ".join(wrong))
    instance = instance_id(account)
    confirm(QUESTION, yes=yes)
    now = time.time()
    path = to or Path(f"connect-answers-{time.strftime('%Y%m%dT%H%M%S', time.gmtime(now))}.json")
    with private_file(path) as file, journal(account, time.time, view.warn, "doctor --send-test") as action:
        trial = Trial(connect_asked_once(account), instance, partial(_new_id, action), time.sleep)
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
        view.data(json_line(kept))
    else:
        show_conclusions(proved, emails(trial.answers))
    view.warn(f"The answers are in {path}; local AWS gives the same ones: make local ANSWERS={path}")
    if any(conclusion.proof is Proof.OPEN for conclusion in proved):
        raise typer.Exit(SOME_NOT_DONE)


def _new_id(action: Action) -> str:
    """A client token, or a contact id that is nobody's; the journal has it before Connect does."""
    made = str(uuid.uuid4())
    action.takes_tokens([made])
    return made
