"""A network backend for httpcore that stamps what it reads, so that httpx's own transport has kernel stamps too.

httpcore parses between the socket and us, so stamps cannot travel with the bytes: a stream keeps the `Arrival` of its
last read, and says when it is asked for more: until then everything parsed came with that read.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import httpcore2
import trio

from racelog_recorder.transports.pump.dial import ConnectTimes, Target, dial, send_all
from racelog_recorder.transports.pump.stamps import (
    ANCILLARY_BYTES,
    Arrival,
    OffsetWatch,
    arrival,
    realtime_offset_ns,
    stamp_of,
)
from racelog_recorder.transports.pump.tls import TlsSession

READ_BYTES = 64 * 1024


@dataclass(slots=True)
class Progress:
    """What was done for one request so far: the steps of connecting, and whether any byte of an answer came."""

    began_ns: int = 0
    connects: list[ConnectTimes] = field(default_factory=list)
    received: bool = False

    @property
    def times(self) -> ConnectTimes | None:
        """Return the cost of connecting until now, with a proxy's own answers; None if nothing had to be connected."""
        if not self.connects:
            return None
        tls = [step.tls_ns for step in self.connects if step.tls_ns is not None]
        first = self.connects[0]
        total_ns = time.monotonic_ns() - self.began_ns
        return ConnectTimes(total_ns, first.dns_ns, first.tcp_ns, sum(tls) if tls else None)


PROGRESS: ContextVar[Progress | None] = ContextVar("racelog_progress", default=None)
"""The request whose answer's head is awaited in this task: httpcore connects, writes and reads in the task that asked."""


def _note(began_ns: int, times: ConnectTimes) -> None:
    if progress := PROGRESS.get():
        progress.began_ns = progress.began_ns or began_ns
        progress.connects.append(times)


class StampedBackend(httpcore2.AsyncNetworkBackend):
    """Connects as the pump does, and gives streams that stamp."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,  # noqa: ARG002 - httpcore's interface
        socket_options: Iterable[Any] | None = None,
    ) -> "StampedStream":
        """Connect to a host; ``local_address`` is not used here."""
        return await _dial(Target(host, port), timeout, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        socket_options: Iterable[Any] | None = None,
    ) -> "StampedStream":
        """Connect to a unix socket."""
        return await _dial(Target("", 0, path), timeout, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await trio.sleep(seconds)


async def _dial(target: Target, timeout_s: float | None, options: Iterable[Any] | None) -> "StampedStream":
    began_ns = time.monotonic_ns()
    with _mapped(httpcore2.ConnectTimeout, httpcore2.ConnectError, timeout_s):
        dialled = await dial(target)
        for option in options or ():
            dialled.sock.setsockopt(*option)
    _note(began_ns, dialled.times)
    return StampedStream(dialled.sock)


class _OpenToTls(httpcore2.AsyncNetworkStream):
    """A stream that TLS can be laid over: a plain one, or once more one with TLS, towards a server behind an https proxy."""

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's
    ) -> "TlsStream":
        """Return this stream with TLS over it."""
        assert isinstance(self, StampedStream | TlsStream)
        return await TlsStream.over(self, ssl_context, server_hostname or "", timeout)


class StampedStream(_OpenToTls):
    """One connected socket. ``last`` is the arrival of the read before; ``on_wait`` is called before the next."""

    def __init__(self, sock: socket.socket) -> None:
        self.last: Arrival | None = None
        self.on_wait: Callable[[], None] | None = None
        self._sock = sock
        self._offsets = OffsetWatch()
        self._empty_ns = time.monotonic_ns()
        self._waited = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        """Return what has arrived, up to ``max_bytes``; empty at the end.

        Two reads in a row are never without a turn of the event loop: where bytes are always ready, deadlines, the journal
        and Ctrl+C would wait for as long as the server likes.
        """
        if self.on_wait:
            self.on_wait()
        with _mapped(httpcore2.ReadTimeout, httpcore2.ReadError, timeout):
            if not self._waited:
                await trio.lowlevel.checkpoint()
            self._waited = False
            while True:
                try:
                    return self._received(max_bytes)
                except BlockingIOError:
                    await trio.lowlevel.wait_readable(self._sock)
                    self._waited = True

    def _received(self, max_bytes: int) -> bytes:
        before_ns = time.monotonic_ns()
        data, ancillary, _, _ = self._sock.recvmsg(max_bytes, ANCILLARY_BYTES)
        now_ns, offset_ns = time.monotonic_ns(), realtime_offset_ns()
        self._offsets.sampled(offset_ns, now_ns)
        earliest_ns = self._empty_ns
        stamp = stamp_of(ancillary) if self._offsets.believes(earliest_ns) else None
        self.last = arrival(stamp, offset_ns, earliest_ns, now_ns)
        if len(data) < max_bytes:
            self._empty_ns = before_ns
        if data and (progress := PROGRESS.get()):
            progress.received = True
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's
        """Hand ``buffer`` to the kernel."""
        with _mapped(httpcore2.WriteTimeout, httpcore2.WriteError, timeout):
            await send_all(self._sock, buffer)

    async def aclose(self) -> None:
        """Close the socket; safe to call again."""
        if self._sock.fileno() >= 0:
            trio.lowlevel.notify_closing(self._sock)
            self._sock.close()

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks of a socket."""
        if info == "client_addr":
            return self._sock.getsockname()
        if info == "server_addr":
            return self._sock.getpeername()
        if info == "socket":
            return self._sock
        if info == "is_readable":
            return _is_readable(self._sock)
        return None


