"""The states of moto's event source mappings: Disabling until every poller has stopped, Enabling until all go on.

moto itself knows only the two ends, and polls for a mapping by running its function in Docker: here it never polls.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from moto.awslambda.models import EventSourceMapping
from moto.sqs.models import Queue
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

POLLERS_PATH = "/_local/pollers"
_END = {True: "Enabled", False: "Disabled"}
_ON_THE_WAY = {True: "Enabling", False: "Disabling"}


class MappingStates:
    """A WSGI application with one more call, by which a poller says what it does now for a mapping.

    ``POST /_local/pollers {"mapping": UUID, "poller": "p-1", "polls": false}``; with ``null`` it is gone.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application
        self._pollers: defaultdict[str, dict[str, bool]] = defaultdict(dict)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        if environ["PATH_INFO"] != POLLERS_PATH:
            return self._application(environ, start_response)
        return self._reported(environ)(environ, start_response)

    def state(self, uuid: str, *, enabled: bool) -> str:
        """The state of a mapping that is to be enabled, or not to be."""
        followed = all(polls == enabled for polls in self._pollers[uuid].values())
        return (_END if followed else _ON_THE_WAY)[enabled]

    def _reported(self, environ: "WSGIEnvironment") -> Response:
        try:
            match json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))):
                case {"mapping": str(mapping), "poller": str(poller), "polls": None}:
                    self._pollers[mapping].pop(poller, None)
                    return Response("{}", content_type="application/json")
                case {"mapping": str(mapping), "poller": str(poller), "polls": bool(polls)}:
                    self._pollers[mapping][poller] = polls
                    return Response("{}", content_type="application/json")
        except ValueError:
            pass  # what is not JSON gets the same answer as JSON of another form
        return Response('Send {"mapping": UUID, "poller": NAME, "polls": true, false or null}.\n', status=400)


def play(states: MappingStates) -> None:
    """Have moto answer with these states, and leave the polling to local AWS's own pollers."""
    answered: Callable[[EventSourceMapping], dict[str, Any]] = EventSourceMapping.get_configuration

    def configuration(mapping: EventSourceMapping) -> dict[str, Any]:
        return {**answered(mapping), "State": states.state(mapping.uuid, enabled=mapping.enabled)}

    EventSourceMapping.get_configuration = configuration  # type: ignore[assignment, method-assign]
    # moto polls for what a queue keeps here.
    Queue.lambda_event_source_mappings = property(lambda _: {}, lambda _queue, _mappings: None)  # type: ignore[assignment]
