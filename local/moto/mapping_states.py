"""Gives moto's event source mappings the states Enabling and Disabling, until all pollers have followed.

moto itself knows only Enabled and Disabled. It polls for a mapping by running the function in Docker. Here it doesn't.
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
_FINAL = {True: "Enabled", False: "Disabled"}
_CHANGING = {True: "Enabling", False: "Disabling"}


class MappingStates:
    """A WSGI application with a call that says whether a poller polls for a mapping; null means the poller is gone.

    ``POST /_local/pollers {"mapping": UUID, "poller": "p-1", "polls": false}``
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
        """Return the state of a mapping that was enabled or disabled."""
        followed = all(polls == enabled for polls in self._pollers[uuid].values())
        return (_FINAL if followed else _CHANGING)[enabled]

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
            pass  # the answer is the same as to JSON of another form
        return Response('Send {"mapping": UUID, "poller": NAME, "polls": true, false or null}.\n', status=400)


def install(states: MappingStates) -> None:
    """Make moto answer with these states, and leave the polling to local AWS's own pollers."""
    original: Callable[[EventSourceMapping], dict[str, Any]] = EventSourceMapping.get_configuration

    def configuration(mapping: EventSourceMapping) -> dict[str, Any]:
        return {**original(mapping), "State": states.state(mapping.uuid, enabled=mapping.enabled)}

    EventSourceMapping.get_configuration = configuration  # type: ignore[assignment, method-assign]
    # moto polls for the mappings that a queue keeps in this attribute.
    Queue.lambda_event_source_mappings = property(lambda _: {}, lambda _queue, _mappings: None)  # type: ignore[assignment]
