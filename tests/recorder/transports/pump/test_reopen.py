"""A kept connection that the server drops: opened again once, unless an answer had begun."""

import socket
from typing import Any

import httpx2
import pytest
import trio

from racelog_recorder.transports.httpx_transport import StampedPlainTransport
from racelog_recorder.transports.pump.drain import Pump
from racelog_recorder.transports.pump.transport import PumpTransport
from tests.recorder.transports.pump.harness import HELLO, MakeTransport, Recorder, with_client

pytestmark = pytest.mark.usefixtures("every_poller")

MAKERS: dict[str, MakeTransport] = {"pump": PumpTransport, "plain": lambda _pump: StampedPlainTransport()}


@pytest.fixture(params=["pump", "plain"])
def make(request: Any) -> MakeTransport:
    return MAKERS[request.param]


def posts(count: int, url: str, recorder: Recorder, make: MakeTransport) -> None:
    async def use(client: httpx2.AsyncClient) -> None:
        for _ in range(count):
            await recorder.post(client, url)

    with_client(use, make)


def serve_then(wire: Any, served: int, end: Any) -> Any:
    """Return a script that answers ``served`` requests on its first connection and then does ``end`` to it."""

    def script(connection: socket.socket, number: int) -> None:
        for _ in range(served if number == 0 else 1000):
            if not wire.read_request(connection):
                return
            connection.sendall(HELLO)
        end(connection)

    return script


def test_a_farewell_while_idle_costs_nothing(scripted: Any, wire: Any, make: MakeTransport) -> None:
    """As an idle timeout at the server does; the client has seen it, or finds out when it sends."""
    server = scripted(serve_then(wire, 1, lambda connection: connection.shutdown(socket.SHUT_RDWR)))
    recorder = Recorder()

    posts(2, server.url, recorder, make)

    assert recorder.data == b"hellohello"
    assert recorder.uses[-1] in ("new", "reopened")
    assert server.connections == 2


def test_a_reset_while_idle_costs_nothing(scripted: Any, wire: Any, make: MakeTransport) -> None:
    server = scripted(serve_then(wire, 1, wire.reset))
    recorder = Recorder()

    posts(2, server.url, recorder, make)

    assert recorder.data == b"hellohello"
    assert recorder.uses[-1] in ("new", "reopened")
    assert server.connections == 2


@pytest.mark.parametrize("farewell", ["fin", "rst"])
def test_a_request_taken_and_not_answered_is_sent_again(
    scripted: Any, wire: Any, make: MakeTransport, farewell: str
) -> None:
    def end(connection: socket.socket) -> None:
        wire.read_request(connection)
        connection.shutdown(socket.SHUT_RDWR) if farewell == "fin" else wire.reset(connection)

    server, recorder = scripted(serve_then(wire, 1, end)), Recorder()

    posts(2, server.url, recorder, make)

    assert recorder.data == b"hellohello"
    assert recorder.uses == ["new", "reused", "reopened"]


def test_a_connection_closed_after_a_hundred_requests_is_opened_again(
    scripted: Any, wire: Any, make: MakeTransport
) -> None:
    """As llama.cpp's server does, without a word in the hundredth answer."""
    server = scripted(serve_then(wire, 100, lambda connection: connection.shutdown(socket.SHUT_RDWR)))
    recorder = Recorder()

    posts(101, server.url, recorder, make)

    assert recorder.data == b"hello" * 101
    assert server.connections == 2
    assert recorder.uses[:100] == ["new"] + ["reused"] * 99


def test_an_answer_that_announces_the_end_is_followed_by_a_new_connection(
    scripted: Any, wire: Any, make: MakeTransport
) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        connection.shutdown(socket.SHUT_RDWR)

    server, recorder = scripted(script), Recorder()

    posts(2, server.url, recorder, make)

    assert recorder.uses == ["new", "new"]


def test_a_server_of_http_1_0_gets_a_new_connection_each_time(
    scripted: Any, wire: Any, make: MakeTransport
) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")
        connection.shutdown(socket.SHUT_RDWR)

    server, recorder = scripted(script), Recorder()

    posts(2, server.url, recorder, make)

    assert (recorder.data, recorder.uses) == (b"hellohello", ["new", "new"])


@pytest.mark.parametrize("begun", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
def test_a_request_whose_answer_has_begun_is_never_sent_again(
    scripted: Any, wire: Any, make: MakeTransport, begun: bytes
) -> None:
    requests: list[int] = []

    def end(connection: socket.socket) -> None:
        wire.read_request(connection)
        requests.append(1)
        connection.sendall(begun)
        connection.shutdown(socket.SHUT_RDWR)

    server, recorder = scripted(serve_then(wire, 1, end)), Recorder()

    with pytest.raises(httpx2.TransportError):
        posts(2, server.url, recorder, make)
    assert (recorder.uses, len(requests), server.connections) == (["new", "reused"], 1, 1)


def test_a_second_connection_dropped_unanswered_is_an_error(
    scripted: Any, wire: Any, make: MakeTransport
) -> None:
    def script(connection: socket.socket, number: int) -> None:
        wire.read_request(connection)
        if number == 0:
            connection.sendall(HELLO)
            wire.read_request(connection)
        connection.shutdown(socket.SHUT_RDWR)

    server, recorder = scripted(script), Recorder()

    with pytest.raises(httpx2.TransportError):
        posts(2, server.url, recorder, make)
    assert (recorder.uses, server.connections) == (["new", "reused", "reopened"], 2)


def test_a_connection_dropped_while_a_ready_request_was_held_back_is_opened_again(
    scripted: Any, wire: Any
) -> None:
    def script(connection: socket.socket, number: int) -> None:
        if number == 0:
            connection.shutdown(socket.SHUT_RDWR)
            return
        wire.read_request(connection)
        connection.sendall(HELLO)

    server, recorder = scripted(script), Recorder()
    pumps: list[Pump] = []

    def make(pump: Pump) -> httpx2.AsyncBaseTransport:
        pumps.append(pump)
        return PumpTransport(pump)

    async def use(client: httpx2.AsyncClient) -> None:
        async def hold() -> None:
            while not pumps[0].reads:  # until the farewell has been read
                await trio.lowlevel.checkpoint()

        request = client.build_request("POST", server.url, json={})
        request.extensions.update(recorder.extensions, **{"racelog.hold": hold})
        await client.send(request)

    with_client(use, make)

    assert (recorder.data, recorder.uses) == (b"hello", ["reopened"])


def test_what_the_server_says_before_it_has_read_everything_is_heard(scripted: Any, wire: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    server = scripted(script)

    async def use(client: httpx2.AsyncClient) -> tuple[int, str]:
        response = await client.post(server.url, content=b"x" * 3_000_000)
        return response.status_code, response.text

    assert with_client(use) == (413, "big")
