import json

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from local.moto.clock import Skippable, SqsClock


@pytest.fixture
def clock() -> SqsClock:
    return SqsClock(lambda: 1_000.0)


@pytest.fixture
def server(clock: SqsClock) -> Client:
    return Client(Skippable(Response("not ours"), clock))


def test_the_clock_runs_with_its_source_until_it_is_skipped_ahead(clock: SqsClock) -> None:
    assert clock.seconds() == 1_000
    clock.skip(30)
    clock.skip(0.5)
    assert (clock.seconds(), clock.milliseconds()) == (1_030.5, 1_030_500)


def test_the_clock_skips_over_http(clock: SqsClock, server: Client) -> None:
    assert server.post("/_local/skip", data=json.dumps({"seconds": 30})).status_code == 200
    assert clock.seconds() == 1_030
    assert server.post("/_local/skip", data=json.dumps({"seconds": -40})).status_code == 200
    assert clock.seconds() == 990


@pytest.mark.parametrize("body", ["", "{", "[]", "30", '{"seconds": NaN}', '{"seconds": "30"}'])
def test_an_invalid_skip_is_refused_and_changes_nothing(clock: SqsClock, server: Client, body: str) -> None:
    answer = server.post("/_local/skip", data=body)
    assert (answer.status_code, "seconds" in answer.text) == (400, True)
    assert clock.seconds() == 1_000
