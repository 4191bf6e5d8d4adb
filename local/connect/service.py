"""The running Connect: decides on one request at a time, with the clock, and records it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from local.connect.answer import Answer, Refused
from local.connect.instance.instance import Decision, Instance, text_member
from local.connect.instance.record import Call
from local.connect.instance.validation import parsed


class EmulatedConnect:
    """An instance that many threads may call.

    It waits for nothing: whoever gives an answer waits for its `wait_seconds` first, latency included. So a request
    is decided when it arrives, whatever becomes of its caller meanwhile.

    Args:
        clock: returns epoch seconds, never less than before.
        new_id: returns an id that it has not returned before.
    """

    def __init__(self, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        self.clock = clock
        self._new_id = new_id
        self._lock = threading.Lock()
        self._instance = Instance()

    @contextmanager
    def held(self) -> Iterator[Instance]:
        """Give the instance while no request changes it."""
        with self._lock:
            yield self._instance

    def reset(self) -> None:
        """Start anew: no drafts, faults, record or token memory, and default settings."""
        with self._lock:
            self._instance = Instance()

    def start_outbound_email_contact(self, raw: bytes) -> Answer:
        """Answer a StartOutboundEmailContact request, given by its body, and record the call."""
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
                accepted=decision.accepted,
                repeat=decision.repeat,
                request_id=request_id,
            )
            instance.record.add(call)
            return _sealed(decision.answer, instance, request_id)

    def create_contact(self, raw: bytes) -> Answer:
        """Answer a CreateContact request, given by its body."""
        request = parsed(raw)
        with self.held() as instance:
            try:
                answer = instance.create_contact(request, self._new_id(), self.clock())
            except Refused as refused:
                answer = refused.answer
            return _sealed(answer, instance, self._new_id())


def _sealed(answer: Answer, instance: Instance, request_id: str) -> Answer:
    wait_seconds = answer.wait_seconds + instance.settings.latency_ms / 1000
    return replace(answer, headers={"x-amzn-RequestId": request_id, **answer.headers}, wait_seconds=wait_seconds)
