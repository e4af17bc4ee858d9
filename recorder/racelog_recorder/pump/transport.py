"""The pump as a transport under the httpx API, so that URLs, headers and auth stay httpx's.

Three request extensions connect it to a recorder:

- ``racelog.hold``: awaited when the request's bytes and its connection are ready, before anything of it is sent;
- ``racelog.on_sent``: called with `Sent` right before the first byte of the request goes to the kernel;
- ``racelog.sink``: a `BodySink` that takes the body of a successful response as it arrives, by plain calls.

Without a sink a response is read whole before it is given (model lists, error bodies). Plain HTTP/1.1 only.
"""

import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal

import httpx2
import trio

from racelog_recorder.due import Hold
from racelog_recorder.pump import stamps
from racelog_recorder.pump.drain import Pump
from racelog_recorder.pump.exchange import BodySink, Exchange
from racelog_recorder.pump.stamps import Arrival

Origin = tuple[str, int]
ConnectionUse = Literal["new", "reused", "reopened", ""]
"""How a request got its connection; "reopened" after the server had dropped an idle one, "" where unknown."""


@dataclass(frozen=True, slots=True)
class Sent:
    """When a request left (monotonic ns), over which connection, and what connecting cost."""

    t_ns: int
    connection: ConnectionUse
    connect_ns: int | None


OnSent = Callable[[Sent], None]


@dataclass(frozen=True, slots=True)
class _Call:
    """One request on its way: where to, as httpx has it, and as bytes."""

    origin: Origin
    request: httpx2.Request
    wire: bytes


class Connection:
    """One keep-alive connection; carries one exchange at a time."""

    def __init__(self, sock: socket.socket, pump: Pump) -> None:
        self.sock = sock
        self.reusable = True
        self.error: OSError | None = None
        self.last_activity_s = 0.0
        self.exchange = Exchange(None)
        self.headers = trio.Event()
        self.done = trio.Event()
        self._pump = pump
        pump.watch(sock, self._on_read)

    def begin(self, sink: BodySink | None) -> Exchange:
        """Start a new exchange; its events are fresh."""
        self.exchange = Exchange(sink)
        self.headers = trio.Event()
        self.done = trio.Event()
        self.last_activity_s = trio.current_time()
        return self.exchange

    async def send(self, data: bytes) -> None:
        """Hand all of ``data`` to the kernel; waits only when the socket's buffer is full."""
        view = memoryview(data)
        while view:
            try:
                view = view[self.sock.send(view) :]
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self.sock)

    def close(self) -> None:
        """Close the socket; safe to call again."""
        if self.sock.fileno() >= 0:
            self._pump.unwatch(self.sock)
            self.sock.close()
        self.reusable = False

    def _on_read(self, data: bytes, when: Arrival, error: OSError | None) -> None:
        self.last_activity_s = trio.current_time()
        exchange = self.exchange
        if error is not None:
            self.error, self.reusable = error, False
            exchange.last_at = when
        elif not data:
            self.reusable = False
            exchange.closed(when)
        elif (
            exchange.finished
        ):  # bytes nobody asked for: whatever they are, the next answer is not among them
            self.reusable = False
        else:
            exchange.feed(data, when)
        if exchange.headers_at and not self.headers.is_set():
            self.headers.set()
        if exchange.finished or exchange.failure or not self.reusable:
            self.headers.set()
            self.done.set()
        if not self.reusable:
            self._pump.unwatch(self.sock)


