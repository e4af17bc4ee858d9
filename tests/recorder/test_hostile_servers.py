"""Servers that never end, over every path: the deadline holds, the answer is bounded, and the others race on."""

import gzip
import itertools
import json
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import h2.config
import h2.connection
import httpx2
import pytest
import trio
from h2.events import PingAckReceived, StreamEnded

from racelog.errors import EngineError
from racelog_recorder.plan.deadlines import Deadlines
from racelog_recorder.plan.model import EnginePlan, RacePlan
from racelog_recorder.preflight import preflight, probe
from racelog_recorder.preflight.preflight import Checked, check_engines
from racelog_recorder.transports import asking
from racelog_recorder.transports.asking import ask, let_go, rest
from racelog_recorder.transports.httpx_transport import StampedPlainTransport
from racelog_recorder.transports.pump import exchange
from racelog_recorder.transports.pump.backend import StampedStream
from racelog_recorder.transports.pump.drain import Pump
from racelog_recorder.transports.pump.tls import TlsFiles
from racelog_recorder.transports.pump.transport import PumpTransport
from racelog_recorder.transports.reach import Reach
from tests.recorder.requesting import outcome, recorded
from tests.recorder.scripted import DONE, FINISH, HEAD, chunked, content, read_request
from tests.recorder.transports.pump.harness import Certificates, over_tls

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
STREAM = HEAD + chunked(content("a"), FINISH, DONE)

Answers = Callable[[bytes], Iterator[bytes]]
"""Gives the pieces to send to a request; the connection stays open behind them."""


def answering(answers: Answers) -> Callable[[socket.socket, int], None]:
    """Return a script that sends to each request what ``answers`` gives."""

    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            for piece in answers(request):
                connection.sendall(piece)

    return script


def endless(head: bytes, piece: bytes) -> Answers:
    return lambda _request: itertools.chain([head], itertools.repeat(piece))


ENDLESS = {
    "comments": endless(SSE, b": x\n\n" * 1000),
    "headers": endless(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 1000),
    "1xx": endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000),
    "chunks": endless(HEAD, b"1\r\nx\r\n" * 1000),
    "trailers": endless(HEAD + chunked(content("a"), FINISH, last=False) + b"0\r\n", b"X-A: b\r\n" * 1000),
    "role chunks": endless(SSE, b'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n' * 100),
    "error body": endless(b"HTTP/1.1 500 X\r\n\r\n", b"x" * 65536),
    "redirect body": endless(b"HTTP/1.1 302 X\r\nLocation: /\r\n\r\n", b"x" * 65536),
    "packed": endless(
        SSE.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"), gzip.compress(b": x\n\n" * 100_000)
    ),
}


@pytest.mark.parametrize("transport", ["pump", "httpx"])
@pytest.mark.parametrize("attack", ENDLESS)
def test_an_answer_without_end_is_a_failed_request(
    tmp_path: Path, scripted: Any, attack: str, transport: str
) -> None:
    server = scripted(answering(ENDLESS[attack]))

    log = recorded(tmp_path, server.url, transport=transport, deadlines=Deadlines(total_s=0.4))

    assert outcome(log)[0] == "failed"


@pytest.mark.parametrize("transport", ["pump", "httpx"])
def test_of_an_error_without_end_the_status_is_told(tmp_path: Path, scripted: Any, transport: str) -> None:
    server = scripted(answering(ENDLESS["error body"]))

    assert outcome(recorded(tmp_path, server.url, transport=transport)) == ("failed", "http")


def test_a_stream_with_bytes_always_ready_gives_the_loop_its_turn_before_the_next_read() -> None:
    async def main() -> bool:
        far, near = socket.socketpair()
        with far, trio.CancelScope() as scope:
            near.setblocking(False)
            far.sendall(b"x" * 100)
            stream = StampedStream(near)
            await stream.read(10)
            scope.cancel()
            await stream.read(10)
        near.close()
        return scope.cancelled_caught

    assert trio.run(main)


