"""The pump as a transport under the httpx API, so that URLs, headers and auth stay httpx's.

Request extensions connect it to a recorder:

- ``racelog.wire``: the request as bytes, where it was made before (`wire_bytes`);
- ``racelog.hold``: awaited when the request's bytes and its connection are ready, before anything of it is sent;
- ``racelog.on_sent``: called with `Sent` right before the first byte of the request goes to the kernel;
- ``racelog.sink``: a `BodySink` that takes the body of a successful response as it arrives, by plain calls.

Without a sink a response is read before it is given (model lists, error bodies), up to `MAX_BUFFERED_BYTES`. HTTP/1.1 over TCP, TLS or a
unix socket; proxies and HTTP/2 are the plain transport's (`racelog_recorder.transports.httpx_transport`).
"""

import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import httpx2
import trio

from racelog.clock import NS_PER_S
from racelog_recorder.transports.pump.connection import Connection
from racelog_recorder.transports.pump.dial import ConnectTimes, Target, dial
from racelog_recorder.transports.pump.drain import Pump
from racelog_recorder.transports.pump.tls import TlsFiles, client_context

Origin = tuple[str, str, int]
ConnectionUse = Literal["new", "reused", "reopened", ""]
"""How a request got its connection; "reopened" after the server had dropped an idle one, "" where unknown."""

_NEW: ConnectionUse = "new"
_REUSED: ConnectionUse = "reused"
_REOPENED: ConnectionUse = "reopened"

PORTS = {"http": 80, "https": 443}

BUFFERED = "racelog.buffered"
"""The extension of a response without a sink that holds the pieces of its body so far."""


@dataclass(frozen=True, slots=True)
class Sent:
    """When a request left (monotonic ns), over which connection, and what connecting cost in all and by step."""

    t_ns: int
    connection: ConnectionUse
    connect_ns: int | None
    dns_ns: int | None = None
    tcp_ns: int | None = None
    tls_ns: int | None = None


def sent_now(connection: ConnectionUse, times: ConnectTimes | None) -> Sent:
    """Return the `Sent` of this instant."""
    if times is None:
        return Sent(time.monotonic_ns(), connection, None)
    return Sent(time.monotonic_ns(), connection, times.total_ns, times.dns_ns, times.tcp_ns, times.tls_ns)


OnSent = Callable[[Sent], None]

Hold = Callable[[], Awaitable[None]]
"""Waits until a request may be sent; the transports call it when its bytes and its connection are ready."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One request on its way: where to, as httpx has it, and as bytes."""

    origin: Origin
    request: httpx2.Request
    wire: bytes


