"""The running Connect: decides one request at a time, and records it with the time."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from local.connect.answer import Answer, Refused
from local.connect.instance import Decision, Instance, text_member
from local.connect.record import Call
from local.connect.validation import parsed


class EmulatedConnect:
    """An instance that many threads may call.

    It never waits: the server waits an answer's `wait_seconds`, latency included, before it sends the answer. So a
    request is decided when it arrives, whatever happens to its caller meanwhile.

    Args:
        clock: returns epoch seconds, which never decrease.
        new_id: returns a new id each time.
        settings: which differ from the defaults, also after a reset.
    """

    def __init__(
        self, clock: Callable[[], float], new_id: Callable[[], str], settings: Mapping[str, object] | None = None
    ) -> None:
        self._settings = settings or {}
        self.clock = clock
        self._new_id = new_id
        self._lock = threading.Lock()
        self.reset()

    @contextmanager
    def held(self) -> Iterator[Instance]:
        """Yield the instance; no request can change it meanwhile."""
        with self._lock:
            yield self._instance

    def reset(self) -> None:
        """Start afresh: no drafts, faults, record or token memory, and the first settings."""
        with self._lock:
            self._instance = Instance()
            self._instance.change_settings(self._settings)

    def start_outbound_email_contact(self, raw: bytes) -> Answer:
        """Answer a StartOutboundEmailContact request, given its body, and record the call."""
        request = parsed(raw)
        with self.held() as instance:
            now, request_id = self.clock(), self._new_id()
            try:
                decision = instance.send(request, now)
            except Refused as refused:
                decision = Decision(refused.answer)
            call = Call(
                n=instance.record.next_number(),
                at=now,
                client_token=text_member(request, "ClientToken"),
                contact_id=text_member(request, "ContactId"),
                instance_id=text_member(request, "InstanceId"),
                body=request,
                raw=raw.decode(errors="surrogateescape"),
                status=decision.answer.status,
                error=decision.answer.error,
                message=decision.answer.message,
                accepted=decision.accepted,
                repeat=decision.repeat,
                request_id=request_id,
            )
            instance.record.add(call)
            return _finished(decision.answer, instance, request_id)

    def create_contact(self, raw: bytes) -> Answer:
        """Answer a CreateContact request, given its body."""
        request = parsed(raw)
        return self._answer(lambda instance: instance.create_contact(request, self._new_id(), self.clock()))

    def describe_instance(self, instance_id: str) -> Answer:
        """Answer a DescribeInstance request."""
        return self._answer(lambda instance: instance.describe(instance_id))

    def search_email_addresses(self, raw: bytes) -> Answer:
        """Answer a SearchEmailAddresses request, given its body."""
        return self._answer(lambda instance: instance.search_email_addresses(parsed(raw)))

    def _answer(self, decide: Callable[[Instance], Answer]) -> Answer:
        with self.held() as instance:
            try:
                answer = decide(instance)
            except Refused as refused:
                answer = refused.answer
            return _finished(answer, instance, self._new_id())


def _finished(answer: Answer, instance: Instance, request_id: str) -> Answer:
    wait_seconds = answer.wait_seconds + instance.settings.latency_ms / 1000
    return replace(answer, headers={"x-amzn-RequestId": request_id, **answer.headers}, wait_seconds=wait_seconds)
