"""A unix socket instead of a host: the same path, stamped by the read."""

import errno
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest

from racelog_recorder.transports.httpx_transport import StampedPlainTransport
from racelog_recorder.transports.pump.transport import PumpTransport
from tests.recorder.transports.pump.harness import HELLO, MakeTransport, Recorder, with_client

pytestmark = [
    pytest.mark.usefixtures("every_poller"),
    pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs unix sockets"),
]


@pytest.fixture
def listening(tmp_path: Path, wire: Any) -> Any:
    """Give the path of a socket whose server says hello to every request, and what its clients asked."""
    path, asked = str(tmp_path / "engine.sock"), []
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            while request := wire.read_request(connection):
                asked.append(request)
                connection.sendall(HELLO)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield path, asked
    listener.close()
    thread.join(5)


@pytest.mark.parametrize("transport", ["pump", "plain"])
def test_requests_go_to_the_socket_and_say_the_urls_host(listening: Any, transport: str) -> None:
    path, asked = listening
    recorder = Recorder()
    makers: dict[str, MakeTransport] = {
        "pump": lambda pump: PumpTransport(pump, unix_socket=path),
        "plain": lambda _pump: StampedPlainTransport(unix_socket=path),
    }

    async def use(client: httpx2.AsyncClient) -> None:
        await recorder.post(client, "http://localhost/v1")
        await recorder.post(client, "http://localhost/v1")

    with_client(use, makers[transport])
    sent = recorder.sent[0]

    assert (recorder.data, recorder.uses) == (b"hellohello", ["new", "reused"])
    assert b"Host: localhost\r\n" in asked[0]
    assert {arrival.stamp for arrival in recorder.arrivals} == {"u"}
    assert (sent.dns_ns, sent.tcp_ns, sent.tls_ns) == (None, None, None)
    assert (sent.connect_ns or 0) > 0


def test_a_socket_that_is_not_there_is_a_connect_error(tmp_path: Path) -> None:
    async def use(client: httpx2.AsyncClient) -> Any:
        return await client.get("http://localhost/v1")

    with pytest.raises(httpx2.ConnectError, match=rf"none\.sock: {os.strerror(errno.ENOENT)}"):
        with_client(use, unix_socket=str(tmp_path / "none.sock"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a limit of Linux")
def test_a_path_too_long_for_a_socket_is_a_connect_error(tmp_path: Path) -> None:
    async def use(client: httpx2.AsyncClient) -> Any:
        return await client.get("http://localhost/v1")

    with pytest.raises(httpx2.ConnectError, match="x" * 120):
        with_client(use, unix_socket=str(tmp_path / ("x" * 120)))
