"""What the tracer sends when the handler itself fails: that it failed, and nothing of the event."""

import queue
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.function.xray_daemon import XRayDaemon
from tests.samples import ADDRESS, FUNCTION_ENVIRONMENT, REGION

ROOT = Path(__file__).parents[2]
FAILS = f"""
from handler import app
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "x"
try:
    app.lambda_handler({{"not from SQS": "{ADDRESS}"}}, Context())
except TypeError:
    pass
"""


def test_a_failed_invocation_is_traced_without_its_event_and_error() -> None:
    documents: queue.Queue[dict[str, Any]] = queue.Queue()
    with XRayDaemon(documents.put) as daemon:
        environment = {
            "AWS_DEFAULT_REGION": REGION,
            "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
            "LAMBDA_TASK_ROOT": "/var/task",
            "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
            **FUNCTION_ENVIRONMENT,
        }
        ended = subprocess.run(
            [sys.executable, "-c", FAILS], cwd=ROOT, env=environment, check=False, capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stderr
        traced = documents.get(timeout=30)
    assert traced["name"] == "## lambda_handler"
    assert "metadata" not in traced, "the tracer would put an error there with all that it holds"
    assert ADDRESS not in str(traced)
