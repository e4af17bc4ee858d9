"""The pump under the httpx API against scripted servers on real sockets."""

import errno
import os
import socket
from typing import Any

import httpx2
import pytest

from tests.recorder.transports.pump.harness import HELLO, Recorder, with_client

pytestmark = pytest.mark.usefixtures("every_poller")


def test_a_response_is_read_through_the_httpx_api(scripted: Any, wire: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        while wire.read_request(connection):
            connection.sendall(HELLO)

    server = scripted(script)

    async def use(client: httpx2.AsyncClient) -> list[str]:
        return [(await client.get(server.url)).text for _ in range(3)]

    assert with_client(use) == ["hello"] * 3
    assert server.connections == 1


def test_a_streamed_body_goes_to_the_sink_with_kernel_stamps_after_the_send(scripted: Any, wire: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(wire.HEAD + wire.chunked(b"one", b"two"))

    server, recorder = scripted(script), Recorder()

    async def use(client: httpx2.AsyncClient) -> str:
        request = client.build_request("POST", server.url, json={}, extensions=recorder.extensions)
        return (await client.send(request)).text

    assert with_client(use) == ""
    assert recorder.data == b"onetwo"
    assert [sent.connection for sent in recorder.sent] == ["new"]
    assert all(arrival.t_ns > recorder.sent[0].t_ns for arrival in recorder.arrivals)
    assert {arrival.stamp for arrival in recorder.arrivals} == {"k"}


def test_a_reused_connection_that_the_server_closed_is_reopened_once(scripted: Any, wire: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(HELLO)
        connection.shutdown(socket.SHUT_RDWR)

    server, recorder = scripted(script), Recorder()

    async def use(client: httpx2.AsyncClient) -> list[str]:
        first = await client.get(server.url)
        request = client.build_request(
            "GET", server.url, extensions={"racelog.on_sent": recorder.sent.append}
        )
        return [first.text, (await client.send(request)).text]

    assert with_client(use) == ["hello", "hello"]
    assert recorder.sent[-1].connection in ("new", "reopened")
    assert server.connections == 2


def test_a_reset_before_the_answer_on_a_reused_connection_is_reopened(scripted: Any, wire: Any) -> None:
    def script(connection: socket.socket, number: int) -> None:
        wire.read_request(connection)
        connection.sendall(HELLO)
        if number == 0:
            wire.read_request(connection)
            wire.reset(connection)

    server, recorder = scripted(script), Recorder()

    async def use(client: httpx2.AsyncClient) -> str:
        await client.get(server.url)
        request = client.build_request(
            "GET", server.url, extensions={"racelog.on_sent": recorder.sent.append}
        )
        return (await client.send(request)).text

    assert with_client(use) == "hello"
    assert [sent.connection for sent in recorder.sent] == ["reused", "reopened"]


def test_a_fresh_connection_that_is_closed_without_an_answer_is_an_error(scripted: Any, wire: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.shutdown(socket.SHUT_RDWR)

    server = scripted(script)

    async def use(client: httpx2.AsyncClient) -> Any:
        return await client.get(server.url)

    with pytest.raises(httpx2.RemoteProtocolError, match="closed before the response was complete"):
        with_client(use)
    assert server.connections == 1


def test_a_reset_in_the_middle_of_a_stream_is_a_read_error(scripted: Any, wire: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(wire.HEAD + wire.chunked(b"one", last=False))
        connection.recv(1)
        wire.reset(connection)

    server, recorder = scripted(script), Recorder()

    async def use(client: httpx2.AsyncClient) -> None:
        request = client.build_request("POST", server.url, json={}, extensions=recorder.extensions)
        response = await client.send(request, stream=True)
        server._open[0].shutdown(socket.SHUT_RD)
        await response.aread()

    with pytest.raises(httpx2.ReadError, match=os.strerror(errno.ECONNRESET)):
        with_client(use)
    assert recorder.data == b"one"


def test_nothing_listening_is_a_connect_error_in_words() -> None:
    async def use(client: httpx2.AsyncClient) -> Any:
        return await client.get("http://127.0.0.1:1/v1")

    with pytest.raises(httpx2.ConnectError, match=os.strerror(errno.ECONNREFUSED)):
        with_client(use)


def test_a_server_that_says_nothing_for_too_long_is_a_read_timeout(scripted: Any, wire: Any) -> None:
    server = scripted(lambda connection, _number: wire.read_request(connection) and connection.recv(1))

    async def use(client: httpx2.AsyncClient) -> Any:
        return await client.get(server.url, timeout=None)

    with pytest.raises(httpx2.ReadTimeout, match="nothing arrived for 5 s"):
        with_client(use, idle_jump_s=0.2, quiet_timeout_s=5.0)


def test_what_is_no_http_is_refused() -> None:
    async def use(client: httpx2.AsyncClient) -> Any:
        return await client.get("ftp://127.0.0.1:1/")

    with pytest.raises(httpx2.UnsupportedProtocol, match="http and https, not 'ftp'"):
        with_client(use)