class PumpTransport(httpx2.AsyncBaseTransport):
    """Sends requests over pumped connections, reusing idle ones.

    A reused connection that the server closed before the first byte of an answer is reopened once: servers drop
    idle connections at will (llama.cpp's after 5 s or 100 requests), and that is no error of the engine.
    """

    def __init__(
        self, pump: Pump, *, connect_timeout_s: float = 10.0, quiet_timeout_s: float = 120.0
    ) -> None:
        self._pump = pump
        self._connect_timeout_s = connect_timeout_s
        self._quiet_timeout_s = quiet_timeout_s
        self._idle: dict[Origin, list[Connection]] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send ``request`` and return when the response's headers are in.

        Raises:
            httpx2.ConnectError, httpx2.ConnectTimeout: no connection.
            httpx2.ReadError, httpx2.ReadTimeout, httpx2.RemoteProtocolError: no response.
        """
        if request.url.scheme != "http":
            raise httpx2.UnsupportedProtocol(f"the pump speaks plain http, not {request.url.scheme!r}")
        origin = (request.url.host, request.url.port or 80)
        call = _Call(origin, request, await _serialize(request))
        connection = self._take_idle(origin)
        if connection is not None:
            response = await self._exchange(connection, call, "reused", None)
            if response is not None:
                return response
        started_ns = time.monotonic_ns()
        fresh = await self._connect(origin)
        how: ConnectionUse = "new" if connection is None else "reopened"
        response = await self._exchange(fresh, call, how, time.monotonic_ns() - started_ns)
        assert response is not None
        return response

    async def aclose(self) -> None:
        """Close the idle connections."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def _take_idle(self, origin: Origin) -> Connection | None:
        waiting = self._idle.get(origin, [])
        while waiting:
            connection = waiting.pop()
            if connection.reusable:
                return connection
            connection.close()
        return None

    async def _connect(self, origin: Origin) -> Connection:
        host, port = origin
        try:
            with trio.fail_after(self._connect_timeout_s):
                stream = await trio.open_tcp_stream(host, port)
        except trio.TooSlowError as error:
            raise httpx2.ConnectTimeout(
                f"no connection to {host}:{port} within {self._connect_timeout_s:g} s"
            ) from error
        except OSError as error:
            raise httpx2.ConnectError(_reason(error)) from error
        sock = socket.socket(fileno=stream.socket.detach())
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stamps.enable(sock)
            return Connection(sock, self._pump)
        except OSError as error:  # macOS refuses options on a socket that was reset meanwhile
            sock.close()
            raise httpx2.ConnectError(_reason(error)) from error

    async def _exchange(
        self, connection: Connection, call: _Call, how: ConnectionUse, connect_ns: int | None
    ) -> httpx2.Response | None:
        """Run one exchange up to its headers; None when a reused connection turned out to be closed."""
        exchange = connection.begin(call.request.extensions.get("racelog.sink"))
        on_sent: OnSent | None = call.request.extensions.get("racelog.on_sent")
        hold: Hold | None = call.request.extensions.get("racelog.hold")
        try:
            if hold:
                await hold()
            if on_sent:
                on_sent(Sent(time.monotonic_ns(), how, connect_ns))
            with trio.fail_after(self._quiet_timeout_s):
                await connection.send(call.wire)
            await self.wait(connection, connection.headers)
        except trio.TooSlowError as error:
            connection.close()
            raise httpx2.WriteTimeout(
                f"the request was not taken within {self._quiet_timeout_s:g} s"
            ) from error
        except OSError as error:
            connection.close()
            if how == "reused" and not exchange.received_bytes:
                return None
            raise httpx2.WriteError(_reason(error)) from error
        except BaseException:
            connection.close()
            raise
        if exchange.headers_at is None:
            connection.close()
            if how == "reused" and not exchange.received_bytes:
                return None
            raise _broken(connection)
        return httpx2.Response(
            exchange.status,
            headers=exchange.headers,
            stream=_Body(self, connection, call.origin),
            extensions={"http_version": b"HTTP/1.1", "racelog.headers_at": exchange.headers_at},
        )

    async def wait(self, connection: Connection, event: trio.Event) -> None:
        """Wait for ``event``; raise `httpx2.ReadTimeout` when nothing at all arrives for too long."""
        while not event.is_set():
            quiet_since_s = connection.last_activity_s
            with trio.move_on_at(quiet_since_s + self._quiet_timeout_s):
                await event.wait()
            if not event.is_set() and connection.last_activity_s == quiet_since_s:
                connection.close()
                raise httpx2.ReadTimeout(f"nothing arrived for {self._quiet_timeout_s:g} s")

    def release(self, connection: Connection, origin: Origin) -> None:
        """Keep the connection for the next request if its exchange ended cleanly, else close it."""
        if connection.exchange.finished and connection.exchange.keep_alive and connection.reusable:
            self._idle.setdefault(origin, []).append(connection)
        else:
            connection.close()


class _Body(httpx2.AsyncByteStream):
    """The rest of a response: ends when the exchange does; raises what broke it."""

    def __init__(self, transport: PumpTransport, connection: Connection, origin: Origin) -> None:
        self._transport = transport
        self._connection = connection
        self._origin = origin

    async def __aiter__(self) -> AsyncIterator[bytes]:
        connection = self._connection
        await self._transport.wait(connection, connection.done)
        for piece in connection.exchange.buffered:
            yield piece
        if not connection.exchange.finished:
            raise _broken(connection)

    async def aclose(self) -> None:
        self._transport.release(self._connection, self._origin)


def _broken(connection: Connection) -> httpx2.TransportError:
    """Return the exception that says why ``connection`` ended before its response did."""
    if connection.error is not None:
        return httpx2.ReadError(_reason(connection.error))
    return httpx2.RemoteProtocolError(connection.exchange.failure or "the connection was closed")


def _reason(error: OSError) -> str:
    """Return an OS error in words; trio hides the real one of several attempts in a group."""
    while isinstance(error.__cause__, BaseExceptionGroup) and error.__cause__.exceptions:
        inner = error.__cause__.exceptions[0]
        if not isinstance(inner, OSError):
            break
        error = inner
    if isinstance(error.__cause__, OSError):
        error = error.__cause__
    return error.strerror or str(error)


async def _serialize(request: httpx2.Request) -> bytes:
    """Return the request as HTTP/1.1 bytes; httpx has set Host and Content-Length already."""
    head = [request.method.encode("ascii") + b" " + request.url.raw_path + b" HTTP/1.1"]
    head += [name + b": " + value for name, value in request.headers.raw]
    body = await request.aread()
    return b"\r\n".join(head) + b"\r\n\r\n" + body
