"""The plain httpx transport, for what the pump does not speak: proxies and HTTP/2.

It serves the same request extensions as `racelog_recorder.transports.pump.transport`, so a lane never knows the difference. Its
network backend stamps every read, by the kernel where that can; but each stream is a task of its own that must be woken,
so more chunks share a read than under the pump. HTTP/2 carries many streams over one connection, and httpcore does not
say which read brought what: its chunks are stamped when they are given, and say ``user``.
"""

import math
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import trio

from racelog_recorder.transports.pump.backend import (
    PROGRESS,
    Progress,
    StampedBackend,
    StampedStream,
    TlsStream,
)
from racelog_recorder.transports.pump.encoding import EncodingFault, Inflater, decoder_for
from racelog_recorder.transports.pump.exchange import AT_ONCE_BYTES, CUT_SHORT, BodySink
from racelog_recorder.transports.pump.stamps import USER, Arrival
from racelog_recorder.transports.pump.tls import TlsFiles, client_context
from racelog_recorder.transports.pump.transport import ConnectionUse, Hold, OnSent, sent_now
from racelog_recorder.transports.reach import Reach, proxy_for

HEADERS_STARTED = ("http11.send_request_headers.started", "http2.send_request_headers.started")
HEADERS_DONE = ("http11.receive_response_headers.complete",)
"""CONNECT is spoken in HTTP/1.1 alone."""

Stream = StampedStream | TlsStream


class StampedPlainTransport(httpx2.AsyncHTTPTransport):
    """httpx's own transport over a stamping backend; ``proxy`` is a URL, empty for none.

    The send is stamped when the connection stands, right before the request's head is written. A reused connection
    that the server closed before the first byte of an answer is reopened once.

    Raises:
        OSError: a file of ``tls`` cannot be used (`ssl.SSLError` is one).
    """

    def __init__(
        self, *, tls: TlsFiles | None = None, proxy: str = "", http2: bool = False, unix_socket: str = ""
    ) -> None:
        files = tls or TlsFiles()
        through = httpx2.Proxy(proxy, ssl_context=_proxy_context(proxy, files)) if proxy else None
        super().__init__(
            verify=client_context(files),
            trust_env=False,
            http2=http2,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None),
            proxy=through,
            uds=unix_socket or None,
        )
        self._pool._network_backend = StampedBackend()  # noqa: SLF001 - httpx has no argument for it

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send ``request``; feed the body of a successful response to its sink."""
        call = _Call.of(request)
        while True:
            progress = Progress()
            token = PROGRESS.set(progress)
            try:
                traced = call.traced(progress)
                with call.tunnel:
                    response = await super().handle_async_request(traced)
                if call.tunnel.cancelled_caught:
                    raise httpx2.ConnectTimeout(f"the proxy opened no way within {call.connect_s:g} s")
                break
            except (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError):
                if progress.received or call.use != "reused":
                    raise
                call.reopening = True
            finally:
                PROGRESS.reset(token)
        return _received(response, call)


def plain_transport(url: str, reach: Reach) -> StampedPlainTransport:
    """Return the transport that reaches ``url``, through its proxy if it has one."""
    return StampedPlainTransport(
        tls=reach.tls, proxy=proxy_for(url, reach), http2=reach.http2, unix_socket=reach.unix_socket
    )


def _proxy_context(proxy: str, files: TlsFiles) -> ssl.SSLContext | None:
    """Return how to trust an https proxy: as the engine; our own certificate is for the engine alone."""
    if not proxy.startswith("https://"):
        return None
    return client_context(TlsFiles(ca=files.ca, verify=files.verify))


@dataclass(slots=True)
class _Call:
    """One request and what a recorder wants to know of it."""

    request: httpx2.Request
    sink: BodySink | None
    on_sent: OnSent | None
    hold: Hold | None
    reopening: bool = False
    use: ConnectionUse = ""
    tunnel: trio.CancelScope = field(default_factory=trio.CancelScope)

    @property
    def connect_s(self) -> float:
        """How long connecting may take."""
        seconds = self.request.extensions.get("timeout", {}).get("connect")
        return math.inf if seconds is None else float(seconds)

    @classmethod
    def of(cls, request: httpx2.Request) -> "_Call":
        given = request.extensions.get
        return cls(request, given("racelog.sink"), given("racelog.on_sent"), given("racelog.hold"))

    def traced(self, progress: Progress) -> httpx2.Request:
        """Return the request with a trace that tells when its head is about to be written.

        What a proxy says to CONNECT is part of connecting, and has its deadline: a read of its own would begin anew with
        every byte.
        """
        self.tunnel = trio.CancelScope()

        async def trace(step: str, info: dict[str, Any]) -> None:
            if step in HEADERS_DONE:
                self.tunnel.deadline = math.inf
            if step not in HEADERS_STARTED:
                return
            if info["request"].method == b"CONNECT":
                self.tunnel.deadline = trio.current_time() + self.connect_s
                return
            if self.hold:
                await self.hold()
            times = progress.times
            self.use = "reopened" if self.reopening else "reused" if times is None else "new"
            progress.received = False  # what a proxy said to CONNECT is no answer
            if self.on_sent:
                self.on_sent(sent_now(self.use, times))

        self.request.extensions = {**self.request.extensions, "trace": trace}
        return self.request


def _received(response: httpx2.Response, call: _Call) -> httpx2.Response:
    """Return ``response`` with its stamp, its body on the way to the call's sink if it has one."""
    stream = response.extensions.get("network_stream")
    stamped = stream if isinstance(stream, Stream) and response.http_version != "HTTP/2" else None
    response.extensions["racelog.headers_at"] = _arrival(stamped)
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    if response.http_version == "HTTP/2":
        response.stream = _Http2Body(response.stream)
    if call.sink is not None and response.is_success:
        try:
            inflater = decoder_for(response.headers.pop("content-encoding", ""))
        except EncodingFault as error:
            raise httpx2.RemoteProtocolError(str(error)) from error
        response.stream = _Tee(response.stream, call.sink, stamped, inflater)
    return response