class TlsStream(_OpenToTls):
    """TLS over a stamped stream (or over another such: an https proxy); stamps and hooks are the inner one's."""

    def __init__(self, inner: "StampedStream | TlsStream", tls: TlsSession) -> None:
        self._inner = inner
        self._tls = tls
        self._plain = b""

    @classmethod
    async def over(
        cls,
        inner: "StampedStream | TlsStream",
        context: ssl.SSLContext,
        server_name: str,
        timeout_s: float | None,
    ) -> "TlsStream":
        """Return the stream once the handshake is through; ``inner`` is closed if it is not to be."""
        started_ns = time.monotonic_ns()
        stream = cls(inner, TlsSession(context, server_name))
        try:
            with _mapped(httpcore2.ConnectTimeout, httpcore2.ConnectError, timeout_s):
                await stream._shake_hands()
        except BaseException:
            await inner.aclose()
            raise
        took_ns = time.monotonic_ns() - started_ns
        _note(started_ns, ConnectTimes(took_ns, tls_ns=took_ns))
        return stream

    async def _shake_hands(self) -> None:
        data = b""
        while not self._tls.handshake(data):
            await self._inner.write(self._tls.outgoing())
            data = await self._inner.read(READ_BYTES)
            if not data:
                raise ssl.SSLError("the server closed the connection during the TLS handshake")
        await self._inner.write(self._tls.outgoing())

    @property
    def last(self) -> Arrival | None:
        """Return the arrival of the read that completed the last record."""
        last = self._inner.last
        return last and Arrival(last.t_ns, last.stamp, last.more or self._tls.partial)

    @property
    def on_wait(self) -> Callable[[], None] | None:
        """Return what is called before the next read."""
        return self._inner.on_wait

    @on_wait.setter
    def on_wait(self, call: Callable[[], None] | None) -> None:
        self._inner.on_wait = call

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        """Return plain bytes; empty at the end."""
        while not self._plain:
            if self._tls.closed:
                return b""
            data = await self._inner.read(READ_BYTES, timeout)
            if not data:
                raise httpcore2.ReadError("the TLS connection was closed without a farewell (close_notify)")
            with _mapped(httpcore2.ReadTimeout, httpcore2.ReadError, None):
                self._plain = self._tls.received(data)
            if reply := self._tls.outgoing():
                await self._inner.write(reply, timeout)
        given, self._plain = self._plain[:max_bytes], self._plain[max_bytes:]
        return given

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's
        """Seal ``buffer`` and hand it to the kernel."""
        with _mapped(httpcore2.WriteTimeout, httpcore2.WriteError, None):
            if not self._tls.encrypt(buffer):
                raise ssl.SSLError("the server renegotiates TLS in the middle of a request")
        await self._inner.write(self._tls.outgoing(), timeout)

    async def aclose(self) -> None:
        """Close the inner stream."""
        await self._inner.aclose()

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks of a stream."""
        if info == "ssl_object":
            return self._tls.object
        return self._inner.get_extra_info(info)


def _is_readable(sock: socket.socket) -> bool:
    """Return True if ``sock`` has something to read: to an idle connection that is the server's farewell."""
    if sock.fileno() < 0:
        return True
    try:
        return sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) is not None
    except BlockingIOError:
        return False
    except OSError:
        return True


@contextmanager
def _mapped(late: type[Exception], broken: type[Exception], timeout_s: float | None) -> Iterator[None]:
    """Give a step its time, and its errors httpcore's names."""
    try:
        with trio.fail_after(float("inf") if timeout_s is None else timeout_s):
            yield
    except trio.TooSlowError as error:
        raise late(f"nothing within {timeout_s:g} s") from error
    except (OSError, trio.ClosedResourceError, trio.BrokenResourceError) as error:
        raise broken(getattr(error, "strerror", None) or str(error)) from error
