"""Mutants: changes that break the promise, each in one place.

A mutant replaces one function, method or constant, by name. This package is a pytest plugin, too: it applies the mutant
that the environment variable MUTANT names before pytest imports a test, so that ``from module import name`` gets the
replacement everywhere. ``python -m tests.explore.mutants`` runs the tests for each mutant.
"""

import importlib
import inspect
import math
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

CLIENT_TOKEN = "ClientToken"
MESSAGE_ID = "ReplyCourier.MessageId"
REASON = "ReplyCourier.Reason"
FIRST_TRIED_AT = "ReplyCourier.FirstTriedAt"


class Mutant(NamedTuple):
    """One change that breaks the promise.

    Attributes:
        target: What it replaces: ``module:function``, ``module:Class.method`` or ``module:CONSTANT``.
        what: What is broken then.
        change: Makes the replacement from the original.
    """

    target: str
    what: str
    change: Callable[[Any], Any]

    def place(self) -> tuple[Any, str]:
        """Return the module or class that holds the target, and the target's name there.

        Raises:
            LookupError: The target doesn't exist.
        """
        module, _, path = self.target.partition(":")
        *classes, name = path.split(".")
        try:
            owner: Any = importlib.import_module(module)
            for each in classes:
                owner = vars(owner)[each]
            vars(owner)[name]
        except (ImportError, KeyError) as error:
            raise LookupError(
                f"{self.target} doesn't exist ({error}), but the mutant {self.change.__name__} replaces it. "
                "If you have renamed or moved it, change the mutant's target in tests/explore/mutants."
            ) from error
        return owner, name

    def apply(self) -> None:
        """Replace the target. Modules that import its name from now on get the replacement.

        Raises:
            LookupError: The target, or a parameter that the mutant changes, doesn't exist.
        """
        owner, name = self.place()
        setattr(owner, name, self.change(vars(owner)[name]))


MUTANTS: dict[str, Mutant] = {}
"""All mutants, by name."""


