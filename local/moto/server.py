"""moto's server: ``python -m local.moto.server``, on a free port or ``--port N``.

With ``--skip-waits`` a long poll of an empty queue skips the clock ahead instead of waiting.

Requests take turns. In moto, a delete rebuilds the queue's list of messages, so a message that another thread sends
meanwhile is lost, and two receives at once can get the same message. SQS does neither.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from moto.logs import models as logs
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sqs import models
from werkzeug.serving import make_server

import local.moto.stack_resources  # noqa: F401 - defines what moto's CloudFormation then makes of templates
from local.moto.clock import Skippable, SqsClock
from local.moto.insights import execute_query
from local.moto.mapping_states import MappingStates, install
from local.moto.sqs_gate import SqsGate
from local.moto.sqs_queues import count_from_the_receive, quicken
from local.processes import in_background

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LONG_POLL_INTERVAL = 0.02
"""Seconds between two looks into an empty queue. moto itself looks once a second."""


class OneAtATime:
    """A WSGI application whose requests take turns. A long poll lets other requests through while it waits."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application
        self._turn = threading.Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request when its turn comes."""
        with self._turn:
            return self._application(environ, start_response)

    def take_turn(self, work: Callable[[], object]) -> None:
        """Do some work between two requests."""
        with self._turn:
            work()

    def give_way(self) -> None:
        """Let other requests take their turn for a moment. Call this within a request."""
        self._turn.release()
        try:
            time.sleep(LONG_POLL_INTERVAL)
        finally:
            self._turn.acquire()


def main() -> None:
    """Serve until killed; print the URL when ready."""
    clock = SqsClock(time.time)
    states = MappingStates(Skippable(DomainDispatcherApplication(create_backend_app), clock))
    application = OneAtATime(states)
    install(states)

    def wait(_queue: models.Queue, seconds: int) -> None:
        if "--skip-waits" in sys.argv:
            clock.skip(seconds)
        else:
            application.give_way()

    models.Queue.wait_for_messages = wait  # type: ignore[assignment, method-assign]  # moto's only hook
    # Only moto's queues and messages read the time with these.
    models.unix_time = lambda *_: clock.seconds()  # type: ignore[attr-defined]
    models.unix_time_millis = lambda *_: clock.milliseconds()  # type: ignore[attr-defined]
    quicken(clock.milliseconds)
    count_from_the_receive(clock.milliseconds)

    logs.execute_query = execute_query  # type: ignore[attr-defined]  # moto's only hook
    port = int(sys.argv[sys.argv.index("--port") + 1]) if "--port" in sys.argv else 0
    server = make_server("127.0.0.1", port, SqsGate(application), threaded=True, request_handler=MotoRequestHandler)
    os.environ["MOTO_PORT"] = str(server.port)
    # By name: moto recognises the template's S3 URL as its own only with "localhost" in it.
    print(f"moto on http://localhost:{server.port}", flush=True)
    # On its first request moto loads CloudFormation and all other services, which takes 4 s: this starts it sooner. In
    # a turn of its own, since moto's reset goes through the services that are loaded.
    load = lambda: import_module("moto.cloudformation.models")  # noqa: E731 - the work of one turn
    in_background(lambda: application.take_turn(load), name="CloudFormation")
    server.serve_forever()


if __name__ == "__main__":
    main()
