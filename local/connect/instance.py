"""A Connect instance: its state, its record of calls and emails, and its decision on each request."""

import random
import re
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple, TypedDict

from local.connect.answer import Refused, json_answer
from local.connect.contacts import DEFAULT_EXPIRY_SECONDS, Contacts, TokenMemory
from local.connect.faults import AFTER, BEFORE, OPERATIONS, SEND, Faults, answer_instead, answer_spoilt
from local.connect.quotas import ActiveEmails, TokenBucket
from local.connect.settings import RefusalCase, Settings, checked_settings
from local.connect.validation import checked, checked_creation, checked_sending
from local.http_server import Answer

_ARN = "arn:aws:connect:us-east-1:123456789012:instance/{}"
_QUOTA = {SEND: "", "CreateContact": "create_", "StopContact": "contact_", "DescribeContact": "contact_"}
"""How the names of the settings of an operation's quota begin."""


class Call(TypedDict):
    """A request of one of the recorded operations and its answer. `at` is in epoch seconds."""

    n: int
    at: float
    client_token: str | None
    contact_id: str | None  # CreateContact: the one in the answer
    instance_id: str | None
    body: Any  # the parsed request, or None if it is not JSON
    raw: str  # the request's bytes, with surrogate escapes for those that are not UTF-8
    status: int | None  # None: the connection was closed without an answer
    error: str | None
    message: str | None  # the error's message
    accepted: bool  # Connect sent an email, or made, stopped or described a contact
    repeat: bool  # Connect has accepted the same request before
    request_id: str


class Sent(TypedDict):
    """An email. `n` is the number of the call that sent it."""

    n: int
    at: float
    client_token: str | None
    contact_id: str | None
    request: dict[str, Any]


class Record:
    """Calls and emails, ordered by number, and peaks. Clearing the record does not restart the numbers."""

    def __init__(self) -> None:
        self._last = 0
        self.clear()

    def clear(self) -> None:
        """Remove all calls, emails and peaks."""
        self.calls_of: dict[str, list[Call]] = {operation: [] for operation in OPERATIONS}
        self.sent: list[Sent] = []
        self.counts: Counter[str] = Counter(calls=0, sent=0, throttled=0, repeats=0)  # of sends
        self.refused_inbound = 0
        self.peak_drafts = 0
        self.peak_active = 0

    @property
    def calls(self) -> list[Call]:
        """All StartOutboundEmailContact calls."""
        return self.calls_of[SEND]

    def next_number(self) -> int:
        """Return the number of the next call."""
        self._last += 1
        return self._last

    def add(self, operation: str, call: Call) -> None:
        """Add a call, and its email if Connect sent one."""
        self.calls_of[operation].append(call)
        if operation != SEND:
            return
        throttled = call["status"] == HTTPStatus.TOO_MANY_REQUESTS
        self.counts.update(calls=1, sent=call["accepted"], throttled=throttled, repeats=call["repeat"])
        if call["accepted"]:
            email = Sent(
                n=call["n"],
                at=call["at"],
                client_token=call["client_token"],
                contact_id=call["contact_id"],
                request=call["body"],
            )
            self.sent.append(email)


class Decision(NamedTuple):
    """What Connect decides on a request.

    Attributes:
        answer: The answer.
        accepted: Whether it does what was asked: send an email, or make, stop or describe a contact.
        repeat: Whether it has accepted the same request before.
        contact_id: The contact in the answer.
    """

    answer: Answer
    accepted: bool = False
    repeat: bool = False
    contact_id: str | None = None


def text_member(request: object, name: str) -> str | None:
    """Return the member of a request (any JSON) if it is a string, or None."""
    value = request.get(name) if isinstance(request, dict) else None
    return value if isinstance(value, str) else None


