"""Dead letters for tests of `courier`, of one shape or of any."""

from typing import Any

from hypothesis import strategies as st

from contract.message_attributes import string
from courier.aws import Account, Queues
from courier.dead_letters import Letter
from courier.sending import Outgoing
from handler.message import Message
from tests.samples import long_names

NOW = 1_800_000_000.0
TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1, max_size=20
)
VALUES = st.one_of(
    TEXTS.map(string), st.binary(min_size=1, max_size=20).map(lambda b: {"DataType": "Binary", "BinaryValue": b})
)
NAMES = st.text(st.sampled_from("abcdef-_"), min_size=1, max_size=10)


def letter(body: str = "{}", *, sent_at: Any = NOW, **attributes: Any) -> Letter:
    given = long_names(attributes)
    values = {name: string(value) if isinstance(value, str) else value for name, value in given.items()}
    return Letter("id-1", "handle", body, values, sent_at)


def account_on(sqs: Any) -> Account:
    """An account whose queues are "replies" and "dead" of this SQS."""
    account = Account()
    account.__dict__.update(sqs=sqs, queues=Queues("replies", "dead"))
    return account


def as_the_function_sees(message: Outgoing) -> Message:
    """The message at its first receive, under a new id."""
    return Message("id-2", "handle", message.body, message.attributes, 1, NOW, NOW, {})
