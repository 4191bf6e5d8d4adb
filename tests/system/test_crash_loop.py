"""A message that kills the function each time it is sent: its neighbours are sent, and it ends with its reason."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.connect.control_client import ConnectControl
from local.drain import wait_until_empty
from local.function.event_source_mapping import Environment
from local.function.execution_environment import ExecutionEnvironment
from local.function.runtime_api import Failed, Returned
from local.processes import in_background
from local.sqs.redrive import messages
from local.system import running
from tests.samples import reply
from tests.waiting import until

KILLER = "killer"
NEIGHBOURS = [f"neighbour-{n}" for n in range(9)]


@dataclass
class Fragile:
    """An execution environment that does not survive the killer's call."""

    environment: ExecutionEnvironment
    connect: list[ConnectControl]  # is there once all is deployed

    def invoke(self, event: Mapping[str, object], /) -> Returned | Failed:
        """Run the function, and kill it when the killer's call has reached Connect."""
        (connect,) = self.connect
        before = killers_calls(connect)
        over: list[Returned | Failed] = []

        def kill_in_time() -> None:
            until(lambda: over or killers_calls(connect) > before, "the killer's call came, or the invocation was over")
            if not over:
                self.environment.kill()

        watcher = in_background(kill_in_time, name="watcher")
        over.append(self.environment.invoke(event))
        watcher.join()
        return over[0]

    def kill(self) -> None:
        self.environment.kill()


def killers_calls(connect: ConnectControl) -> int:
    return sum(call["contact_id"] == KILLER for call in connect.calls)


def is_end_of(line: dict[str, Any], message_id: str) -> bool:
    return line.get("message") == "reply_dead_lettered" and line["message_id"] == message_id


def test_what_kills_the_function_is_dead_lettered_untried_and_its_neighbours_are_sent_once() -> None:
    connects: list[ConnectControl] = []

    def around(environment: ExecutionEnvironment) -> Environment:
        return Fragile(environment, connects)

    # The shortest retry window, one second: the function gives up a message that it keeps receiving after few receives.
    with running(print, context={"retryHours": "0.0003"}, around=around) as courier:
        connect = ConnectControl(courier.connect_url)
        connects.append(connect)
        connect.settings(rate=1000, burst=1000)
        connect.draft(KILLER, *NEIGHBOURS)
        connect.fail("hang", times=None, contact_id=KILLER, seconds=3600)
        courier.poller.pause()
        ids = {
            contact: courier.aws.sqs.send_message(
                QueueUrl=courier.queue_url, MessageBody=json.dumps(reply(ContactId=contact))
            )["MessageId"]
            for contact in [*NEIGHBOURS[:4], KILLER, *NEIGHBOURS[4:]]
        }
        courier.poller.resume()
        wait_until_empty(courier)
        for line in courier.logs:
            print(line.line)

        # It never ends where its call is made. So the receive that dead-lettered it is one without a call.
        (end,) = [
            line for line in map(json.loads, (line.line for line in courier.logs)) if is_end_of(line, ids[KILLER])
        ]
        assert 1 < killers_calls(connect) < end["attempt"] <= int(courier.function.environment["MAX_RECEIVES"]) + 1
        assert sorted(email["contact_id"] for email in connect.sent) == NEIGHBOURS
        (letter,) = messages(courier.aws.sqs, courier.dead_letter_queue_url)
        attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
        assert json.loads(letter["Body"])["ContactId"] == KILLER
        assert (attributes["ClientToken"], attributes["Reason"]) == (ids[KILLER], "RetriesExhausted")
