"""Another version with another `sendRate` is deployed while replies are on their way, and rolled back."""

import shutil
from pathlib import Path

from bench.replies import put
from local.aws import ROOT
from local.cdk import CdkApp
from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.sqs.redrive import counts_of
from local.system import LocalCourier, running
from local.waiting import until

REPLIES = 150


def another_version(folder: Path) -> CdkApp:
    """The app from a copy of the project, whose function has other code."""
    for part in ("contract", "handler", "infra", "requirements"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", folder)
    handler = folder / "handler" / "app.py"
    handler.write_text(handler.read_text() + '\nlogger.append_keys(version="next")\n')
    return CdkApp("reply-courier", f"python {folder / 'app.py'}")


def test_replies_in_flight_are_sent_once_through_an_upgrade_and_a_rollback(
    courier: LocalCourier, tmp_path: Path
) -> None:
    connect = ConnectControl(courier.connect_url)
    connect.settings(rate=2, burst=5)  # so that they last for both deployments
    contacts = [f"contact-{n}" for n in range(REPLIES)]
    connect.draft(*contacts)
    put(courier.aws.sqs, courier.queue_url, contacts)
    until(lambda: len(connect.sent) > 0, "the first reply is sent")
    upgrade = running(print, context={"sendRate": "6"}, app=another_version(tmp_path / "next"), beside=courier)
    with upgrade as upgraded:  # both run for a moment, as versions of a function do
        courier.poller.pause()
        until(lambda: any('"version":"next"' in line.line for line in upgraded.logs), "the new version sends", 60)
        sent = len(connect.sent)
        with running(print, context={"sendRate": "10"}, beside=courier) as rolled_back:
            upgraded.poller.pause()
            connect.settings(rate=1000, burst=1000)
            wait_until_empty(rolled_back)
    courier.poller.resume()
    assert sent < REPLIES  # the rollback came in the middle, too
    assert sorted(email["contact_id"] for email in connect.sent) == sorted(contacts)
    assert counts_of(courier.aws.sqs, courier.dead_letter_queue_url) == (0, 0)
