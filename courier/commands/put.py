"""Puts the messages of a file on a queue, and says how far it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from contract.client_token import CLIENT_TOKEN, MESSAGE_ID
from contract.message_attributes import string_value
from courier.commands.options import DONE, SOME_NOT_DONE
from courier.queues import sending
from courier.terminal import view

if TYPE_CHECKING:
    from collections.abc import Iterable

    from courier.aws import Account
    from courier.journal import Action
    from courier.queues.sending import NotDone, Outgoing


def put(  # noqa: PLR0913, PLR0917 - each is another one's business
    account: Account, queue_url: str, messages: Iterable[Outgoing], done: str, action: Action, after_a_stop: str = ""
) -> int:
    """Send messages to a queue, in their order; name those that it did not take, and return the exit code.

    Args:
        account: Where.
        queue_url: The queue.
        messages: What to send.
        done: What was done with them, in a word.
        action: The journal's.
        after_a_stop: What to do if it is cut off.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: A call failed.
    """
    taken = 0
    not_done: list[NotDone] = []
    batch: list[Outgoing] = []
    try:
        for batch in sending.batches(messages):
            action.takes_tokens([_token(message) for message in batch])
            refused = sending.send(account.sqs, queue_url, batch)
            taken += len(batch) - len(refused)
            not_done += refused
    except (BotoCoreError, ClientError, KeyboardInterrupt):
        view.fail(
            f"stopped at {batch[0].name if batch else 'the beginning'}: what stands before it is {done}.{after_a_stop}"
        )
        raise
    finally:
        action.outcome = {done: taken, "not_done": len(not_done)}
        view.say(f"{taken} {done}.")
        view.not_done(not_done)
    return SOME_NOT_DONE if not_done else DONE


def _token(message: Outgoing) -> str | None:
    return string_value(message.attributes, CLIENT_TOKEN) or string_value(message.attributes, MESSAGE_ID)
