"""The environment variables of a function's process: those deployed, Lambda's own, and local AWS's endpoints."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.function.deployed_function import DeployedFunction


@dataclass(frozen=True)
class Surroundings:
    """What every process of a function needs besides the function.

    Args:
        runtime: the folder that stands in for /var/runtime.
        endpoints: ``AWS_ENDPOINT_URL`` and the like.
        xray: the X-Ray daemon's host:port.
    """

    runtime: Path
    endpoints: Mapping[str, str]
    xray: str


def process_environment(
    function: DeployedFunction, surroundings: Surroundings, runtime_api: str, log_stream: str
) -> dict[str, str]:
    """Return the whole environment of the process; it holds nothing of this machine's own environment.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    """
    return {
        **function.environment,
        "_HANDLER": function.handler,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": function.log_format,
        # With JSON, Lambda also sets the level: INFO by default.
        **({"AWS_LAMBDA_LOG_LEVEL": "INFO"} if function.log_format == "JSON" else {}),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_REGION": function.region,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": surroundings.xray,
        "LAMBDA_RUNTIME_DIR": str(surroundings.runtime),
        "LAMBDA_TASK_ROOT": str(function.code),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(surroundings.runtime),
        "TZ": ":UTC",
        # Not set by Lambda; without them boto3 would read this user's AWS profiles.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **surroundings.endpoints,
    }