def test_a_proxy_that_never_ends_its_answer_to_connect_is_given_up_as_connecting_is(
    tmp_path: Path, scripted: Any
) -> None:
    proxy = scripted(answering(ENDLESS["1xx"]))
    log = recorded(
        tmp_path, "https://engine.test/v1", transport="httpx", deadlines=Deadlines(connect_s=0.2),
        reach=Reach(proxy=f"http://127.0.0.1:{proxy.port}"),
    )  # fmt: skip

    assert outcome(log) == ("failed", "connect_timeout")


def answered(transport: str, url: str, **options: Any) -> asking.Answer:
    """Ask one question over a transport."""

    async def main() -> asking.Answer:
        async with trio.open_nursery() as nursery:
            pump = Pump()
            nursery.start_soon(pump.run)
            way: httpx2.AsyncBaseTransport = (
                PumpTransport(pump) if transport == "pump" else StampedPlainTransport()
            )
            async with way:
                found = await ask(way, httpx2.Request("GET", url), **options)
            nursery.cancel_scope.cancel()
        return found

    return trio.run(main)


@pytest.mark.parametrize("transport", ["pump", "httpx"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_of_an_answer_without_end_no_more_is_kept_than_was_asked_for(
    scripted: Any, monkeypatch: pytest.MonkeyPatch, transport: str, *, packed: bool
) -> None:
    monkeypatch.setattr(exchange, "MAX_BUFFERED_BYTES", 10_000)
    head = PLAIN.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n") if packed else PLAIN
    piece = gzip.compress(b"x" * 1_000_000) if packed else b"x" * 65536
    server = scripted(answering(endless(head, piece)))

    found = answered(transport, server.url, within_s=60, most_bytes=1000)

    assert (found.status, found.body, found.whole) == (200, b"x" * 1000, False)


class _Halves(httpx2.AsyncByteStream):
    """A packed body whose second half is there at once, before anything that was cancelled could end."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        middle = len(self._packed) // 2
        yield self._packed[:middle]
        yield self._packed[middle:]


def test_what_comes_behind_enough_of_a_packed_answer_is_not_unpacked() -> None:
    text = Random(0).randbytes(1 << 20)
    response = httpx2.Response(200, headers={"content-encoding": "gzip"}, stream=_Halves(gzip.compress(text)))
    body = bytearray()

    whole = trio.run(asking.beginning, response, body, 1000)

    assert (whole, bytes(body)) == (False, text[:1000])


@pytest.mark.parametrize("transport", ["pump", "httpx"])
def test_an_answer_that_drips_has_one_deadline_for_the_whole(scripted: Any, transport: str) -> None:
    over = threading.Event()

    def drip(_request: bytes) -> Iterator[bytes]:
        yield PLAIN
        while not over.wait(0.02):
            yield b"x"

    server = scripted(answering(drip))
    with pytest.raises((httpx2.ReadTimeout, ExceptionGroup)) as caught:
        answered(transport, server.url, within_s=0.2)
    over.set()

    assert caught.group_contains(httpx2.ReadTimeout, match="no whole answer within 0.2 s")


def checked(url: str, model: str = "", **reach: Any) -> Checked:
    engine = EnginePlan(name="a", url=url, model=model, reach=Reach(**reach))
    plan = RacePlan(engines=(engine,), prompts=([{"role": "user", "content": "hi"}],))
    (found,) = trio.run(check_engines, plan, {})
    return found


def models_are(listed: Iterator[bytes] | list[bytes]) -> Answers:
    """Return answers whose model list is ``listed`` and whose chat works."""
    return lambda request: iter(listed) if request.startswith(b"GET") else iter([STREAM])


@pytest.mark.parametrize(
    "listed",
    [
        [b"HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n"],
        [b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n"],
        [b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"],
        [b"HTTP/1.1 302 X\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"],
        [b"nonsense\r\n\r\n"],
        itertools.chain([PLAIN], itertools.repeat(b"x" * 65536)),
    ],
    ids=["403", "404", "500", "302", "html", "no HTTP", "endless"],
)
def test_a_server_that_lists_no_models_is_raced_with_the_one_that_is_named(
    scripted: Any, listed: Any
) -> None:
    server = scripted(answering(models_are(listed)))

    assert checked(server.url, model="m").model == "m"


def test_a_list_that_never_ends_is_told_where_no_model_is_named(scripted: Any) -> None:
    server = scripted(answering(models_are(itertools.chain([PLAIN], itertools.repeat(b"x" * 65536)))))

    with pytest.raises(EngineError, match=r"names no model \(longer than 2 MiB\); say which with model="):
        checked(server.url)


BUSY = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\n\r\nwait"


def one_in(every: int, busy: bytes = BUSY) -> Answers:
    """Return answers of which one in so many, the first to begin with, is ``busy``."""
    asked = itertools.count()

    def answers(request: bytes) -> Iterator[bytes]:
        listed = PLAIN.replace(b"\r\n\r\n", b"\r\nContent-Length: 23\r\n\r\n") + b'{"data":[{"id":"m"}]}  '
        yield busy if next(asked) % every == 0 else listed if request.startswith(b"GET") else STREAM

    return answers


@pytest.mark.parametrize("status", [b"429", b"503"])
def test_an_engine_that_is_busy_now_and_then_is_asked_again_and_that_is_noted(
    scripted: Any, monkeypatch: pytest.MonkeyPatch, status: bytes
) -> None:
    monkeypatch.setattr(probe, "FIRST_PAUSE_S", 0.0)
    server = scripted(answering(one_in(2, BUSY.replace(b"429", status))))

    assert checked(server.url, model="m").remark == (
        f"a sends no usage; tokens are counted in chunks; a answered HTTP {status.decode()} at first, and had to be asked "
        "again; in the race each such answer is a failed request"
    )


@pytest.mark.parametrize("transport", ["pump", "httpx"])
def test_an_error_in_an_encoding_that_is_not_decoded_here_is_told_by_its_status(
    tmp_path: Path, scripted: Any, transport: str
) -> None:
    said = b"HTTP/1.1 500 X\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\n????"
    server = scripted(answering(lambda _request: iter([said])))

    assert outcome(recorded(tmp_path, server.url, transport=transport)) == ("failed", "http")


def test_an_engine_that_is_busy_for_longer_than_the_patience_is_refused_in_its_words(
    scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "PATIENCE_S", 0.0)
    monkeypatch.setattr(preflight, "TIMEOUT_S", 0.2)
    server = scripted(answering(one_in(1)))

    with pytest.raises(EngineError, match=r"failed: HTTP 429: wait; --no-preflight races it all the same"):
        checked(server.url, model="m")


AMBIGUOUS = {
    "chunked twice": HEAD.replace(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    "chunked, chunked": HEAD.replace(b": chunked", b": chunked, chunked"),
    "length and chunked": HEAD.replace(b"Transfer", b"Content-Length: 5\r\nTransfer"),
    "two lengths": SSE.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"),
    "folded header": HEAD.replace(b"\r\n\r\n", b"\r\nX-A: a\r\n b\r\n\r\n"),
    "bare LF": HEAD.replace(b"\r\n", b"\n"),
    "1xx before": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + HEAD,
    "HTTP/0.9": b"",
    "HTTP/1.0": HEAD.replace(b"1.1", b"1.0"),
    "no reason": HEAD.replace(b"200 OK", b"200"),
    "space before colon": HEAD.replace(b"Content-Type:", b"Content-Type :"),
    "chunked and gzip": HEAD.replace(b": chunked", b": gzip, chunked"),
    "upgrade": HEAD.replace(b"200 OK", b"101 Switching Protocols"),
    "null in a header": HEAD.replace(b"\r\n\r\n", b"\r\nX-A: a\0b\r\n\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("head", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_preflight_and_race_have_one_verdict_on_ambiguous_http(
    tmp_path: Path, scripted: Any, head: bytes
) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        request = read_request(connection)
        listed = b"HTTP/1.1 404 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        body = chunked(content("a"), FINISH, DONE)
        connection.sendall(listed if request.startswith(b"GET") else head + body)
        connection.close()

    url = scripted(script).url
    raced = outcome(recorded(tmp_path, url))[0] == "ok"
    try:
        ready = checked(url, model="m").model == "m"
    except EngineError:
        ready = False

    assert ready == raced


def test_what_a_list_of_models_is_made_of_commands_no_terminal_and_is_cut_in_the_remark(
    scripted: Any,
) -> None:
    names = json.dumps({"data": [{"id": "\x1b[31m" + " word" * 20_000}]}).encode()
    listed = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(names), names)
    remark = checked(scripted(answering(models_are([listed]))).url, model="m").remark

    assert remark.startswith("a does not list model 'm', only ")
    assert ("\x1b" in remark, len(remark)) == (False, 601)


def test_a_ctrl_c_while_an_answer_is_parsed_is_a_ctrl_c_and_no_fault_of_the_answer(scripted: Any) -> None:
    server = scripted(answering(lambda _request: iter([PLAIN, b"x"])))

    class Interrupting:
        """A sink that is interrupted in the middle of a body."""

        def read_begins(self, when: Any) -> None: ...

        def read_ends(self) -> None: ...

        def body(self, data: bytes) -> None:
            signal.raise_signal(signal.SIGINT)
            sum(range(1000))  # where the interrupt would strike

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            pump = Pump()
            nursery.start_soon(pump.run)
            request = httpx2.Request("GET", server.url, extensions={"racelog.sink": Interrupting()})
            async with PumpTransport(pump) as way:
                response = await way.handle_async_request(request)
                try:
                    await rest(response)
                finally:
                    await let_go(response)

    with pytest.raises(BaseExceptionGroup) as caught:
        trio.run(main)

    assert caught.group_contains(KeyboardInterrupt)


def frame(kind: int, payload: bytes = b"", stream: int = 0, flags: int = 0) -> bytes:
    """Return one HTTP/2 frame (RFC 9113 §4.1)."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def answering_over_http_2(connection: Any, status: str = "200", *, read: bool = False) -> None:
    """Begin the answer to a request; with ``read``, return only when the client has its head."""
    speaker = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    speaker.initiate_connection()
    connection.sendall(speaker.data_to_send())
    while not any(isinstance(event, StreamEnded) for event in speaker.receive_data(connection.recv(65536))):
        connection.sendall(speaker.data_to_send())
    speaker.send_headers(1, [(":status", status), ("content-type", "text/event-stream")])
    if read:
        speaker.ping(b"have it?")
    connection.sendall(speaker.data_to_send())
    while read and not any(
        isinstance(event, PingAckReceived) for event in speaker.receive_data(connection.recv(65536))
    ):
        pass


@pytest.mark.parametrize(
    "endless_frame",
    [frame(0x6, b"12345678"), frame(0x4), frame(0x0, stream=1), frame(0x8, b"\0\0\0\1"), frame(0x9, b"x", stream=1)],
    ids=["pings", "settings", "empty data", "window updates", "continuations"],
)  # fmt: skip
def test_http_2_frames_without_end_are_a_failed_request(
    tmp_path: Path, scripted: Any, endless_frame: bytes
) -> None:
    certificates = Certificates(tmp_path)
    context = certificates.server()
    context.set_alpn_protocols(["h2"])

    def script(connection: Any, _number: int) -> None:
        answering_over_http_2(connection)
        while True:
            connection.sendall(endless_frame * 1000)

    url = f"https://127.0.0.1:{scripted(over_tls(context, script)).port}/v1"
    reach = Reach(http2=True, tls=TlsFiles(ca=certificates.ca))
    log = recorded(tmp_path, url, transport="httpx", reach=reach, deadlines=Deadlines(total_s=0.8))

    assert outcome(log)[0] == "failed"


@pytest.mark.parametrize("status", ["200", "503"])
def test_what_http_2_does_not_allow_in_a_body_is_a_failed_request(
    tmp_path: Path, scripted: Any, status: str
) -> None:
    certificates = Certificates(tmp_path)
    context = certificates.server()
    context.set_alpn_protocols(["h2"])

    def script(connection: Any, _number: int) -> None:
        answering_over_http_2(connection, status, read=True)
        connection.sendall(frame(0x9, b"x", stream=1))

    url = f"https://127.0.0.1:{scripted(over_tls(context, script)).port}/v1"
    reach = Reach(http2=True, tls=TlsFiles(ca=certificates.ca))
    log = recorded(tmp_path, url, transport="httpx", reach=reach)

    assert outcome(log) == ("failed", "malformed")
