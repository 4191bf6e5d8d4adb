"""A message that kills the function each time it is sent: its neighbours are sent, and it ends with its reason.

Slow (15 s), since the function really dies: for most of eleven receives, a process starts anew.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.function.deployed_function import DeploymentWatch
from local.function.event_source_mapping import Poller, deployed_mapping
from local.function.execution_environment import ExecutionEnvironment
from local.function.runtime_api import Failed, Returned
from local.processes import in_background
from local.sqs import messages
from local.system import LocalCourier
from local.waiting import until
from tests.operators import texts
from tests.samples import reply

KILLER = "killer"
NEIGHBOURS = [f"neighbour-{n}" for n in range(9)]


@dataclass
class Fragile:
    """An execution environment that does not survive the killer's call, and whose messages came long ago.

    Nobody waits until it is presumed to crash the function: each record was first received long enough ago.
    """

    environment: ExecutionEnvironment
    connect: ConnectControl
    presumed_seconds: int

    def invoke(self, event: Mapping[str, Any], /) -> Returned | Failed:
        """Run the function, and kill it when the killer's call has reached Connect."""
        before = killers_calls(self.connect)
        over: list[Returned | Failed] = []

        def kill_in_time() -> None:
            until(
                lambda: over or killers_calls(self.connect) > before,
                "the killer's call came, or the invocation was over",
            )
            if not over:
                self.environment.kill()

        watcher = in_background(kill_in_time, name="watcher")
        over.append(self.environment.invoke({"Records": [self.aged(record) for record in event["Records"]]}))
        watcher.join()
        return over[0]

    def kill(self) -> None:
        self.environment.kill()

    def aged(self, record: dict[str, Any]) -> dict[str, Any]:
        first_received = str(int((time.time() - 2 * self.presumed_seconds) * 1000))
        return {**record, "attributes": {**record["attributes"], "ApproximateFirstReceiveTimestamp": first_received}}


def killers_calls(connect: ConnectControl) -> int:
    return sum(call["contact_id"] == KILLER for call in connect.calls)


def test_what_kills_the_function_is_dead_lettered_untried_and_its_neighbours_are_sent_once(
    courier: LocalCourier,
) -> None:
    connect = ConnectControl(courier.connect_url)
    connect.draft(KILLER, *NEIGHBOURS)
    connect.fail("hang", times=None, contact_id=KILLER, seconds=3600)
    courier.poller.pause()
    ids = {
        contact: courier.aws.sqs.send_message(
            QueueUrl=courier.queue_url, MessageBody=json.dumps(reply(ContactId=contact))
        )["MessageId"]
        for contact in [*NEIGHBOURS[:4], KILLER, *NEIGHBOURS[4:]]
    }
    presumed = int(courier.function.environment["CRASH_LOOP_SECONDS"])
    fragile = [Fragile(environment, connect, presumed) for environment in courier.environments]
    mapping = deployed_mapping(courier.aws, courier.function.name)
    try:
        watch = DeploymentWatch(courier.aws, courier.function, mapping.uuid)
        with Poller(mapping, courier.aws, watch, fragile) as poller:
            wait_until_empty(replace(courier, poller=poller))
    finally:
        for environment in courier.environments:  # the end of that poller killed them: the next test gets new ones
            environment.close()
        courier.poller.resume()

    # It never ends where its call is made. So the receive that dead-lettered it is one without a call.
    lines = [json.loads(line.line) for line in courier.logs]
    (end,) = [
        line for line in lines if line.get("message") == "reply_dead_lettered" and line["message_id"] == ids[KILLER]
    ]
    assert 1 < killers_calls(connect) < end["receive_count"] <= int(courier.function.environment["MAX_RECEIVES"]) + 1
    assert sorted(email["contact_id"] for email in connect.sent) == NEIGHBOURS
    (letter,) = messages(courier.aws.sqs, courier.dead_letter_queue_url)
    attributes = texts(letter)
    assert json.loads(letter["Body"])["ContactId"] == KILLER
    assert (attributes["MessageId"], attributes["Reason"]) == (
        ids[KILLER],
        "RetriesExhausted",
    )
