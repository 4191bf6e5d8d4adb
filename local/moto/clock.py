"""SQS's clock in local AWS. Tests skip it ahead so that they don't wait, or back to put old messages on a queue."""

import json
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SKIP_PATH = "/_local/skip"


class SqsClock:
    """Reads ``now`` (epoch seconds) plus the skipped seconds.

    Only SQS uses this clock. So messages can come from the future for a function, which reads the machine's clock.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._skipped = 0.0

    def skip(self, seconds: float) -> float:
        """Skip ahead, or back with a negative number. Return how many seconds the clock is ahead then."""
        self._skipped += seconds
        return self._skipped

    def seconds(self) -> float:
        """Return seconds since the epoch."""
        return self._now() + self._skipped

    def milliseconds(self) -> float:
        """Return milliseconds since the epoch."""
        return self.seconds() * 1000


class Skippable:
    """A WSGI application with a call that skips the clock: ``POST /_local/skip {"seconds": 30}``."""

    def __init__(self, application: "WSGIApplication", clock: SqsClock) -> None:
        self._application = application
        self._clock = clock

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        if environ["PATH_INFO"] != SKIP_PATH:
            return self._application(environ, start_response)
        return self._skip(environ)(environ, start_response)

    def _skip(self, environ: "WSGIEnvironment") -> Response:
        try:
            match json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))):
                case {"seconds": int() | float() as seconds} if math.isfinite(seconds):
                    return Response(json.dumps({"ahead": self._clock.skip(seconds)}), content_type="application/json")
        except ValueError:
            pass  # the answer is the same as to JSON of another form
        return Response('Send {"seconds": N}, where N is a number.\n', status=400)
