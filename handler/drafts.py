"""Drafts: the contact that the function makes for a reply just before it sends the reply.

AWS doesn't document whether Connect remembers a client token alone, or together with its contact. So once an attempt
may have been accepted, every later attempt of that reply uses the same token, the same contact and the same text. The
table holds what this needs, and the function writes it before the attempt. docs/design.md has the rule and its proof.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from contract.client_token import token_expired
from contract.dead_letter import Reason
from handler.services import connect, contacts, outcomes, sqs, table
from handler.services.contacts import NotMade
from handler.services.table import Item, TableUnavailableError, Write
from handler.verdict import Cause, Claim, DeadLetter, Draft, HandBack, Retry, Sent, Verdict, may_have_been_sent

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from handler.message import Message
    from handler.observability import Observability
    from handler.pacer import Pacer
    from handler.services.contacts import Contacts
    from handler.services.table import DraftTable

SECONDS_BEFORE_ATTEMPT = (table.READ_TRIES + 2) * table.CALL_SECONDS + connect.CALL_SECONDS
"""The longest time before a delivery's first attempt: reads, DescribeTable, CreateContact and a write time out."""
SECONDS_AFTER_ATTEMPT = (
    2 * contacts.CALL_SECONDS + 2 * table.CALL_SECONDS + 2 * sqs.CALL_SECONDS + outcomes.CALL_SECONDS
)
"""The longest time after an attempt: DescribeContact, two writes, StopContact, the dead-letter queue, SQS's visibility
and the event bus time out."""
DELIVERY_SECONDS = SECONDS_BEFORE_ATTEMPT + connect.CALL_SECONDS + SECONDS_AFTER_ATTEMPT
"""The longest time that a delivery with one attempt takes."""

USABLE_SECONDS = 45 * 60
"""A draft is used for the retry window and this long, from its making."""
EXPIRY_SECONDS = 60 * 60
"""Connect expires a draft after the retry window and this long: later than its last use."""
NEW_SECONDS = 5 * 60
"""Connect may not know a contact this new everywhere (API reference: "in some cases several minutes")."""
OTHER_DELIVERY_SECONDS = 2
"""Until a message is received again whose draft another delivery has just written."""
HOLDS = (15, 30, 60, 120, 300)
"""Seconds without new drafts after the first, second, … failure; the last one also after any further failure."""
MAX_UNSTOPPED = 3
"""Drafts that could not be stopped and haven't expired, before another one holds new drafts."""

BLOCKS_DRAFTS = {Cause.UNAVAILABLE, Cause.TIMED_OUT, Cause.ACCESS_DENIED, Cause.ACTIVE_EMAILS_FULL}
"""After an attempt that failed like this, the next draft would probably stay unsent, too."""

HELD = "New drafts are held back for up to 5 minutes after a failure that could leave more and more of them."
OTHER_TEXT = "An earlier attempt with another text or draft may have been accepted"
NOT_VOUCHED = (
    "The table of drafts is newer than this reply's first receive, so it can't tell whether the reply was sent"
)
TOO_OLD = "An earlier attempt may have been accepted, almost 7 days ago: Connect may have forgotten the token"
WHAT_TO_DO = "Look {contact} up in Connect. Not sent: courier dlq replay --new-token ID. Sent: courier dlq discard ID."


