"""A stand-in for the X-Ray daemon."""

import json
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from local.processes import in_background

LARGEST_DATAGRAM = 65535


class XRayDaemon:
    """Receives segment documents over UDP and passes each to ``sink``.

    A datagram has a JSON header, a line feed and the document:
    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
    """

    def __init__(self, sink: Callable[[dict[str, Any]], object]) -> None:
        self._sink = sink

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._receiver = in_background(self._receive, name="X-Ray daemon")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.sendto(b"", self._socket.getsockname())  # an empty datagram ends the receiver
        self._receiver.join()
        self._socket.close()

    def _receive(self) -> None:
        while datagram := self._socket.recv(LARGEST_DATAGRAM):
            _header, document = datagram.split(b"\n", maxsplit=1)
            self._sink(json.loads(document))
