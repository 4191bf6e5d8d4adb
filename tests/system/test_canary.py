"""`courier dlq replay --canary` on the deployed whole: a cause that is not mended costs a few calls, not a thousand."""

import json

from courier.aws import STACK
from local.connect.control_client import ConnectControl
from local.system import LocalCourier
from tests.operators import Operator

LETTERS = 200
CANARY = 5


def test_the_first_few_stop_a_replay_whose_cause_is_not_mended_and_start_one_whose_cause_is(
    courier: LocalCourier,
) -> None:
    operator = Operator(courier.aws, STACK, courier.queue_url, courier.dead_letter_queue_url, courier.payload_bucket)
    operator.letters(LETTERS)  # their contacts have no drafts
    connect = ConnectControl(courier.connect_url)

    ended = operator.courier("dlq", "replay", "--all", "--yes", "--canary", str(CANARY), "--json")
    assert ended.returncode == 1
    told = json.loads(ended.stdout)
    assert (told["replayed"], told["stopped"]) == (CANARY, True)
    assert set(told["came_back"].values()) == {"NotFound"}
    assert {call["client_token"] for call in connect.calls} == set(told["came_back"])
    assert len(connect.calls) == CANARY
    assert operator.counts(operator.dead_letter_queue_url) == (LETTERS, 0)

    connect.draft(*(f"contact-{n}" for n in range(LETTERS)))
    ended = operator.courier("dlq", "replay", "--limit", "20", "--yes", "--canary", str(CANARY), "--wait")
    assert ended.stdout.endswith("20 replayed.\n20 sent, 0 came back, 0 not known yet.\n"), ended.stderr
    assert len(connect.sent) == 20
    assert operator.counts(operator.dead_letter_queue_url) == (LETTERS - 20, 0)
