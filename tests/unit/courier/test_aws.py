from typing import Any

import pytest

from courier.aws import Queues, StackOutputError, queues_of


def test_queues_are_found_by_the_stacks_outputs() -> None:
    outputs = [{"OutputKey": k, "OutputValue": v} for k, v in (("QueueUrl", "q"), ("DeadLetterQueueUrl", "d"))]
    stack: Any = {"StackName": "s", "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}
    assert queues_of(stack) == Queues("q", "d")
    with pytest.raises(StackOutputError, match="has no output 'DeadLetterQueueUrl'"):
        queues_of(stack | {"Outputs": stack["Outputs"][:1]})
