"""One connection under the pump: request bytes out, stamped reads into its exchange, through TLS where spoken."""

import socket
import ssl
import time
from contextlib import suppress

import trio

from racelog_recorder.transports.pump.dial import Dialled
from racelog_recorder.transports.pump.drain import Pump
from racelog_recorder.transports.pump.exchange import BodySink, Exchange
from racelog_recorder.transports.pump.stamps import Arrival
from racelog_recorder.transports.pump.tls import TlsSession


class Connection:
    """One keep-alive connection; carries one exchange at a time.

    ``headers`` is set when the exchange's headers are in, ``done`` at its end; both when the connection ends. What
    ended it, if it was no farewell, is ``error``. It is ``reusable`` until then; ``keep`` false lets it go all the same.
    """

    def __init__(self, dialled: Dialled, pump: Pump) -> None:
        self.sock: socket.socket = dialled.sock
        self.reusable = True
        self.keep = True
        self.error: OSError | None = None
        self.last_activity_ns = 0
        self.exchange = Exchange(None)
        self.headers = trio.Event()
        self.done = trio.Event()
        self._told = False
        self._tls = dialled.tls
        self._unsent = b""
        self._arrived = trio.Event()
        self._pump = pump
        pump.watch(self.sock, self._on_read)

    def begin(self, sink: BodySink | None) -> Exchange:
        """Start a new exchange; its events are fresh."""
        self.exchange = Exchange(sink)
        self.headers = trio.Event()
        self.done = trio.Event()
        self._told = False
        self.last_activity_ns = time.monotonic_ns()
        return self.exchange

    async def send(self, data: bytes) -> None:
        """Hand all of ``data`` to the kernel; waits only when the socket's buffer is full.

        Raises:
            OSError: the connection is broken.
        """
        self.last_activity_ns = time.monotonic_ns()
        if self._tls is None:
            await self._send_raw(data)
            return
        while not self._tls.encrypt(data):  # the server renegotiates: its next read may let us go on
            self._arrived = trio.Event()
            await self._send_raw(self._tls.outgoing())
            await self._arrived.wait()
            if not self.reusable:
                raise self.error or ConnectionResetError(
                    "the connection was closed while it renegotiated TLS"
                )
        await self._send_raw(self._tls.outgoing())

    async def _send_raw(self, data: bytes) -> None:
        self._unsent += data
        while self._unsent:
            try:
                self._unsent = self._unsent[self.sock.send(self._unsent) :]
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self.sock)

    def close(self) -> None:
        """Close the socket; safe to call again."""
        if self.sock.fileno() >= 0:
            self._pump.unwatch(self.sock)
            if self._tls is not None and self.reusable and not self._unsent:
                with suppress(OSError):
                    self.sock.send(self._tls.farewell())
            self.sock.close()
        self.reusable = False

    def _on_read(self, data: bytes, when: Arrival, error: OSError | None) -> None:
        """Take one read of the socket (called by the pump)."""
        self.last_activity_ns = when.t_ns
        exchange = self.exchange
        if (
            self._told and data and self._tls is None and not exchange.finished
        ):  # more of a body, as most reads are
            exchange.feed(data, when)
            if not (exchange.finished or exchange.failure or exchange.unfolding):
                return
        elif error is not None:
            self._broke(error, when)
        elif self._tls is None or not data:
            self._on_plain(data, when, farewell=self._tls is None or self._tls.closed)
        else:
            self._on_records(self._tls, data, when)
        if self._tls is not None:
            self._arrived.set()
        self._tell(exchange, when)

    def _on_more(self, _data: bytes, when: Arrival, _error: OSError | None) -> None:
        """Take more of what the last read unfolds into (called by the pump)."""
        exchange = self.exchange
        if self.sock.fileno() >= 0 and exchange.unfolding:
            exchange.go_on()
            self._tell(exchange, when)

    def _tell(self, exchange: Exchange, when: Arrival) -> None:
        """Say how far the exchange is, to who waits for it; ask for a further turn where it has more to unfold."""
        if exchange.unfolding:
            self._pump.again(when, self._on_more)
        if exchange.headers_at and not self._told:
            self._told = True
            self.headers.set()
        if exchange.finished or exchange.failure or not self.reusable:
            self.headers.set()
            self.done.set()
        if not self.reusable:
            self._pump.unwatch(self.sock)

    def _on_records(self, tls: TlsSession, data: bytes, when: Arrival) -> None:
        """Decrypt one read; what it completed shares the read's stamp."""
        try:
            plain = tls.received(data)
        except ssl.SSLError as error:
            self._broke(error, when)
            return
        if plain:
            self._on_plain(plain, Arrival(when.t_ns, when.stamp, more=tls.partial), farewell=True)
        if tls.closed:
            self._on_plain(b"", when, farewell=True)
        elif reply := tls.outgoing():
            self._reply(reply, when)

    def _reply(self, data: bytes, when: Arrival) -> None:
        """Send what TLS itself must say (a key update, a renegotiation); what does not fit goes before the next send."""
        try:
            self._unsent += data
            self._unsent = self._unsent[self.sock.send(self._unsent) :]
        except BlockingIOError:
            return
        except OSError as error:
            self._broke(error, when)

    def _on_plain(self, data: bytes, when: Arrival, *, farewell: bool) -> None:
        exchange = self.exchange
        if not data:
            self.reusable = False
            exchange.closed(when, farewell=farewell)
        elif exchange.finished:
            self.reusable = False  # bytes nobody asked for: the next answer is not among them
        else:
            exchange.feed(data, when)

    def _broke(self, error: OSError, when: Arrival) -> None:
        self.error, self.reusable = error, False
        self.exchange.last_at = when
