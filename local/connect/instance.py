"""One Connect instance: its state, and its decision on each request."""

import random
import re
from collections import deque
from dataclasses import replace
from typing import Any, NamedTuple

from local.connect.answer import Answer, Refused, json_answer
from local.connect.contacts import DEFAULT_EXPIRY_SECONDS, Drafts, TokenMemory
from local.connect.faults import AFTER, BEFORE, Faults, answer_instead, answer_spoilt
from local.connect.quotas import TokenBucket
from local.connect.record import Record
from local.connect.settings import Case, Settings, checked_settings
from local.connect.validation import checked, checked_creation, checked_sending

_ARN = "arn:aws:connect:us-east-1:123456789012:instance/{}"


class Decision(NamedTuple):
    """The answer to a StartOutboundEmailContact request, whether it causes an email, and whether it is a repeat."""

    answer: Answer
    accepted: bool = False
    repeat: bool = False


def text_member(request: object, name: str) -> str | None:
    """Return a member of a request (any JSON) if it is a string."""
    value = request.get(name) if isinstance(request, dict) else None
    return value if isinstance(value, str) else None


class Instance:
    """An instance, which starts as in a new account. Times are epoch seconds."""

    def __init__(self) -> None:
        self.drafts = Drafts()
        self.faults = Faults()
        self.record = Record()
        self._sent_tokens = TokenMemory()
        self._created_tokens = TokenMemory()
        self._refused_tokens: set[str | None] = set()
        self._accepted_at: deque[float] = deque()
        self.settings = Settings()
        self._bucket = TokenBucket(self.settings.rate, self.settings.burst)
        self._rng = random.Random(self.settings.seed)

    def change_settings(self, changes: object) -> None:
        """Change settings. A new quota starts with its full burst, a new seed with its first draw.

        Raises:
            ControlCallError: a setting is unknown or out of range; then none is changed.
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
            Refused: the answer is an error; nothing has changed except the quota.
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
            return Decision(self.settings.refusal(Case.REPEAT).answer, repeat=True)
        if not repeat:
            if case := self._obstacle(valid, now):
                self._refused_tokens.add(token)
                raise self.settings.refusal(case)
            self._check_capacity(now)
            self._accept(valid, now)
        answer = json_answer({"ContactId": contact_id})
        if fault := self.faults.strike_call(AFTER, (contact_id, token), self._rng):
            answer = answer_spoilt(fault, answer)
        return Decision(answer, accepted=not repeat, repeat=repeat)

    def create_contact(self, request: object, new_contact_id: str, now: float) -> Answer:
        """Decide on a CreateContact request. Its own quota is not emulated.

        Raises:
            Refused: the answer is an error.
        """
        valid = checked_creation(request)
        self._check_instance(valid["InstanceId"])
        contact_id = self._created_tokens.recall(valid, now)
        if contact_id is None:
            contact_id = new_contact_id
            minutes = valid.get("ExpiryDurationInMinutes")
            self.drafts.add([contact_id], now + (DEFAULT_EXPIRY_SECONDS if minutes is None else minutes * 60))
            self._created_tokens.remember(valid, contact_id, now)
        arn = f"{_ARN.format(self.settings.instance_id)}/contact/{contact_id}"
        return json_answer({"ContactId": contact_id, "ContactArn": arn})

    def describe(self, instance_id: str) -> Answer:
        """Answer a DescribeInstance request.

        Raises:
            Refused: it is another instance.
        """
        self._check_instance(instance_id)
        ours = {"Id": self.settings.instance_id, "Arn": _ARN.format(self.settings.instance_id)}
        return json_answer({"Instance": {**ours, "InstanceStatus": "ACTIVE"}})

    def search_email_addresses(self, request: object) -> Answer:
        """Answer a SearchEmailAddresses request: a page of all addresses. Criteria are not emulated.

        Raises:
            Refused: the answer is an error.
        """
        valid = checked("SearchEmailAddresses", request)
        self._check_instance(valid["InstanceId"])
        first, most = int(valid.get("NextToken") or 0), valid.get("MaxResults") or 100
        page = self.settings.email_addresses[first : first + most]
        more = {"NextToken": str(first + most)} if first + most < len(self.settings.email_addresses) else {}
        return json_answer({"EmailAddresses": [{"EmailAddress": address} for address in page], **more})

    def _check_instance(self, instance_id: str) -> None:
        known = re.escape(self.settings.instance_id)
        if not re.fullmatch(rf"(arn:[\w-]+:connect:[\w-]+:\d{{12}}:instance/)?{known}", instance_id):
            raise Refused("ResourceNotFoundException", "Instance not found")

    def _obstacle(self, request: dict[str, Any], now: float) -> Case | None:
        token, sender = request.get("ClientToken"), request.get("FromEmailAddress")
        if self.settings.refusals == "remember" and token is not None and token in self._refused_tokens:
            return Case.REMEMBERED_REFUSAL
        known = sender is None or sender["EmailAddress"] in self.settings.email_addresses
        if self.settings.unknown_sender == "refuse" and not known:
            return Case.UNKNOWN_SENDER
        return self.drafts.obstacle(request["ContactId"], now, sends_again=self.settings.used_draft == "send")

    def _check_capacity(self, now: float) -> None:
        while self._accepted_at and self._accepted_at[0] + self.settings.active_seconds <= now:
            self._accepted_at.popleft()
        if len(self._accepted_at) >= self.settings.capacity:
            raise Refused("ServiceQuotaExceededException", "Concurrent active emails per instance exceeded.")

    def _accept(self, request: dict[str, Any], now: float) -> None:
        self.drafts.mark_sent(request["ContactId"])
        self._accepted_at.append(now)
        self._sent_tokens.remember(request, request["ContactId"], now)
