"""`python -m local.connect --port PORT` runs the emulated Connect until SIGTERM or SIGINT."""

import argparse
import signal
import time
import uuid
from pathlib import Path
from types import FrameType

from local.connect.routes import answer_to
from local.connect.service import EmulatedConnect
from local.connect.settings import settings_from_answers
from local.http_server import HttpServer


def main() -> None:
    """Start the server, print its URL and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.connect", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, required=True, help="port to listen on; 0 means any free port")
    parser.add_argument("--answers", type=Path, help="answer as in this file of courier doctor --send-test")
    arguments = parser.parse_args()
    try:
        settings = settings_from_answers(arguments.answers) if arguments.answers else {}
    except (OSError, ValueError) as error:
        parser.error(str(error))
    # Epoch seconds that never decrease, unlike the machine's clock.
    started = time.time() - time.monotonic()
    connect = EmulatedConnect(
        clock=lambda: started + time.monotonic(), new_id=lambda: str(uuid.uuid4()), settings=settings
    )
    with HttpServer(
        lambda request: answer_to(connect, request.method, request.url, request.body),
        (arguments.host, arguments.port),
    ) as server:
        signal.signal(signal.SIGTERM, _exit)
        signal.signal(signal.SIGINT, _exit)
        print(f"emulated Connect on {server.url}", flush=True)
        server.serve_forever()


def _exit(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
