"""The running Connect: decides one request at a time, and records the calls."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from local.connect.answer import Refused, error_of
from local.connect.instance import Call, Decision, Instance, text_member
from local.connect.validation import parsed
from local.http_server import Answer


class EmulatedConnect:
    """An instance that many threads can call.

    It decides a request when the request arrives, even if the caller gives up later. It never waits: the server waits
    for the answer's `wait_seconds`, which include the latency, and then sends the answer.

    Args:
        clock: Returns epoch seconds that never decrease.
        new_id: Returns a new id each time.
        settings: Settings that differ from the defaults. A reset keeps them.
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
        """Yield the instance, and keep other threads from using it."""
        with self._lock:
            yield self._instance

    def reset(self) -> None:
        """Replace the instance by a new one, with the first settings."""
        with self._lock:
            self._instance = Instance()
            self._instance.change_settings(self._settings)

    def call(self, operation: str, raw: bytes) -> Answer:
        """Answer a request of one of the recorded operations (`faults.OPERATIONS`), and record the call."""
        request = parsed(raw)
        with self.held() as instance:
            now, request_id = self.clock(), self._new_id()
            try:
                decision = instance.decide(operation, request, now, self._new_id())
            except Refused as error:
                decision = Decision(error.answer)
            name, message = error_of(decision.answer)
            call = Call(
                n=instance.record.next_number(),
                at=now,
                client_token=text_member(request, "ClientToken"),
                contact_id=decision.contact_id or text_member(request, "ContactId"),
                instance_id=text_member(request, "InstanceId"),
                body=request,
                raw=raw.decode(errors="surrogateescape"),
                status=decision.answer.status,
                error=name,
                message=message,
                accepted=decision.accepted,
                repeat=decision.repeat,
                request_id=request_id,
            )
            instance.record.add(operation, call)
            return _finished(decision.answer, instance, request_id)

    def describe_instance(self, instance_id: str) -> Answer:
        """Answer a DescribeInstance request."""
        return self._answer(lambda instance: instance.describe(instance_id))

    def search_email_addresses(self, raw: bytes) -> Answer:
        """Answer a SearchEmailAddresses request."""
        return self._answer(lambda instance: instance.search_email_addresses(parsed(raw)))

    def _answer(self, decide: Callable[[Instance], Answer]) -> Answer:
        with self.held() as instance:
            try:
                answer = decide(instance)
            except Refused as error:
                answer = error.answer
            return _finished(answer, instance, self._new_id())


def _finished(answer: Answer, instance: Instance, request_id: str) -> Answer:
    wait_seconds = answer.wait_seconds + instance.settings.latency_ms / 1000
    return replace(answer, headers={"x-amzn-RequestId": request_id, **answer.headers}, wait_seconds=wait_seconds)
