"""The deployed function: reads it from local AWS, and follows its changes."""

import base64
import hashlib
import io
import json
import threading
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import distribution
from pathlib import Path

from local.aws import LocalAws
from local.processes import in_background

RUNTIME_PACKAGES = ("awslambdaric", "simplejson", "snapshot-restore-py")
"""Lambda's runtime client and its dependencies. Lambda has them in a folder of their own, /var/runtime."""


@dataclass(frozen=True)
class DeployedFunction:
    """A function's configuration in Lambda.

    Args:
        name: The function's name.
        arn: Its ARN.
        handler: Its handler, as ``module.function``.
        runtime: Its runtime, such as ``python3.13``.
        timeout: Seconds.
        memory: MB.
        log_format: "Text" or "JSON".
        environment: Its environment variables.
        code: The folder with the unpacked zip.
    """

    name: str
    arn: str
    handler: str
    runtime: str
    timeout: int
    memory: int
    log_format: str
    environment: Mapping[str, str]
    code: Path

    @property
    def region(self) -> str:
        """Its Region, from arn:aws:lambda:REGION:account:function:name."""
        return self.arn.split(":")[3]


def fetch_function(aws: LocalAws, name: str, folder: Path, log_format: str = "Text") -> DeployedFunction:
    """Return a deployed function, and unpack its zip into ``folder``.

    moto does not keep the log format. ``deployed_log_format`` reads it from the template.
    """
    function = aws.functions.get_function(FunctionName=name)
    configuration = function["Configuration"]
    # moto's download link does not work, but it ends with the zip's key in S3.
    package = deployed_zip(aws, Path(function["Code"]["Location"]).name, configuration["CodeSha256"])
    zipfile.ZipFile(io.BytesIO(package)).extractall(folder)
    return DeployedFunction(
        name=configuration["FunctionName"],
        arn=configuration["FunctionArn"],
        handler=configuration["Handler"],
        runtime=configuration["Runtime"],
        timeout=configuration["Timeout"],
        memory=configuration["MemorySize"],
        log_format=log_format,
        environment=configuration.get("Environment", {}).get("Variables", {}),
        code=folder,
    )


def deployed_log_format(aws: LocalAws, stack: str) -> str:
    """Return the log format of the only function in a stack's template."""
    template = aws.stacks.get_template(StackName=stack)["TemplateBody"]
    resources = template["Resources"].values()
    (function,) = (resource for resource in resources if resource["Type"] == "AWS::Lambda::Function")
    return str(function["Properties"].get("LoggingConfig", {}).get("LogFormat", "Text"))


def deployed_zip(aws: LocalAws, key: str, sha256: str) -> bytes:
    """Return the zip with this key and this digest (in base64, as Lambda returns it).

    Raises:
        LookupError: No bucket has it.
    """
    for bucket in aws.files.list_buckets()["Buckets"]:
        listed = aws.files.list_objects_v2(Bucket=bucket["Name"], Prefix=key)
        for found in listed.get("Contents", []):
            content = aws.files.get_object(Bucket=bucket["Name"], Key=found["Key"])["Body"].read()
            if base64.b64encode(hashlib.sha256(content).digest()).decode() == sha256:
                return content
    raise LookupError(f"no bucket of local AWS has {key} with the digest of the deployed function")


def install_runtime(folder: Path) -> None:
    """Make a folder with links to Lambda's runtime client and to nothing else.

    So a function can import only its own zip and the standard library.
    """
    folder.mkdir()
    for package in map(distribution, RUNTIME_PACKAGES):
        top_level = {file.parts[0] for file in package.files or [] if not file.parts[0].startswith("..")}
        for name in top_level:
            (folder / name).symlink_to(Path(str(package.locate_file(name))).resolve())


POLL_SECONDS = 0.5
RECEIVING_STATES = {"Creating", "Enabling", "Enabled", "Updating"}


class DeploymentWatch:
    """Follows a function's environment variables and the state of its mapping.

    A changed variable reaches the next invocation. A changed state starts or stops the poller, and the watch reports to
    moto when the poller has followed (local/moto/mapping_states.py). The function's code stays as it was deployed.

    Args:
        aws: Where both are deployed.
        function: The function as deployed.
        mapping: The mapping's UUID.
    """

    def __init__(self, aws: LocalAws, function: DeployedFunction, mapping: str) -> None:
        self._aws = aws
        self._function = function
        self._mapping = mapping
        self._poller = str(uuid.uuid4())
        self._receives: bool | None = None
        self._ended = threading.Event()

    def function(self) -> DeployedFunction:
        """Return the function with its current variables: the same object until a variable changes."""
        return self._function

    def start(self, receive: Callable[[], object], stop_receiving: Callable[[], object]) -> None:
        """Poll once, then again and again in the background.

        Args:
            receive: Starts the poller.
            stop_receiving: Stops the poller, and returns when it has stopped.
        """

        def poll() -> None:
            self._update_variables()
            receives = self._state() in RECEIVING_STATES
            if receives != self._receives:
                (receive if receives else stop_receiving)()
                self._report(receives=receives)
                self._receives = receives

        def poll_until_ended() -> None:
            while not self._ended.wait(POLL_SECONDS):
                poll()

        poll()
        self._thread = in_background(poll_until_ended, name="deployment")

    def end(self) -> None:
        """Stop polling, and tell moto that the poller is gone."""
        self._ended.set()
        self._thread.join()
        self._report(receives=None)

    def _update_variables(self) -> None:
        functions = self._aws.functions
        with suppress(functions.exceptions.ResourceNotFoundException):  # the stack was deleted
            configuration = functions.get_function_configuration(FunctionName=self._function.name)
            variables = configuration.get("Environment", {}).get("Variables", {})
            if variables != self._function.environment:
                self._function = replace(self._function, environment=variables)

    def _state(self) -> str:
        functions = self._aws.functions
        try:
            return functions.get_event_source_mapping(UUID=self._mapping)["State"]
        except functions.exceptions.ResourceNotFoundException:
            return "Deleted"

    def _report(self, *, receives: bool | None) -> None:
        body = json.dumps({"mapping": self._mapping, "poller": self._poller, "polls": receives}).encode()
        url = f"{self._aws.endpoint}/_local/pollers"
        urllib.request.urlopen(urllib.request.Request(url, body, method="POST")).close()
