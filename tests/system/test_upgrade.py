"""Another version with another `sendRate` is deployed while replies are on their way, and rolled back while paused."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.load import put
from courier.pause import sending_state
from local.aws import ROOT
from local.cdk import CdkApp, sources_in
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.processes import in_background
from local.sqs import counts_of
from local.system import LocalCourier, running
from local.waiting import until
from tests.settings import SHARED
from tests.switching import switch_of


class Producer:
    """Puts two replies a second on the queue, until it is stopped."""

    def __init__(self, courier: LocalCourier) -> None:
        self._courier = courier
        self.contacts: list[str] = []
        self._is_over = threading.Event()
        self._thread = in_background(self._put, name="producer")

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _put(self) -> None:
        while not self._is_over.wait(0.5):
            contact = f"contact-{len(self.contacts)}"
            ConnectControl(self._courier.connect_url).draft(contact)
            put(self._courier.aws.sqs, self._courier.queue_url, [contact])
            self.contacts.append(contact)


@pytest.fixture
def producer(courier: LocalCourier) -> Iterator[Producer]:
    producer = Producer(courier)
    yield producer
    producer.stop()


def another_version(folder: Path) -> CdkApp:
    """The app from a copy of the project, whose function has other code."""
    for part in ("contract", "handler", "infra", "requirements"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", folder)
    handler = folder / "handler" / "app.py"
    handler.write_text(handler.read_text() + '\nlogger.append_keys(version="next")\n')
    return CdkApp("reply-courier", f"python {folder / 'app.py'}", sources_in(folder))


def test_replies_in_flight_are_sent_once_through_an_upgrade_and_a_rollback_that_keeps_a_pause(
    courier: LocalCourier, producer: Producer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = ConnectControl(courier.connect_url)
    connect.settings(rate=2, burst=5)  # so that some are throttled, and wait for their backoff
    until(lambda: len(connect.sent) > 0, "the first reply is sent")
    upgrade = running(print, context=SHARED | {"sendRate": "6"}, app=another_version(tmp_path / "next"), beside=courier)
    with upgrade as upgraded:  # both run for a moment, as versions of a function do
        courier.poller.pause()
        until(lambda: any('"version":"next"' in line.line for line in upgraded.logs), "the new version sends")
        switch = switch_of(upgraded, monkeypatch)
        switch.pause(1_800_000_000)
        switch.wait_for_invocations(upgraded.function.timeout)
        sent, calls = len(connect.sent), len(connect.calls)
        with running(print, context=SHARED, beside=courier) as rolled_back:
            upgraded.poller.pause()
            # The mapping's MaximumConcurrency has changed, and so CloudFormation has updated it.
            paused = sending_state(switch.account)
            assert (paused.mapping, paused.paused_by, len(connect.calls)) == ("Disabled", "user/moto", calls)
            assert len(producer.contacts) > sent  # replies go on coming
            switch.resume()
            until(lambda: len(connect.sent) > sent, "the old version sends again")
            producer.stop()
            connect.settings(rate=1000, burst=1000)
            wait_until_empty(rolled_back)
    courier.poller.resume()
    assert sorted(email["contact_id"] for email in connect.sent) == sorted(producer.contacts)
    assert counts_of(courier.aws.sqs, courier.dead_letter_queue_url) == (0, 0)
