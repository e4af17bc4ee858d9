"""From an address to a connected, stamped socket, with what each step cost: DNS, TCP, TLS.

Attempts at several addresses overlap as RFC 8305 (happy eyeballs) has it, so that a broken IPv6 costs a quarter of
a second and not the whole deadline. trio's own `open_tcp_stream` does the same, but cannot say what the lookup cost
and what the winner did: here ``tcp_ns`` is the winning attempt alone, and the total also holds the waits for losers.
"""

import ipaddress
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import trio

from racelog_recorder.transports.pump import stamps
from racelog_recorder.transports.pump.tls import TlsSession

HEAD_START_S = 0.25
"""How long an attempt stands alone before the next address is tried beside it (RFC 8305 §5)."""

HANDSHAKE_READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class ConnectTimes:
    """What connecting cost in all and by step (ns); None for a step that was not needed."""

    total_ns: int
    dns_ns: int | None = None
    tcp_ns: int | None = None
    tls_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect: a host and port, or a unix socket; with ``context``, TLS is spoken to ``host``."""

    host: str
    port: int
    unix_socket: str = ""
    context: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return self.unix_socket or f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Dialled:
    """A connected non-blocking socket that stamps what it receives, its TLS session if any, and the cost."""

    sock: socket.socket
    tls: TlsSession | None
    times: ConnectTimes


async def dial(target: Target) -> Dialled:
    """Return a connection to ``target``; the caller sets the deadline.

    Raises:
        OSError: nothing there, no such name, or no agreement on TLS (`ssl.SSLError` is one).
    """
    started_ns = time.monotonic_ns()
    dns_ns = tcp_ns = tls_ns = None
    if target.unix_socket:
        sock = await _connect(socket.AF_UNIX, target.unix_socket)
    else:
        addresses = await _resolve(target.host, target.port)
        if not _is_literal(target.host):
            dns_ns = time.monotonic_ns() - started_ns
        sock, tcp_ns = await _first_to_connect(addresses)
    tls = None
    if target.context is not None:
        shaking_ns = time.monotonic_ns()
        tls = await _shake_hands(sock, TlsSession(target.context, target.host))
        tls_ns = time.monotonic_ns() - shaking_ns
    return Dialled(sock, tls, ConnectTimes(time.monotonic_ns() - started_ns, dns_ns, tcp_ns, tls_ns))


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


_Address = tuple[int, Any]


async def _resolve(host: str, port: int) -> list[_Address]:
    """Return the (family, address) pairs of a host in the system's order of preference, families alternating."""
    try:
        found = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host!r} is not a host name: {error}") from None
    addresses = list(dict.fromkeys((int(family), address) for family, _, _, _, address in found))
    first = [address for address in addresses if address[0] == addresses[0][0]]
    others = [address for address in addresses if address[0] != addresses[0][0]]
    longest = max(len(first), len(others))
    return [each for i in range(longest) for family in (first, others) for each in family[i : i + 1]]


async def _first_to_connect(addresses: list[_Address]) -> tuple[socket.socket, int]:
    """Return the socket of the attempt that connected first, and what that attempt took."""
    if len(addresses) == 1:
        started_ns = time.monotonic_ns()
        return await _connect(*addresses[0]), time.monotonic_ns() - started_ns
    won: list[tuple[socket.socket, int]] = []
    errors: list[OSError] = []

    async def attempt(position: int, failed: trio.Event) -> None:
        started_ns = time.monotonic_ns()
        try:
            sock = await _connect(*addresses[position])
        except OSError as error:
            errors.append(error)
            failed.set()
            return
        if won:  # two arrived in one turn of the loop
            sock.close()
            return
        won.append((sock, time.monotonic_ns() - started_ns))
        nursery.cancel_scope.cancel()

    try:
        async with trio.open_nursery() as nursery:
            for position in range(len(addresses)):
                failed = trio.Event()
                nursery.start_soon(attempt, position, failed)
                with trio.move_on_after(HEAD_START_S):
                    await failed.wait()
    except BaseException:
        for sock, _ in won:
            sock.close()
        raise
    if not won:
        raise errors[0] if errors else OSError("the host name has no address")
    return won[0]


async def _connect(family: int, address: Any) -> socket.socket:
    """Return a connected non-blocking socket with stamps asked for."""
    with trio.socket.socket(family, socket.SOCK_STREAM) as trying:
        if family != socket.AF_UNIX:
            trying.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await trying.connect(address)
        except OSError as error:
            if family != socket.AF_UNIX:
                raise
            raise type(error)(error.errno, f"{address}: {error.strerror or error}") from error
        sock = socket.socket(family, socket.SOCK_STREAM, fileno=trying.detach())
    sock.setblocking(False)
    stamps.enable(sock)
    return sock


async def _shake_hands(sock: socket.socket, tls: TlsSession) -> TlsSession:
    """Return ``tls`` once its handshake is through; close ``sock`` if it is not to be."""
    try:
        data = b""
        while not tls.handshake(data):
            await send_all(sock, tls.outgoing())
            await trio.lowlevel.wait_readable(sock)
            data = _received(sock)
        await send_all(sock, tls.outgoing())
    except BaseException as error:
        if isinstance(error, ssl.SSLError):  # the alert tells the server's log why
            with suppress(OSError):
                sock.send(tls.outgoing())
        trio.lowlevel.notify_closing(sock)
        sock.close()
        raise
    return tls


def _received(sock: socket.socket) -> bytes:
    data = sock.recv(HANDSHAKE_READ_BYTES)
    if not data:
        raise ssl.SSLError("the server closed the connection during the TLS handshake")
    return data


async def send_all(sock: socket.socket, data: bytes) -> None:
    """Hand all of ``data`` to the kernel; waits only when the socket's buffer is full."""
    view = memoryview(data)
    while view:
        try:
            view = view[sock.send(view) :]
        except BlockingIOError:
            await trio.lowlevel.wait_writable(sock)