class Instance:
    """An instance as in a new account. Times are epoch seconds."""

    def __init__(self) -> None:
        self.contacts = Contacts()
        self.faults = Faults()
        self.record = Record()
        self._sent_tokens = TokenMemory()
        self._created_tokens = TokenMemory()
        self._refused_tokens: set[Hashable] = set()
        self._active = ActiveEmails()
        self.settings = Settings()
        self._buckets = {operation: self._bucket(operation) for operation in OPERATIONS}
        self._rng = random.Random(self.settings.seed)

    def change_settings(self, changes: object) -> None:
        """Change settings. A changed quota starts with its full burst, a changed seed with its first random number.

        Raises:
            ControlCallError: A setting is unknown or out of range. No setting has changed.
        """
        members = checked_settings(changes)
        self.settings = replace(self.settings, **members)
        for operation in OPERATIONS:
            prefix = _QUOTA[operation]
            if members.keys() & {f"{prefix}rate", f"{prefix}burst"}:
                self._buckets[operation] = self._bucket(operation)
        if "seed" in members:
            self._rng = random.Random(self.settings.seed)

    def decide(self, operation: str, request: object, now: float, new_contact_id: str) -> Decision:
        """Decide on a request of one of the recorded operations.

        Raises:
            Refused: The answer is an error. The request has used the quota and changed nothing else.
        """
        token, contact_id = text_member(request, "ClientToken"), text_member(request, "ContactId")
        if fault := self.faults.strike_call(BEFORE, (operation, contact_id, token), self._rng):
            return Decision(answer_instead(fault), contact_id=contact_id)
        if not self._buckets[operation].take(now):
            raise Refused("ThrottlingException", "Rate exceeded")
        match operation:
            case "CreateContact":
                decision = self._create(request, now, new_contact_id)
            case "StopContact":
                decision = self._stop(request, now)
            case "DescribeContact":
                decision = self._describe(request, now)
            case _:
                decision = self._send(request, now)
        is_done = decision.answer.status == HTTPStatus.OK
        call = operation, decision.contact_id, token
        if is_done and (fault := self.faults.strike_call(AFTER, call, self._rng)):
            return decision._replace(answer=answer_spoilt(fault, decision.answer))
        return decision

    def _send(self, request: object, now: float) -> Decision:
        valid = checked_sending(request)
        self._check_instance(valid["InstanceId"])
        contact_id, key = valid["ContactId"], self._token_key(valid)
        if self.settings.checked_first == "contact":
            self._refuse(self._contact_refusal(valid, now), key)
        repeat = self._sent_tokens.recall(key, valid, now) is not None
        if repeat and self.settings.repeat == "conflict":
            return Decision(self.settings.refusal(RefusalCase.REPEAT).answer, repeat=True, contact_id=contact_id)
        if not repeat:
            self._refuse(self._token_refusal(valid, key) or self._contact_refusal(valid, now), key)
            # A draft has its place already. Only drafts of control calls can make too many.
            if self._active.inbound(now) + self._active_sent(now) >= self.settings.capacity:
                raise _full()
            self.contacts.mark_sent(contact_id)
            self._active.add_sent(now)
            self._sent_tokens.remember(key, valid, contact_id, now)
        return Decision(json_answer({"ContactId": contact_id}), not repeat, repeat, contact_id)

    def _create(self, request: object, now: float, new_contact_id: str) -> Decision:
        valid = checked_creation(request)
        self._check_instance(valid["InstanceId"])
        settings, key = self.settings, valid.get("ClientToken")
        contact_id = None if settings.repeated_create == "new_contact" else self._created_tokens.recall(key, valid, now)
        repeat = contact_id is not None
        if repeat and settings.repeated_create == "conflict":
            raise Refused("IdempotencyException", "An entity with the same name already exists.")
        if contact_id is None:
            contact_id, user = new_contact_id, (valid.get("UserInfo") or {}).get("UserId")
            drafts = self.contacts.drafts(now).values()
            if user and sum(draft.user == user for draft in drafts) >= settings.user_drafts:
                raise Refused("ServiceQuotaExceededException", "Concurrent drafts per user exceeded.")
            if self._count(now) >= settings.capacity:
                raise _full()
            minutes = valid.get("ExpiryDurationInMinutes")
            expires_in = DEFAULT_EXPIRY_SECONDS if minutes is None else minutes * 60
            self.contacts.add_draft(contact_id, now, expires_in, settings.appear_seconds, user)
            self._note_peaks(now)
            self._created_tokens.remember(key, valid, contact_id, now)
        answer = json_answer({"ContactId": contact_id, "ContactArn": self._contact_arn(contact_id)})
        return Decision(answer, not repeat, repeat, contact_id)

    def _stop(self, request: object, now: float) -> Decision:
        valid = checked("StopContact", request)
        self._check_instance(valid["InstanceId"])
        contact_id = valid["ContactId"]
        if contact_id not in self.contacts.drafts(now):
            raise Refused("ContactNotFoundException", "The contact does not exist, or has ended.")
        if self.settings.stop == "refuse":
            raise Refused("InvalidRequestException", "StopContact does not stop contacts of this channel.")
        if self.settings.stop == "stop":
            self.contacts.stop(contact_id, now)
        return Decision(json_answer({}), accepted=True, contact_id=contact_id)

    def _describe(self, request: object, now: float) -> Decision:
        valid = checked("DescribeContact", request)
        self._check_instance(valid["InstanceId"])
        contact_id = valid["ContactId"]
        contact = self.contacts.find(contact_id, now)
        if contact is None:
            raise self.settings.refusal(RefusalCase.WRONG_CONTACT)
        described: dict[str, object] = {
            "Arn": self._contact_arn(contact_id),
            "Id": contact_id,
            "Channel": "EMAIL",
            "InitiationTimestamp": contact.made_at,
        }
        if ended_at := contact.ended_at(now):
            described["DisconnectTimestamp"] = ended_at
        return Decision(json_answer({"Contact": described}), accepted=True, contact_id=contact_id)

    def add_drafts(self, contact_ids: Iterable[str], now: float, expires_in: float) -> None:
        """Add drafts, as many as there are. They count as active."""
        for contact_id in contact_ids:
            self.contacts.add_draft(contact_id, now, expires_in)
        self._note_peaks(now)

    def add_inbound(self, count: int, now: float, active_seconds: float) -> dict[str, object]:
        """Receive inbound emails, each active for some seconds; return how many were added and refused."""
        added = max(0, min(count, self.settings.capacity - self._count(now)))
        for _ in range(added):
            self._active.add_inbound(now + active_seconds)
        self._note_peaks(now)
        self.record.refused_inbound += count - added
        return {"added": added, "refused": count - added}

    def active(self, now: float) -> dict[str, int]:
        """Return how many emails are active, the peaks since the record was cleared, and refused inbound emails."""
        drafts, total = len(self.contacts.drafts(now)), self._count(now)
        return {
            "active": total,
            "capacity": self.settings.capacity,
            "drafts": drafts,
            "inbound": self._active.inbound(now),
            "sent": self._active_sent(now),
            "peak_active": max(self.record.peak_active, total),
            "peak_drafts": max(self.record.peak_drafts, drafts),
            "refused_inbound": self.record.refused_inbound,
        }

    def describe(self, instance_id: str) -> Answer:
        """Answer a DescribeInstance request.

        Raises:
            Refused: This is another instance.
        """
        self._check_instance(instance_id)
        known = self.settings.instance_id
        return json_answer({"Instance": {"Id": known, "Arn": _ARN.format(known), "InstanceStatus": "ACTIVE"}})

    def search_email_addresses(self, request: object) -> Answer:
        """Answer a SearchEmailAddresses request: a page of all addresses. Search criteria are not emulated.

        Raises:
            Refused: The answer is an error.
        """
        valid = checked("SearchEmailAddresses", request)
        self._check_instance(valid["InstanceId"])
        first, addresses = int(valid.get("NextToken") or 0), self.settings.email_addresses
        end = first + (valid.get("MaxResults") or 100)
        next_token = {"NextToken": str(end)} if end < len(addresses) else {}
        return json_answer({"EmailAddresses": [{"EmailAddress": each} for each in addresses[first:end]], **next_token})

    def _check_instance(self, instance_id: str) -> None:
        known = re.escape(self.settings.instance_id)
        if not re.fullmatch(rf"(arn:[\w-]+:connect:[\w-]+:\d{{12}}:instance/)?{known}", instance_id):
            raise Refused("ResourceNotFoundException", "Instance not found")

    def _bucket(self, operation: str) -> TokenBucket:
        prefix = _QUOTA[operation]
        return TokenBucket(getattr(self.settings, f"{prefix}rate"), getattr(self.settings, f"{prefix}burst"))

    def _contact_arn(self, contact_id: str) -> str:
        return f"{_ARN.format(self.settings.instance_id)}/contact/{contact_id}"

    def _token_key(self, request: dict[str, Any]) -> Hashable:
        """Return what Connect remembers the request by, or None without a token."""
        token = request.get("ClientToken")
        with_contact = token is not None and self.settings.token_scope == "token_and_contact"
        return (token, request["ContactId"]) if with_contact else token

    def _refuse(self, case: RefusalCase | None, key: Hashable) -> None:
        if case:
            self._refused_tokens.add(key)
            raise self.settings.refusal(case)

    def _token_refusal(self, request: dict[str, Any], key: Hashable) -> RefusalCase | None:
        if self.settings.refusals == "remember" and key is not None and key in self._refused_tokens:
            return RefusalCase.REMEMBERED_REFUSAL
        sender = request.get("FromEmailAddress")
        known = sender is None or sender["EmailAddress"] in self.settings.email_addresses
        return RefusalCase.UNKNOWN_SENDER if self.settings.unknown_sender == "refuse" and not known else None

    def _contact_refusal(self, request: dict[str, Any], now: float) -> RefusalCase | None:
        return self.contacts.refusal(request["ContactId"], now, sends_again=self.settings.used_draft == "send")

    def _active_sent(self, now: float) -> int:
        return self._active.sent(now, self.settings.active_seconds)

    def _count(self, now: float) -> int:
        """Return how many emails are active."""
        return len(self.contacts.drafts(now)) + self._active.inbound(now) + self._active_sent(now)

    def _note_peaks(self, now: float) -> None:
        self.record.peak_drafts = max(self.record.peak_drafts, len(self.contacts.drafts(now)))
        self.record.peak_active = max(self.record.peak_active, self._count(now))


def _full() -> Refused:
    return Refused("ServiceQuotaExceededException", "Concurrent active emails per instance exceeded.")
