"""A Connect instance: its state, its record of calls and emails, and its decision on each request."""

import random
import re
from collections import Counter
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple, TypedDict

from local.connect.answer import Refused, json_answer
from local.connect.contacts import DEFAULT_EXPIRY_SECONDS, Contacts, TokenMemory
from local.connect.faults import AFTER, BEFORE, Faults, answer_instead, answer_spoilt
from local.connect.quotas import ActiveEmails, TokenBucket
from local.connect.settings import RefusalCase, Settings, checked_settings
from local.connect.validation import checked, checked_creation, checked_sending
from local.http_server import Answer

_ARN = "arn:aws:connect:us-east-1:123456789012:instance/{}"


class Call(TypedDict):
    """A StartOutboundEmailContact request and its answer. `at` is in epoch seconds."""

    n: int
    at: float
    client_token: str | None
    contact_id: str | None
    instance_id: str | None
    body: Any  # the parsed request, or None if it is not JSON
    raw: str  # the request's bytes, with surrogate escapes for those that are not UTF-8
    status: int | None  # None: the connection was closed without an answer
    error: str | None
    message: str | None  # the error's message
    accepted: bool  # Connect sent an email
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
    """Calls and emails, ordered by number. Clearing the record does not restart the numbers."""

    def __init__(self) -> None:
        self._last = 0
        self.clear()

    def clear(self) -> None:
        """Remove all calls and emails."""
        self.calls: list[Call] = []
        self.sent: list[Sent] = []
        self.counts: Counter[str] = Counter(calls=0, sent=0, throttled=0, repeats=0)

    def next_number(self) -> int:
        """Return the number of the next call."""
        self._last += 1
        return self._last

    def add(self, call: Call) -> None:
        """Add a call, and its email if Connect sent one."""
        self.calls.append(call)
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
    """The answer to a StartOutboundEmailContact request, whether Connect sends an email, and whether it is a repeat."""

    answer: Answer
    accepted: bool = False
    repeat: bool = False


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
        self._refused_tokens: set[str | None] = set()
        self._active = ActiveEmails()
        self.settings = Settings()
        self._bucket = TokenBucket(self.settings.rate, self.settings.burst)
        self._rng = random.Random(self.settings.seed)

    def change_settings(self, changes: object) -> None:
        """Change settings. A changed quota starts with its full burst, a changed seed with its first random number.

        Raises:
            ControlCallError: A setting is unknown or out of range. No setting has changed.
        """
        members = checked_settings(changes)
        self.settings = replace(self.settings, **members)
        if members.keys() & {"rate", "burst"}:
            self._bucket = TokenBucket(self.settings.rate, self.settings.burst)
        if "seed" in members:
            self._rng = random.Random(self.settings.seed)

    def send(self, request: object, now: float) -> Decision:
        """Decide on a StartOutboundEmailContact request.

        Raises:
            Refused: The answer is an error. The request has used the quota and changed nothing else.
        """
        token, contact_id = text_member(request, "ClientToken"), text_member(request, "ContactId")
        if fault := self.faults.strike_call(BEFORE, (contact_id, token), self._rng):
            return Decision(answer_instead(fault))
        if not self._bucket.take(now):
            raise Refused("ThrottlingException", "Rate exceeded")
        valid = checked_sending(request)
        self._check_instance(valid["InstanceId"])
        repeat = self._sent_tokens.recall(valid, now) is not None
        if repeat and self.settings.repeat == "conflict":
            return Decision(self.settings.refusal(RefusalCase.REPEAT).answer, repeat=True)
        if not repeat:
            if case := self._refusal(valid, now):
                self._refused_tokens.add(token)
                raise self.settings.refusal(case)
            self._check_capacity(now)
            self._accept(valid, now)
        answer = json_answer({"ContactId": contact_id})
        if fault := self.faults.strike_call(AFTER, (contact_id, token), self._rng):
            answer = answer_spoilt(fault, answer)
        return Decision(answer, accepted=not repeat, repeat=repeat)

    def create_contact(self, request: object, new_contact_id: str, now: float) -> Answer:
        """Decide on a CreateContact request. Its quota is not emulated.

        Raises:
            Refused: The answer is an error.
        """
        valid = checked_creation(request)
        self._check_instance(valid["InstanceId"])
        contact_id = self._created_tokens.recall(valid, now)
        if contact_id is None:
            contact_id = new_contact_id
            minutes = valid.get("ExpiryDurationInMinutes")
            self.contacts.add_drafts([contact_id], now + (DEFAULT_EXPIRY_SECONDS if minutes is None else minutes * 60))
            self._created_tokens.remember(valid, contact_id, now)
        arn = f"{_ARN.format(self.settings.instance_id)}/contact/{contact_id}"
        return json_answer({"ContactId": contact_id, "ContactArn": arn})

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

    def _refusal(self, request: dict[str, Any], now: float) -> RefusalCase | None:
        token, sender = request.get("ClientToken"), request.get("FromEmailAddress")
        if self.settings.refusals == "remember" and token is not None and token in self._refused_tokens:
            return RefusalCase.REMEMBERED_REFUSAL
        known = sender is None or sender["EmailAddress"] in self.settings.email_addresses
        if self.settings.unknown_sender == "refuse" and not known:
            return RefusalCase.UNKNOWN_SENDER
        return self.contacts.refusal(request["ContactId"], now, sends_again=self.settings.used_draft == "send")

    def _check_capacity(self, now: float) -> None:
        if self._active.count(now, self.settings.active_seconds) >= self.settings.capacity:
            raise Refused("ServiceQuotaExceededException", "Concurrent active emails per instance exceeded.")

    def _accept(self, request: dict[str, Any], now: float) -> None:
        self.contacts.mark_sent(request["ContactId"])
        self._active.add(now)
        self._sent_tokens.remember(request, request["ContactId"], now)
