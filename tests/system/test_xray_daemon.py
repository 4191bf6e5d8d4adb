import queue
import socket
from typing import Any

from local.function.xray_daemon import XRayDaemon


def test_documents_reach_the_sink_without_their_header() -> None:
    documents: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    with XRayDaemon(documents.put) as daemon, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tracer:
        host, port = daemon.address.split(":")
        tracer.sendto(b'{"format": "json", "version": 1}\n{"name": "connect"}', (host, int(port)))
        assert documents.get(timeout=5) == {"name": "connect"}