def mutant(target: str, what: str) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Register a function that makes a mutant's replacement from the original; its name is the mutant's."""

    def register(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
        MUTANTS[change.__name__] = Mutant(target, what, change)
        return change

    return register


def with_arguments(original: Any, **changes: Callable[[Any], Any]) -> Any:
    """Return the function with some of its arguments changed, by name.

    Raises:
        LookupError: The function has no such parameter.
    """
    signature = inspect.signature(original)
    if unknown := changes.keys() - signature.parameters.keys():
        raise LookupError(
            f"{original.__qualname__} has no parameter {', '.join(unknown)}, but a mutant changes it. "
            "If you have renamed it, change the mutant in tests/explore/mutants."
        )

    def changed(*arguments: Any, **named: Any) -> Any:
        bound = signature.bind(*arguments, **named)
        bound.apply_defaults()
        bound.arguments |= {name: change(bound.arguments[name]) for name, change in changes.items()}
        return original(*bound.args, **bound.kwargs)

    return changed


def with_result(original: Any, change: Callable[[Any], Any]) -> Any:
    """Return the function with its result changed."""
    return lambda *arguments, **named: change(original(*arguments, **named))


def without(attributes: Any, name: str) -> Any:
    """Return the attributes less one."""
    return {each: value for each, value in attributes.items() if each != name}


# The client token


@mutant("contract.client_token:client_token", "ReplyCourier.MessageId isn't used as the client token")
def first_id_ignored(original: Any) -> Any:
    return with_arguments(original, attributes=lambda given: without(given, MESSAGE_ID))


@mutant("contract.client_token:client_token", "ReplyCourier.MessageId takes precedence over ClientToken")
def first_id_preferred(original: Any) -> Any:
    return with_arguments(
        original, attributes=lambda given: without(given, CLIENT_TOKEN) if MESSAGE_ID in given else given
    )


@mutant("contract.client_token:client_token", "client tokens are changed to lower case")
def token_in_lower_case(original: Any) -> Any:
    return with_result(original, str.lower)


@mutant("contract.client_token:token_is_message_id", "a producer's ClientToken counts as used by this message only")
def producer_token_is_message_id(original: Any) -> Any:
    return with_arguments(original, attributes=lambda given: without(given, CLIENT_TOKEN))


@mutant("contract.client_token:token_is_message_id", "a re-sent reply's token counts as used by this message only")
def first_id_is_message_id(original: Any) -> Any:
    return with_arguments(original, attributes=lambda given: without(given, MESSAGE_ID))


@mutant("contract.client_token:MEMORY_SECONDS", "a client token is trusted for 70 days")
def token_trusted_for_70_days(original: Any) -> Any:
    return 10 * original


@mutant("contract.client_token:first_tried_at", "an unreadable time of the first attempt counts as no attempt")
def unreadable_first_try_ignored(original: Any) -> Any:
    return with_result(original, lambda tried: None if tried == -math.inf else tried)


@mutant("contract.client_token:first_tried_at", "a first attempt in the future is believed")
def future_first_try_believed(original: Any) -> Any:
    return with_arguments(original, sent_at=lambda _: math.inf)


@mutant("handler.message:Message.tried_since", "a message's second receive counts as its first")
def second_receive_is_first(original: Any) -> Any:
    return property(with_arguments(original.fget, self=lambda message: replace(message, receive_count=1)))


@mutant("handler.sender:token_expired", "the function never treats a client token as too old")
def token_never_too_old(original: Any) -> Any:
    return with_result(original, lambda _: False)


# Connect's answers


@mutant("handler.services.connect:send", "the call has no client token, so botocore makes one up")
def token_not_passed(original: Any) -> Any:
    return with_arguments(
        original,
        connect=lambda client: SimpleNamespace(
            start_outbound_email_contact=lambda **request: client.start_outbound_email_contact(
                **without(request, CLIENT_TOKEN)
            )
        ),
    )


@mutant("handler.services.connect:send", "a 200 without a ContactId counts as sent")
def unreadable_answer_is_sent(original: Any) -> Any:
    return with_arguments(
        original,
        connect=lambda client: SimpleNamespace(
            start_outbound_email_contact=lambda **request: (
                {"ContactId": ""} | client.start_outbound_email_contact(**request)
            )
        ),
    )


@mutant("handler.services.connect:verdict_for", "every 409 counts as already sent")
def every_409_is_sent(original: Any) -> Any:
    return with_arguments(original, knows_token=lambda _: True)


@mutant("handler.services.connect:verdict_for", "no 409 counts as already sent")
def no_409_is_sent(original: Any) -> Any:
    return with_arguments(original, knows_token=lambda _: False)


@mutant("handler.services.connect:verdict_for", "every failed call counts as already sent")
def every_failure_is_sent(original: Any) -> Any:
    from handler.verdict import AlreadySent  # noqa: PLC0415 - whatever this module imports can't be replaced

    return with_result(original, lambda _: AlreadySent(""))


@mutant("handler.services.connect:verdict_for", "a reply is dead-lettered after a 408")
def dead_letter_after_408(original: Any) -> Any:
    def as_400(error: Any) -> Any:
        if not isinstance(error, ClientError) or error.response["ResponseMetadata"].get("HTTPStatusCode") != 408:
            return error
        metadata: Any = {**error.response["ResponseMetadata"], "HTTPStatusCode": 400}
        return ClientError({**error.response, "ResponseMetadata": metadata}, error.operation_name)

    return with_arguments(original, error=as_400)


# What the function does with a message


@mutant("handler.sender:Sender._is_presumed_to_crash", "a reply that crashes the function is attempted for ever")
def no_limit_of_receives(original: Any) -> Any:
    return with_arguments(
        original, self=lambda sender: replace(sender, settings=replace(sender.settings, max_receives=sys.maxsize))
    )


@mutant("handler.verdict:final_verdict", "the retry window never ends")
def endless_retry_window(original: Any) -> Any:
    return with_arguments(original, message=lambda message: replace(message, first_received_at=math.inf))


@mutant("handler.verdict:final_verdict", "a reply is not dead-lettered before the queue deletes it")
def last_chance_missed(original: Any) -> Any:
    return with_arguments(original, settings=lambda settings: replace(settings, retention_seconds=math.inf))


@mutant("handler.delivery:Delivery._hide", "a message that stays on its queue counts as done")
def hidden_is_done(original: Any) -> Any:
    return with_result(original, lambda _: True)


@mutant("handler.delivery:Delivery._act", "a message counts as done after an unexpected error")
def unexpected_error_is_done(original: Any) -> Any:
    def act(*arguments: Any) -> Any:
        with suppress(Exception):
            return original(*arguments)
        return True

    return act


@mutant("handler.delivery:Delivery._retry", "an error of the dead-letter queue raises an exception")
def refused_dead_letter_raises(original: Any) -> Any:
    def retry(delivery: Any, message: Any, verdict: Any, seconds_left: Any) -> Any:
        if verdict.cause == "DeadLetterQueueUnavailable":
            raise RuntimeError
        return original(delivery, message, verdict, seconds_left)

    return retry


@mutant("handler.services.sqs:send_dead_letter", "a reply that the dead-letter queue refused counts as done")
def refused_dead_letter_is_done(original: Any) -> Any:
    def send_dead_letter(*arguments: Any) -> None:
        with suppress(BotoCoreError, ClientError):
            original(*arguments)

    return send_dead_letter


@mutant("handler.services.sqs:send_dead_letter", "the dead-letter queue is never called")
def dead_letter_not_sent(_original: Any) -> Any:
    return lambda *_arguments: None


@mutant("handler.services.sqs:send_dead_letter", "a dead letter doesn't say when it was first attempted")
def first_try_not_noted(original: Any) -> Any:
    return with_arguments(original, tried_at=lambda _: None)


# Drafts


@mutant("handler.services.table:DraftTable._update", "the conditions of the table of drafts are ignored")
def conditions_ignored(original: Any) -> Any:
    return with_arguments(original, condition=lambda _: "attribute_not_exists(Nothing)")


@mutant("handler.services.table:DraftTable.add_mark", "an attempt on an existing draft leaves no mark")
def no_mark(_original: Any) -> Any:
    from handler.services.table import Write  # noqa: PLC0415 - as above

    return lambda _table, _token, _item, mark: Write(frozenset({mark}), is_written=True)


@mutant("handler.services.table:DraftTable.put_draft", "a new draft leaves no mark")
def new_draft_without_mark(original: Any) -> Any:
    def put_draft(table: Any, token: str, item: Any, replaced: Any) -> Any:
        write = original(table, token, item, replaced)
        for mark in item.marks:
            table.remove_mark(token, item.contact_id, mark)
        return write

    return put_draft


@mutant("handler.services.table:DraftTable.get", "an answer of the table that can't be read counts as no item")
def unreadable_answer_is_no_item(original: Any) -> Any:
    def get(table: Any, token: str) -> Any:
        get_item: Any = table._dynamodb.get_item  # noqa: SLF001 - it has no public name, here and below
        dynamodb = SimpleNamespace(get_item=lambda **request: {"ConsumedCapacity": {}} | get_item(**request))
        return original(SimpleNamespace(_dynamodb=dynamodb, _name=table._name), token)  # noqa: SLF001

    return get


@mutant("handler.services.table:DraftTable.vouches_since", "a new table vouches for what it can't know")
def new_table_vouches(_original: Any) -> Any:
    return lambda _table: 0


@mutant("handler.services.table:DraftTable.retire", "a draft that was stopped is used again")
def stopped_draft_used(_original: Any) -> Any:
    from handler.services.table import Write  # noqa: PLC0415 - as above

    return lambda _table, _token, _contact: Write(is_written=True)


@mutant("handler.services.table:_refused", "an answer that leaves open whether the table has a draft counts as refused")
def unanswered_write_is_refused(original: Any) -> Any:
    return with_result(original, lambda write: replace(write, is_unanswered=False))


@mutant("handler.drafts:Drafts.__init__", "two deliveries have the same mark")
def one_mark_for_all(original: Any) -> Any:
    return with_arguments(original, rng=lambda _: SimpleNamespace(getrandbits=lambda _: 7))


@mutant("handler.drafts:Drafts._doubt", "another text is attempted under a token that may have been sent")
def nothing_is_doubted(_original: Any) -> Any:
    return lambda _drafts, _message, _item, _hash: None


@mutant("handler.drafts:token_expired", "a draft is attempted after Connect may have forgotten its token")
def token_never_expires(_original: Any) -> Any:
    return lambda _since, _now: False


@mutant("handler.drafts:hash_of", "an edited reply is attempted on the draft of its old text")
def every_reply_has_one_hash(_original: Any) -> Any:
    return lambda _reply: "hash"


@mutant("handler.drafts:USABLE_SECONDS", "a draft is used after it has expired")
def drafts_never_expire(_original: Any) -> Any:
    return 10**9


@mutant("handler.drafts:DELIVERY_SECONDS", "a delivery with a draft begins without the time to end")
def no_time_for_a_delivery(_original: Any) -> Any:
    return 0


@mutant("handler.drafts:Drafts._stop", "the draft of a reply that can't be sent is never stopped")
def drafts_not_stopped(_original: Any) -> Any:
    return lambda _drafts, _message, draft: draft


@mutant("handler.drafts:Hold.is_on", "an outage makes more and more drafts")
def no_hold(_original: Any) -> Any:
    return lambda _hold: False


@mutant("handler.drafts:Drafts.may_be_too_new", "the refusal of a contact that is too new is final")
def new_contact_refused(_original: Any) -> Any:
    return lambda _drafts, _draft, _verdict: False


@mutant("handler.drafts:Drafts.is_known", "a refused contact counts as known without asking")
def contact_known_without_asking(_original: Any) -> Any:
    return lambda _drafts, _draft: True


@mutant("handler.drafts:may_have_been_sent", "the mark of an attempt without an answer is removed")
def mark_removed(_original: Any) -> Any:
    return lambda _verdict: False


@mutant("handler.drafts:may_have_been_sent", "the mark of a refused attempt stays")
def mark_stays(_original: Any) -> Any:
    return lambda _verdict: True


@mutant("handler.services.connect:_may_have_been_sent", "an attempt that failed with a 500 counts as surely not sent")
def failed_attempt_not_sent(_original: Any) -> Any:
    return lambda _code, _status: False


@mutant("handler.sender:Sender._attempt", "a 409 on the first attempt on a draft counts as already sent")
def first_409_is_sent(original: Any) -> Any:
    return with_arguments(original, knows_token=lambda _: True)


@mutant("handler.drafts:_may_have_been_sent", "a letter that the table decides doesn't say since when it was attempted")
def table_letter_without_time(original: Any) -> Any:
    return with_result(original, lambda letter: replace(letter, tried_since=math.inf))


# The attributes of a dead letter


@mutant("contract.dead_letter:dead_letter_attributes", "a dead letter has no reason")
def no_reason(original: Any) -> Any:
    return with_result(original, lambda attributes: without(attributes, REASON))


@mutant("contract.dead_letter:_identity", "a reply's first message id is lost")
def first_id_lost(original: Any) -> Any:
    return with_result(original, lambda identity: without(identity, MESSAGE_ID))


@mutant("contract.dead_letter:_identity", "a dead letter gets a new first message id and first attempt each time")
def identity_replaced(original: Any) -> Any:
    return with_arguments(original, attributes=lambda _: {})


@mutant("contract.dead_letter:COURIER_ATTRIBUTES", "a replayed letter keeps the reason of its last failure")
def old_reason_kept(_original: Any) -> Any:
    return ()


# What operators do with dead letters


@mutant("courier.sending:move", "a letter that SQS refused to move is deleted")
def refused_letter_deleted(original: Any) -> Any:
    def move(account: Any, reader: Any, queue_url: str, letters: Any, messages: Any, **named: Any) -> Any:
        failures = original(account, reader, queue_url, letters, messages, **named)
        names = {each.name for each in failures}
        reader.delete([letter for letter in letters if letter.id in names])
        return failures

    return move


@mutant("courier.sending:_first_tried_at", "a letter that SQS itself moved counts as never attempted")
def moved_letter_never_tried(original: Any) -> Any:
    return with_result(original, lambda _: None)


@mutant("courier.selection:Selection.take", "a client token is replayed more than once")
def copies_replayed(original: Any) -> Any:
    def take(selection: Any, letter: Any) -> Any:
        selection._tokens.clear()  # noqa: SLF001 - it has no public name
        return original(selection, letter)

    return take


@mutant("courier.selection:Selection.take", "a letter whose token is too old is replayed without --force")
def old_letters_replayed(original: Any) -> Any:
    def take(selection: Any, letter: Any) -> Any:
        selection.force = True
        return original(selection, letter)

    return take


@mutant("courier.edit:edited_message", "every edit gets a new client token")
def new_token_for_every_edit(original: Any) -> Any:
    return with_arguments(original, new_token=lambda _: True)


@mutant("courier.edit:edited_message", "a new client token keeps the time of the first attempt")
def new_token_keeps_first_try(original: Any) -> Any:
    def edited(letter: Any, *arguments: Any, new_token: bool = False, **named: Any) -> Any:
        message = original(letter, *arguments, new_token=new_token, **named)
        tried = {name: value for name, value in letter.attributes.items() if name == FIRST_TRIED_AT}
        return replace(message, attributes={**message.attributes, **tried}) if new_token else message

    return edited


def pytest_load_initial_conftests() -> None:
    """Apply the mutant before pytest imports any test or conftest.py."""
    apply_from_environment()


def apply_from_environment() -> None:
    """Apply the mutant that the environment variable MUTANT names, if it is set.

    Raises:
        LookupError: There is no such mutant, or its target doesn't exist.
        ImportError: The target's module is imported already, so another module may have imported the original.
    """
    if name := os.environ.get("MUTANT"):
        module = named(name).target.partition(":")[0]
        if module in sys.modules:
            raise ImportError(f"Import {module} after the mutant {name} is applied: another module may have its names.")
        named(name).apply()


def named(name: str) -> Mutant:
    """Return the mutant with this name.

    Raises:
        LookupError: There is none.
    """
    if name not in MUTANTS:
        raise LookupError(f"No mutant is named {name}. Choose from: {', '.join(MUTANTS)}.")
    return MUTANTS[name]