class PumpTransport(httpx2.AsyncBaseTransport):
    """Sends requests over pumped connections, reusing idle ones.

    A reused connection that the server closed before the first byte of an answer is reopened once: servers drop
    idle connections at will (llama.cpp's after 5 s or 100 requests), and that is no error of the engine. So is
    any that it closed while a ready request was held back. What has begun to be answered is never sent again.

    ``quiet_timeout_s`` without a byte either way fail a request; None where the caller has deadlines of its own.
    With ``unix_socket`` every request goes there, whatever its host. One context of ``tls`` serves all connections.

    Raises:
        OSError: a file of ``tls`` cannot be used (`ssl.SSLError` is one).
    """

    def __init__(
        self,
        pump: Pump,
        *,
        connect_timeout_s: float = 10.0,
        quiet_timeout_s: float | None = 120.0,
        tls: TlsFiles | None = None,
        unix_socket: str = "",
    ) -> None:
        self._pump = pump
        self._context: ssl.SSLContext | None = None if tls is None else client_context(tls)
        self._unix_socket = unix_socket
        self._connect_timeout_s = connect_timeout_s
        self._quiet_timeout_s = quiet_timeout_s
        self._idle: dict[Origin, list[Connection]] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send ``request`` and return when the response's headers are in.

        Raises:
            httpx2.ConnectError, httpx2.ConnectTimeout: no connection.
            httpx2.ReadError, httpx2.ReadTimeout, httpx2.RemoteProtocolError: no response.
        """
        url = request.url
        if url.scheme not in PORTS:
            raise httpx2.UnsupportedProtocol(f"the pump speaks http and https, not {url.scheme!r}")
        origin = (url.scheme, url.host, url.port or PORTS[url.scheme])
        wire = request.extensions.get("racelog.wire")
        if wire is None:
            await request.aread()
            wire = wire_bytes(request)
        call = _Call(origin, request, wire)
        connection, times, how = self._take_idle(origin), None, _REUSED
        if connection is None:
            connection, times = await self._connect(origin)
            how = _NEW
        response = await self._exchange(connection, call, how, times)
        if response is None:
            connection, times = await self._connect(origin)
            response = await self._exchange(connection, call, _REOPENED, times)
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

    async def _connect(self, origin: Origin) -> tuple[Connection, ConnectTimes]:
        scheme, host, port = origin
        if scheme == "https" and self._context is None:  # loading the system's trust takes a while: once
            self._context = client_context(TlsFiles())
        context = self._context if scheme == "https" else None
        target = Target(host, port, self._unix_socket, context)
        try:
            with trio.fail_after(self._connect_timeout_s):
                dialled = await dial(target)
        except trio.TooSlowError as error:
            raise httpx2.ConnectTimeout(
                f"no connection to {target} within {self._connect_timeout_s:g} s"
            ) from error
        except OSError as error:
            raise httpx2.ConnectError(_reason(error)) from error
        return Connection(dialled, self._pump), dialled.times

    async def _exchange(
        self, connection: Connection, call: _Call, how: ConnectionUse, times: ConnectTimes | None
    ) -> httpx2.Response | None:
        """Run one exchange up to its headers; None when the server had dropped the connection and none was begun."""
        extensions = call.request.extensions
        exchange = connection.begin(extensions.get("racelog.sink"))
        on_sent: OnSent | None = extensions.get("racelog.on_sent")
        hold: Hold | None = extensions.get("racelog.hold")
        try:
            if hold:
                await hold()
                if not connection.reusable and how != _REOPENED:
                    connection.close()
                    return None
            if on_sent:
                on_sent(sent_now(how, times))
            unsent = await self._send(connection, call.wire)
            await self.wait(connection, connection.headers)
        except BaseException:
            connection.close()
            raise
        if exchange.headers_at is None:
            connection.close()
            if how == _REUSED and not exchange.received_bytes:
                return None
            if unsent is not None and connection.error is None:
                raise httpx2.WriteError(_reason(unsent)) from unsent
            raise _broken(connection) from connection.error
        return httpx2.Response(
            exchange.status,
            headers=exchange.headers,
            stream=_Body(self, connection, call.origin),
            extensions={
                "http_version": b"HTTP/1.1",
                "racelog.headers_at": exchange.headers_at,
                BUFFERED: exchange.buffered,
            },
        )

    async def _send(self, connection: Connection, wire: bytes) -> OSError | None:
        """Hand the request to the kernel; return what kept it from being taken whole.

        A server may answer before it has read everything, and close: what it said (an HTTP error, a TLS alert) still
        lies in the socket, and tells more than the broken pipe.
        """
        try:
            if self._quiet_timeout_s is None:
                await connection.send(wire)
            else:
                with trio.fail_after(self._quiet_timeout_s):
                    await connection.send(wire)
        except trio.TooSlowError as error:
            raise httpx2.WriteTimeout(
                f"the request was not taken within {self._quiet_timeout_s:g} s"
            ) from error
        except OSError as error:
            connection.keep = False
            return error
        return None

    async def wait(self, connection: Connection, event: trio.Event) -> None:
        """Wait for ``event``; raise `httpx2.ReadTimeout` when nothing at all arrives for too long."""
        while not event.is_set():
            if self._quiet_timeout_s is None:
                await event.wait()
                return
            quiet_since_ns = connection.last_activity_ns
            quiet_s = (time.monotonic_ns() - quiet_since_ns) / NS_PER_S
            with trio.move_on_after(max(0.0, self._quiet_timeout_s - quiet_s)):
                await event.wait()
            if not event.is_set() and connection.last_activity_ns == quiet_since_ns:
                connection.close()
                raise httpx2.ReadTimeout(f"nothing arrived for {self._quiet_timeout_s:g} s")

    def release(self, connection: Connection, origin: Origin) -> None:
        """Keep the connection for the next request if its exchange ended cleanly, else close it."""
        exchange = connection.exchange
        if exchange.finished and exchange.keep_alive and connection.reusable and connection.keep:
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
            raise _broken(connection) from connection.error

    async def aclose(self) -> None:
        self._transport.release(self._connection, self._origin)


def _broken(connection: Connection) -> httpx2.TransportError:
    """Return the exception that says why ``connection`` ended before its response did."""
    if connection.error is not None:
        return httpx2.ReadError(_reason(connection.error))
    return httpx2.RemoteProtocolError(connection.exchange.failure or "the connection was closed")


def _reason(error: OSError) -> str:
    """Return an OS error in words."""
    return error.strerror or str(error) or type(error).__name__


def wire_bytes(request: httpx2.Request) -> bytes:
    """Return a request that has been read as HTTP/1.1 bytes; httpx has set Host and Content-Length already."""
    head = [request.method.encode("ascii") + b" " + request.url.raw_path + b" HTTP/1.1"]
    head += [name + b": " + value for name, value in request.headers.raw]
    return b"\r\n".join(head) + b"\r\n\r\n" + request.content
