import socket

from local.processes import free_port


def test_a_port_is_free_if_nobody_listens_on_it() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        assert free_port(port) == 0
    assert free_port(port) == port
