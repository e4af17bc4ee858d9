"""The plain httpx transport: stamps by the kernel, sends stamped after connecting, proxies, HTTP/2, compressed bodies."""

import gzip
import socket
import sys
import threading
import time
from typing import Any

import h2.config
import h2.connection
import h2.events
import httpx2
import pytest

from racelog_recorder.requests.outcome import classify
from racelog_recorder.transports.httpx_transport import StampedPlainTransport, plain_transport
from racelog_recorder.transports.pump.exchange import CUT_SHORT
from racelog_recorder.transports.pump.tls import TlsFiles
from racelog_recorder.transports.reach import Reach
from tests.recorder.transports.pump.harness import HELLO, Certificates, Recorder, over_tls, with_client

KERNEL = {"k"} if sys.platform.startswith("linux") else {"u"}


def post(recorder: Recorder, url: str, **options: Any) -> None:
    async def use(client: httpx2.AsyncClient) -> None:
        await recorder.post(client, url)

    with_client(use, lambda _pump: StampedPlainTransport(**options))


def streaming(wire: Any, *pieces: bytes) -> Any:
    """Return a script that answers with ``pieces``, each when the one before has been taken."""

    def script(connection: Any, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(wire.HEAD)
        for piece in pieces:
            connection.sendall(wire.chunked(piece, last=False))
        connection.sendall(b"0\r\n\r\n")

    return script


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_chunks_are_stamped_by_the_kernel_after_the_send(
    scripted: Any, wire: Any, certificates: Certificates, *, tls: bool
) -> None:
    script = streaming(wire, b"one", b"two")
    server = scripted(over_tls(certificates.server(), script) if tls else script)
    recorder = Recorder()

    post(recorder, f"http{'s' * tls}://127.0.0.1:{server.port}/v1", tls=TlsFiles(ca=certificates.ca))

    assert recorder.data == b"onetwo"
    assert {arrival.stamp for arrival in recorder.arrivals} == KERNEL
    assert all(arrival.t_ns > recorder.sent[0].t_ns for arrival in recorder.arrivals)


def test_the_send_is_stamped_after_connecting_which_is_timed_by_step(
    scripted: Any, wire: Any, certificates: Certificates
) -> None:
    server = scripted(over_tls(certificates.server("localhost"), streaming(wire, b"x")))
    recorder, before_ns = Recorder(), time.monotonic_ns()

    post(recorder, f"https://localhost:{server.port}/v1", tls=TlsFiles(ca=certificates.ca))
    (sent,) = recorder.sent
    steps = [sent.dns_ns, sent.tcp_ns, sent.tls_ns]

    assert all(step is not None and step > 0 for step in steps)
    assert sent.connect_ns is not None
    assert sum(step or 0 for step in steps) <= sent.connect_ns <= sent.t_ns - before_ns


def test_messages_of_one_read_share_one_bracket(scripted: Any, wire: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(wire.HEAD + wire.chunked(b"one", b"two", b"three"))

    server, recorder = scripted(script), Recorder()

    post(recorder, server.url)

    assert recorder.reads == [b"onetwothree"]


def test_a_compressed_stream_is_unfolded(scripted: Any, wire: Any) -> None:
    head = wire.HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")

    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(head + wire.chunked(gzip.compress(b"hello")))

    server, recorder = scripted(script), Recorder()

    post(recorder, server.url)

    assert recorder.data == b"hello"


def test_a_compressed_stream_that_ends_early_is_cut_short(scripted: Any, wire: Any) -> None:
    head = wire.HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")

    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(head + wire.chunked(gzip.compress(b"hello")[:-4]))

    server = scripted(script)

    with pytest.raises(httpx2.RemoteProtocolError, match=CUT_SHORT):
        post(Recorder(), server.url)


def pipe(source: Any, target: Any) -> None:
    """Carry bytes one way until they end."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def proxying(wire: Any, asked: list[bytes]) -> Any:
    """Return a script that is an HTTP proxy for CONNECT, noting the first line of each request."""

    def script(connection: socket.socket, _number: int) -> None:
        line = wire.read_request(connection).split(b"\r\n")[0]
        asked.append(line)
        host, _, port = line.split(b" ")[1].decode().rpartition(":")
        with socket.create_connection((host, int(port))) as beyond:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pipe, args=(beyond, connection), daemon=True)
            back.start()
            pipe(connection, beyond)
            back.join(5)

    return script


def test_an_https_engine_is_reached_through_a_proxy_with_the_kernels_stamps(
    scripted: Any, wire: Any, certificates: Certificates
) -> None:
    asked: list[bytes] = []
    engine = scripted(over_tls(certificates.server(), streaming(wire, b"one", b"two")))
    proxy, recorder = scripted(proxying(wire, asked)), Recorder()

    post(
        recorder,
        f"https://127.0.0.1:{engine.port}/v1",
        tls=TlsFiles(ca=certificates.ca),
        proxy=f"http://127.0.0.1:{proxy.port}",
    )

    assert asked == [b"CONNECT 127.0.0.1:%d HTTP/1.1" % engine.port]
    assert (recorder.data, recorder.uses) == (b"onetwo", ["new"])
    assert {arrival.stamp for arrival in recorder.arrivals} == KERNEL
    assert (recorder.sent[0].connect_ns or 0) > (recorder.sent[0].tls_ns or 0) > 0


def test_an_http_engine_is_asked_for_at_the_proxy(scripted: Any, wire: Any) -> None:
    asked: list[bytes] = []

    def script(connection: socket.socket, _number: int) -> None:
        asked.append(wire.read_request(connection).split(b"\r\n")[0])
        connection.sendall(HELLO)

    proxy, recorder = scripted(script), Recorder()

    post(recorder, "http://engine.example/v1", proxy=f"http://127.0.0.1:{proxy.port}")

    assert (asked, recorder.data) == ([b"POST http://engine.example/v1 HTTP/1.1"], b"hello")


def test_a_proxy_that_refuses_is_an_error_that_says_so(scripted: Any, wire: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    proxy = scripted(script)

    with pytest.raises(httpx2.ProxyError, match="407"):
        post(Recorder(), "https://engine.example/v1", proxy=f"http://127.0.0.1:{proxy.port}")


def test_an_http_2_engine_streams_with_user_stamps(scripted: Any, certificates: Certificates) -> None:
    context = certificates.server()
    context.set_alpn_protocols(["h2"])

    def script(connection: Any, _number: int) -> None:
        speaker = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        speaker.initiate_connection()
        connection.sendall(speaker.data_to_send())
        while data := connection.recv(65536):
            for event in speaker.receive_data(data):
                if isinstance(event, h2.events.StreamEnded):
                    speaker.send_headers(
                        event.stream_id, [(":status", "200"), ("content-type", "text/event-stream")]
                    )
                    speaker.send_data(event.stream_id, b"one")
                    speaker.send_data(event.stream_id, b"two", end_stream=True)
            connection.sendall(speaker.data_to_send())

    server, recorder = scripted(over_tls(context, script)), Recorder()

    post(recorder, f"https://127.0.0.1:{server.port}/v1", tls=TlsFiles(ca=certificates.ca), http2=True)

    assert (recorder.data, recorder.uses) == (b"onetwo", ["new"])
    assert {arrival.stamp for arrival in recorder.arrivals} == {"u"}


def test_an_untrusted_engine_is_an_error_through_the_plain_transport_too(
    scripted: Any, wire: Any, certificates: Certificates
) -> None:
    server = scripted(over_tls(certificates.server(), streaming(wire, b"x")))

    with pytest.raises(httpx2.ConnectError) as raised:
        post(Recorder(), f"https://127.0.0.1:{server.port}/v1")
    assert classify(raised.value)[0] == "tls"


def test_a_plans_reach_makes_the_transport(scripted: Any, wire: Any) -> None:
    proxy, recorder = scripted(streaming(wire, b"x")), Recorder()
    url = "http://engine.example/v1"
    reach = Reach(proxy=f"http://127.0.0.1:{proxy.port}")

    async def use(client: httpx2.AsyncClient) -> None:
        await recorder.post(client, url)

    with_client(use, lambda _pump: plain_transport(url, reach))

    assert recorder.data == b"x"