def _arrival(stream: Stream | None) -> Arrival:
    if stream is not None and stream.last is not None:
        return stream.last
    return Arrival(time.monotonic_ns(), USER)


class _Http2Body(httpx2.AsyncByteStream):
    """A body over HTTP/2: what the server does wrong in it is a fault of its protocol, as it is before the body.

    httpcore lets the errors of the package h2 through where it reads a body.
    """

    def __init__(self, body: httpx2.AsyncByteStream) -> None:
        self._body = body
        self._pieces = aiter(body)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        from h2.exceptions import H2Error  # noqa: PLC0415 - an extra, which is there where HTTP/2 is spoken

        try:
            return await anext(self._pieces)
        except H2Error as error:
            raise httpx2.RemoteProtocolError(f"not valid HTTP/2: {error}") from error

    async def aclose(self) -> None:
        await self._body.aclose()


class _Tee(httpx2.AsyncByteStream):
    """Feeds a body to a sink, piece by piece, bracketed by the reads it came with; nothing is left for the reader.

    Without ``stamped`` every piece is a read of its own.
    """

    def __init__(
        self, body: httpx2.AsyncByteStream, sink: BodySink, stamped: Stream | None, inflater: Inflater | None
    ) -> None:
        self._body = body
        self._sink = sink
        self._stamped = stamped
        self._inflater = inflater
        self._reading = False
        self._given_bytes = 0
        self._fault = ""
        self._broken = trio.CancelScope()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._stamped is not None:
            self._stamped.on_wait = self._end_read
        try:
            with self._broken:
                async for data in self._body:
                    await self._give(data)
                    if self._stamped is None:
                        self._end_read()
        finally:
            self._end_read()
        if self._fault:
            raise httpx2.RemoteProtocolError(self._fault)
        if self._inflater and not self._inflater.whole:
            raise httpx2.RemoteProtocolError(CUT_SHORT)
        yield b""

    async def _give(self, data: bytes) -> None:
        """Give the sink what ``data`` is; the event loop has its turn after each `AT_ONCE_BYTES` that it unfolds into.

        Who waits may be cancelled then: nothing more is given, and the next read notices, which so closes what it has open.
        """
        if self._inflater is None:
            self._give_piece(data)
        elif not self._fault:
            try:
                for piece in self._inflater.feed(data):
                    self._give_piece(piece)
                    if self._given_bytes >= AT_ONCE_BYTES:
                        self._end_read()
                        await trio.lowlevel.cancel_shielded_checkpoint()
                        if trio.current_effective_deadline() == -math.inf:
                            return
            except EncodingFault as error:
                self._fault = str(error)
                self._broken.cancel()  # takes effect inside the next read, which so closes what it has open

    def _give_piece(self, piece: bytes) -> None:
        if not self._reading:
            self._reading = True
            self._sink.read_begins(_arrival(self._stamped))
        self._given_bytes += len(piece)
        self._sink.body(piece)

    def _end_read(self) -> None:
        self._given_bytes = 0
        if self._reading:
            self._reading = False
            self._sink.read_ends()

    async def aclose(self) -> None:
        if self._stamped is not None:
            self._stamped.on_wait = None
        await self._body.aclose()
