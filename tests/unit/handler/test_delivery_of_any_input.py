"""1,000 bodies and records of any shape: none escapes as an exception, none keeps its neighbours from being sent."""

import io
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.connect import FakeConnect
from tests.fakes.function import delivery
from tests.fakes.sqs import FakeSqs
from tests.samples import OURS, long_names, record, reply

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = st.sampled_from(
    [
        "ContactId",
        "DestinationEmailAddress",
        "EmailMessage",
        "InstanceId",
        "AdditionalRecipients",
        "RawMessage",
        "Subject",
    ]
)


@st.composite
def nearly_replies(draw: st.DrawFn) -> str:
    """A sound reply in which something, at some depth, is something else."""
    body = reply(AdditionalRecipients={"CcEmailAddresses": [{"EmailAddress": "cc@customer.example"}]})
    target: Any = body
    while isinstance(target, dict) and target and draw(st.booleans()):
        inner = target[draw(st.sampled_from(sorted(target)))]
        if not isinstance(inner, dict) or not inner:
            break
        target = inner
    target[draw(st.sampled_from(sorted(target)) | MEMBERS | st.text(max_size=10))] = draw(JSON)
    return json.dumps(body)


BODIES = st.text() | JSON.map(json.dumps) | nearly_replies() | st.binary().map(lambda raw: raw.decode("latin-1"))
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["ClientToken", *long_names(dict.fromkeys(OURS)), "own"]) | st.text(max_size=5),
    st.fixed_dictionaries({}, optional={"dataType": JSON, "stringValue": JSON, "binaryValue": JSON}) | JSON,
    max_size=12,
)
RECORDS = st.one_of(
    st.builds(record, BODIES),
    st.builds(lambda body, attributes: record(body) | {"messageAttributes": attributes}, BODIES, ATTRIBUTES),
    st.builds(lambda changes: record() | changes, st.dictionaries(st.sampled_from(sorted(record())), JSON, max_size=4)),
    st.builds(
        lambda gone: {k: v for k, v in record().items() if k not in gone}, st.sets(st.sampled_from(sorted(record())))
    ),
    JSON,
)


@settings(max_examples=250, suppress_health_check=list(HealthCheck))
@given(odd=st.lists(RECORDS, min_size=4, max_size=4), place=st.integers(0, 4))
def test_nothing_that_stands_in_a_batch_escapes_or_blocks_it(odd: list[Any], place: int) -> None:
    log, connect, sqs = io.StringIO(), FakeConnect(), FakeSqs()
    records = [*odd[:place], record(message_id="sound"), *odd[place:]]
    answer = delivery(connect, sqs, log=log).deliver_all(records, lambda: 600)
    failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    named = {each["messageId"] for each in odd if isinstance(each, dict) and isinstance(each.get("messageId"), str)}
    assert failed <= named - {""}
    assert "sound" in {email["ClientToken"] for email in connect.accepted}
    assert "unexpected_error" not in log.getvalue()