class Hold:
    """Says when this environment makes no new drafts: an outage must not fill the instance with drafts.

    Args:
        now: Seconds since the epoch.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._ends_at = 0.0
        self._failures = 0
        self._unstopped: list[float] = []

    def is_on(self) -> bool:
        """Return whether new drafts are held back."""
        return self._now() < self._ends_at

    def failed(self) -> None:
        """Something failed that may leave drafts. A failure during a hold changes nothing."""
        if not self.is_on():
            self._ends_at = self._now() + HOLDS[min(self._failures, len(HOLDS) - 1)]
            self._failures += 1

    def accepted(self) -> None:
        """Connect accepted a reply: the next hold is a short one again."""
        self._failures = 0

    def not_stopped(self, expires_at: float) -> None:
        """A draft could not be stopped. It counts until it expires."""
        self._unstopped = [time for time in self._unstopped if time > self._now()] + [expires_at]
        if len(self._unstopped) > MAX_UNSTOPPED:
            self.failed()


class Drafts:
    """Makes a draft for a reply, or finds the one that it must use; one for each execution environment.

    Args:
        table: The table of drafts.
        contacts: Makes and stops contacts.
        pacer: Keeps the environment's share of the quota. A draft and the first attempt share a turn.
        observability: Logs, metrics, traces.
        retry_seconds: The retry window.
        now: Seconds since the epoch.
        rng: Makes marks and the tokens of CreateContact. It must never repeat itself.
    """

    seconds_after_attempt = SECONDS_AFTER_ATTEMPT

    def __init__(  # noqa: PLR0913 - every client, the clock and chance are passed in, so that no test patches them
        self,
        *,
        table: DraftTable,
        contacts: Contacts,
        pacer: Pacer,
        observability: Observability,
        retry_seconds: int,
        now: Callable[[], float],
        rng: Random,
    ) -> None:
        self.hold = Hold(now)
        self._table = table
        self._contacts = contacts
        self._pacer = pacer
        self._observability = observability
        self._retry_seconds = retry_seconds
        self._now = now
        self._rng = rng

    def claim(
        self, message: Message, reply: dict[str, Any], token: str, seconds_left: Callable[[], float]
    ) -> Claim | Verdict:
        """Take a turn, and return the draft to attempt in it, or else a verdict. Nothing was attempted then.

        Args:
            message: The message.
            reply: The reply, with CreateContact.
            token: Its client token.
            seconds_left: Seconds until Lambda ends the invocation.
        """
        reply_hash = hash_of(reply)
        last: Verdict = HandBack()
        while seconds_left() >= self._pacer.wait_time() + DELIVERY_SECONDS:
            self._pacer.acquire()
            try:
                claimed = self._claim(message, reply, reply_hash, token)
            except TableUnavailableError:
                claimed = _table_unavailable()
            if isinstance(claimed, Retry):
                self._observability.count_cause(claimed.cause)
            if not (isinstance(claimed, Retry) and claimed.cause in {Cause.THROTTLED, Cause.ACTIVE_EMAILS_FULL}):
                return claimed
            last = claimed
            self._observability.attempt_failed(message, claimed, self._pacer.wait_time())
        return last

    def _claim(self, message: Message, reply: dict[str, Any], reply_hash: str, token: str) -> Claim | Verdict:
        item = self._table.get(token)
        if dead := self._doubt(message, item, reply_hash):
            return dead
        mark = f"{self._rng.getrandbits(128):032x}"
        if item and item.reply_hash == reply_hash and (item.marks or item.expires_at > self._now()):
            draft = Draft(item.contact_id, item.made_at, is_new=False)
            return self._claimed(message, token, draft, mark, self._table.add_mark(token, item, mark))
        if self.hold.is_on():
            return Retry(Cause.DRAFTS_HELD, HELD)
        made = self._make(message, reply, reply_hash, mark)
        if not isinstance(made, Item):
            return made
        draft = Draft(made.contact_id, made.made_at, is_new=True)
        return self._claimed(message, token, draft, mark, self._table.put_draft(token, made, replaced=item))

    def _claimed(self, message: Message, token: str, draft: Draft, mark: str, write: Write) -> Claim | Retry | HandBack:
        """Return what the write of the mark means."""
        self._note(write)
        if write.is_unanswered:
            return replace(_table_unavailable(), draft=draft)  # the draft may be in the table: don't stop it
        if mark in write.marks:  # also if DynamoDB itself repeated the write, whose condition then failed on our mark
            return Claim(token, draft, mark, is_doubted=write.marks != {mark})
        if draft.is_new:
            draft = self._stop(message, draft)
        return (
            HandBack(OTHER_DELIVERY_SECONDS) if write.condition_failed else replace(_table_unavailable(), draft=draft)
        )

    def _doubt(self, message: Message, item: Item | None, reply_hash: str) -> DeadLetter | None:
        """Return a verdict if another attempt might send the reply twice. A person decides then."""
        since = item.made_at if item else message.tried_since
        if since is not None and since < self._table.vouches_since():
            return _may_have_been_sent(Reason.MAY_HAVE_BEEN_SENT, NOT_VOUCHED, item)
        if item and item.marks and item.reply_hash != reply_hash:
            return _may_have_been_sent(Reason.MAY_HAVE_BEEN_SENT, OTHER_TEXT, item)
        if item and item.marks and token_expired(item.made_at, self._now()):
            return _may_have_been_sent(Reason.TOKEN_TOO_OLD, TOO_OLD, item)
        return None

    def _make(self, message: Message, reply: dict[str, Any], reply_hash: str, mark: str) -> Item | Retry | DeadLetter:
        """Make a new draft; return its item, or what the answer of CreateContact means."""
        made_at = int(self._now())
        expiry = self._retry_seconds + EXPIRY_SECONDS
        with self._observability.call_traced("CreateContact"):
            made = self._contacts.create(reply["CreateContact"], self._uuid(), math.ceil(expiry / 60))
        if isinstance(made, NotMade):
            return self._not_made(message, reply, made)
        self._observability.draft_made(message, made)
        expires_at = made_at + self._retry_seconds + USABLE_SECONDS
        return Item(made, reply_hash, made_at, expires_at, frozenset({mark}))

    def _not_made(self, message: Message, reply: dict[str, Any], made: NotMade) -> Retry | DeadLetter:
        if made.may_be_made:
            self.hold.failed()
        verdict = made.verdict
        if isinstance(verdict, DeadLetter):
            is_new = self._now() - message.sent_at < NEW_SECONDS
            if verdict.status in {400, 404} and is_new and "RelatedContactId" in reply["CreateContact"]:
                return Retry(Cause.CONTACT_NOT_YET_KNOWN, verdict.detail, verdict.request_id)
        elif verdict.cause is Cause.THROTTLED:
            self._pacer.throttled()
        elif verdict.cause is not Cause.USER_FULL:
            self._pacer.failed()
        return verdict

    def attempted(self, verdict: Verdict) -> None:
        """Learn from an attempt on a draft whether new drafts must wait."""
        if isinstance(verdict, Sent):
            self.hold.accepted()
        elif isinstance(verdict, Retry) and verdict.cause in BLOCKS_DRAFTS:
            self.hold.failed()

    def may_be_too_new(self, draft: Draft, verdict: Verdict) -> bool:
        """Return whether Connect may have refused the draft because it isn't known everywhere yet."""
        is_refused = isinstance(verdict, DeadLetter) and verdict.status in {400, 404}
        return is_refused and self._now() - draft.made_at < NEW_SECONDS

    def is_known(self, draft: Draft) -> bool:
        """Return whether Connect finds the draft."""
        return self._contacts.is_known(draft.contact_id)

    def release(self, message: Message, claim: Claim, verdict: Verdict) -> Verdict:
        """Remove this delivery's mark if its attempts were surely refused, and stop the draft of a dead letter.

        Args:
            message: The message.
            claim: What this delivery claimed.
            verdict: The final verdict.

        Returns:
            The verdict, with what became of the draft.
        """
        draft = claim.draft
        if not may_have_been_sent(verdict):
            self._note(self._table.remove_mark(claim.token, draft.contact_id, claim.mark))
            if isinstance(verdict, DeadLetter):
                retired = self._table.retire(claim.token, draft.contact_id)
                self._note(retired)
                if retired.is_written:
                    draft = self._stop(message, draft)
        if isinstance(verdict, DeadLetter) and (verdict.may_have_been_sent or claim.is_doubted):
            verdict = replace(verdict, detail=f"{verdict.detail} Contact: {draft.contact_id}.")
        return verdict if isinstance(verdict, HandBack) else replace(verdict, draft=draft)

    def _stop(self, message: Message, draft: Draft) -> Draft:
        is_stopped = self._contacts.stop(draft.contact_id)
        if is_stopped:
            self._observability.draft_stopped(message, draft.contact_id)
        else:
            self._observability.draft_not_stopped(message, draft.contact_id)
            self.hold.not_stopped(draft.made_at + self._retry_seconds + EXPIRY_SECONDS)
        return replace(draft, is_stopped=is_stopped)

    def _note(self, write: Write) -> None:
        """Hold new drafts after a write whose failure may leave a draft."""
        if not (write.is_written or write.condition_failed):
            self.hold.failed()

    def _uuid(self) -> str:
        return str(UUID(int=self._rng.getrandbits(128), version=4))


def hash_of(reply: dict[str, Any]) -> str:
    """Return the hash of a reply as it was parsed: the same text and draft have the same hash."""
    digest = sha256()
    # In pieces: the whole text may be the largest part of the function's memory.
    for piece in json.JSONEncoder(sort_keys=True, separators=(",", ":")).iterencode(reply):
        digest.update(piece.encode())
    return digest.hexdigest()


def _table_unavailable() -> Retry:
    return Retry(Cause.TABLE_UNAVAILABLE, "The table of drafts did not answer, or refused.")


def _may_have_been_sent(reason: Reason, why: str, item: Item | None) -> DeadLetter:
    if item is None:
        return DeadLetter(reason, f"{why}. {WHAT_TO_DO.format(contact='the reply')}")
    contact = f"contact {item.contact_id}"
    draft = Draft(item.contact_id, item.made_at, is_new=False)
    return DeadLetter(reason, f"{why}. {WHAT_TO_DO.format(contact=contact)}", tried_since=item.made_at, draft=draft)
