"""Follows a function's environment variables, so that a change of them reaches its next invocations."""

import threading
from dataclasses import replace
from types import TracebackType
from typing import Self

from local.aws import LocalAws
from local.function.deployed_function import DeployedFunction
from local.processes import in_background

EVERY = 2
"""Seconds between two looks; Lambda, too, takes some seconds for a change."""


class VariablesWatch:
    """Knows the function with the variables that Lambda has now. Its code stays as it was deployed first.

    Args:
        aws: where the function is.
        function: as it was deployed.
    """

    def __init__(self, aws: LocalAws, function: DeployedFunction) -> None:
        self._aws = aws
        self._function = function
        self._ended = threading.Event()

    def function(self) -> DeployedFunction:
        """Return it as it is now; the same object until a variable changes."""
        return self._function

    def __enter__(self) -> Self:
        self._watcher = in_background(self._watch, name="variables")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._watcher.join()

    def _watch(self) -> None:
        functions = self._aws.functions
        while not self._ended.wait(EVERY):
            try:
                configuration = functions.get_function_configuration(FunctionName=self._function.name)
            except functions.exceptions.ResourceNotFoundException:
                return  # it was deleted
            variables = configuration.get("Environment", {}).get("Variables", {})
            if variables != self._function.environment:
                self._function = replace(self._function, environment=variables)
