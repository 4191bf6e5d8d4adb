"""Polls Lambda for changes of a deployed function and of its event source mapping."""

import json
import threading
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from local.aws import LocalAws
from local.function.deployed_function import DeployedFunction
from local.processes import in_background

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
