"""The calibration before a race: the lane's own pump against a server that knows the truth, for about a second.

    lane process: pump -> TLS? -> HTTP -> SSE -> JSON -> columns   <-- loopback --   `truth_server` process: "<ns of its send>"

As many streams as the race will have open, over loopback, so that what is found is the client's own error; over TLS
where the engine's URL is https. It never takes longer than `LIMIT_S` and never fails a race: what went wrong is a note.
"""

import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import trio
from msgspec import structs

from racelog.clock import NS_PER_S
from racelog.display.text import counted
from racelog.events import STAMP_CODES, TOKEN_CODES, Calibration, Note, Tokens
from racelog.log.rows.chunks import chunk_rows
from racelog.replay.quantiles import quantile
from racelog_recorder.calibration.certificate import loopback_certificate
from racelog_recorder.journal.chunks import ChunkColumns
from racelog_recorder.journal.journal import Journal
from racelog_recorder.plan.model import Traffic
from racelog_recorder.requests.stream import StreamSink
from racelog_recorder.transports.pump import stamps
from racelog_recorder.transports.pump.connection import Connection
from racelog_recorder.transports.pump.dial import ConnectTimes, Dialled, Target, dial
from racelog_recorder.transports.pump.drain import Pump
from racelog_recorder.transports.pump.tls import TlsFiles, client_context

LIMIT_S = 2.0
READING_S = 1.7
"""From the beginning; what has arrived by then is judged. The rest is for the server to end and say how it did."""

STREAMING_S = 1.0
"""Fifty tokens a stream at the usual pace: of 64 streams, 32 errors lie beyond the p99."""

TTFT_MS = 50.0
GAP_MS = 20.0
"""As in the project's benchmarks: 50 tokens/s a stream."""

MAX_TOKENS_PER_S = 20_000
"""Beyond this the pace is lowered: a quarter of what the server in Python can send, so that it never is what is slow."""

MAX_STREAMS = 4_000
"""Connecting one takes about 0.1 ms; more would not leave time to stream."""

MAX_TLS_STREAMS = 512
"""A handshake takes both sides 1 to 2 ms together."""

CONNECTING_S = 0.6
"""What is connected by then is the calibration's streams: the first of them must not be through before the last begins."""

HOST = "127.0.0.1"

LAG_SAMPLE_S = 0.01
KERNEL_SHARE = 0.95

_REQUEST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: truth\r\nContent-Length: 0\r\n\r\n"


async def calibrate(
    journal: Journal, pump: Pump, *, lane: int, streams: int, tls: bool = False, unix: bool = False
) -> None:
    """Measure how far this process stamps from the truth with ``streams`` streams open, and record it.

    For a lane over a unix socket, which no kernel stamps, the reads stamp here too.
    """
    streams = min(max(1, streams), MAX_TLS_STREAMS if tls else MAX_STREAMS)
    try:
        with trio.fail_after(LIMIT_S):
            event = await _measured(journal, pump, lane, streams, tls=tls, unix=unix)
    except trio.TooSlowError:
        _note(journal, lane, f"it took longer than {LIMIT_S:g} s")
    except (OSError, ValueError, KeyError, trio.BrokenResourceError) as error:
        _note(journal, lane, str(error) or type(error).__name__)
    else:
        journal.record(event)


def expected_streams(traffic: Traffic) -> int:
    """Return how many streams a lane's race will have open: in an open loop, as if an answer took a second.

    By Little's law that is the rate; nobody knows before the race how long the answers will be.
    """
    if traffic.load is None:
        return traffic.concurrency
    return min(traffic.load.max_open or MAX_STREAMS, max(1, round(traffic.load.rate_per_s)))


def _note(journal: Journal, lane: int, why: str) -> None:
    text = f"clock not checked: {why}; the error of this race's token times is unknown"
    journal.record(Note(t=journal.now_ns(), text=text, level="warning", lane=lane))


async def _measured(
    journal: Journal, pump: Pump, lane: int, streams: int, *, tls: bool, unix: bool
) -> Calibration:
    """Return what was found.

    Raises:
        OSError: no process, no connection, or the server left.
        ValueError: not a single chunk arrived.
    """
    until_s = trio.current_time() + READING_S
    gap_ms = max(GAP_MS, streams * 1000 / MAX_TOKENS_PER_S)
    tokens = max(2, round(STREAMING_S * 1000 / gap_ms))
    columns = ChunkColumns(lane)
    with _certified(tls=tls) as certificate:
        context = client_context(TlsFiles(ca=certificate)) if certificate else None
        async with _truth(tokens, gap_ms, certificate) as server:
            readers = _Readers(pump, columns, kernel=not unix)
            try:
                streams = await readers.connect(server.port, streams, context)
                lags_us = await readers.drained(until_s)
            finally:
                readers.close()
            found = await server.report()
    batch = columns.take()
    if batch is None:
        raise ValueError(f"no chunk arrived within {READING_S:g} s")
    return structs.replace(_judged(journal.now_ns(), lane, streams, batch, found, lags_us), tls=tls)


def _judged(  # noqa: PLR0917 - one call, in this order
    t_ns: int, lane: int, streams: int, batch: Tokens, found: dict[str, float], lags_us: list[float]
) -> Calibration:
    """Return the calibration that a batch of chunks makes, whose texts are the times of their sends.

    Raises:
        ValueError: all of them were coalesced, so that none has a time of its own.
    """
    rows = chunk_rows(batch)
    chunks = [(t, text, *STAMP_CODES[stamp]) for t, _, text, code, _, stamp in rows if code in TOKEN_CODES]
    errors_us = sorted((t - int(text)) / 1e3 for t, text, _, joined in chunks if not joined)
    if not errors_us:
        raise ValueError(f"of {counted(len(chunks), 'chunk')} every one was read together with a later one")
    p50, p99 = (quantile(errors_us, q) or 0.0 for q in (0.5, 0.99))
    kernel = sum(who == "kernel" for _, _, who, _ in chunks) >= KERNEL_SHARE * len(chunks)
    span_s = max(1, rows[-1][0] - rows[0][0]) / NS_PER_S
    return Calibration(
        t=t_ns, lane=lane, streams=streams, tokens=len(chunks), coalesced=len(chunks) - len(errors_us),
        p50_us=round(p50, 1), p99_us=round(p99, 1), max_us=round(errors_us[-1], 1),
        stamp="kernel" if kernel else "user", tokens_per_s=round(len(chunks) / span_s, 1),
        loop_lag_us=round(quantile(sorted(lags_us), 0.99) or 0.0, 1) if lags_us else None,
        truth_p99_us=round(found["write_p99_us"], 1),
    )  # fmt: skip


class _Readers:
    """So many streams on the pump, read and parsed as a race's are."""

    def __init__(self, pump: Pump, columns: ChunkColumns, *, kernel: bool) -> None:
        self._pump = pump
        self._kernel = kernel
        self._columns = columns
        self._connections: list[Connection] = []

    async def connect(self, port: int, streams: int, context: ssl.SSLContext | None) -> int:
        """Connect up to ``streams`` of them within `CONNECTING_S`, ask, and return how many there are.

        Each begins to stream while the next connect.
        """
        until_s = trio.current_time() + CONNECTING_S
        for number in range(streams):
            if number and trio.current_time() > until_s:
                break
            dialled = await _connected(port, context)
            if not self._kernel:
                stamps.disable(dialled.sock)
            connection = Connection(dialled, self._pump)
            self._connections.append(connection)
            connection.begin(StreamSink(self._columns, number, 0))
            await connection.send(_REQUEST)
            await trio.lowlevel.checkpoint()
        return len(self._connections)

    async def drained(self, until_s: float) -> list[float]:
        """Wait until every stream has ended, or until ``until_s``; return how late the loop woke meanwhile (us)."""
        lags_us: list[float] = []
        under_way = self._connections
        while trio.current_time() < until_s:
            under_way = [connection for connection in under_way if not connection.done.is_set()]
            if not under_way:
                break
            due_s = trio.current_time() + LAG_SAMPLE_S
            await trio.sleep_until(due_s)
            lags_us.append((trio.current_time() - due_s) * 1e6)
        return lags_us

    def close(self) -> None:
        """Close every connection."""
        for connection in self._connections:
            connection.close()


async def _connected(port: int, context: ssl.SSLContext | None) -> Dialled:
    """Return a connection to the truth server; without TLS by the shortest way, as there may be thousands."""
    if context is not None:
        return await dial(Target(HOST, port, context=context))
    sock = socket.create_connection((HOST, port), timeout=LIMIT_S)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stamps.enable(sock)
    return Dialled(sock, None, ConnectTimes(0))


@dataclass(slots=True)
class _Truth:
    """A running truth server."""

    port: int
    process: trio.Process

    async def report(self) -> dict[str, float]:
        """End it and return what it says of itself."""
        assert self.process.stdin is not None
        await self.process.stdin.aclose()
        said = await _read_all(self.process)
        report: dict[str, float] = json.loads(said)
        return report


@contextmanager
def _certified(*, tls: bool) -> Iterator[str]:
    """Give the path of a certificate and its key for as long as the block runs, empty for no ``tls``."""
    if not tls:
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="racelog-") as folder:
        path = Path(folder) / "loopback.pem"
        path.write_text(loopback_certificate(), encoding="ascii")
        yield str(path)


@asynccontextmanager
async def _truth(tokens: int, gap_ms: float, certificate: str) -> AsyncIterator[_Truth]:
    """Run a truth server beside the block; it is gone when the block is left, however that happens."""
    script = Path(__file__).with_name("truth_server.py")
    command = [
        sys.executable,
        "-I",
        "-S",
        os.fspath(script),
        str(tokens),
        str(TTFT_MS),
        str(gap_ms),
        certificate,
    ]
    process = await trio.lowlevel.open_process(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        line = await process.stdout.receive_some()
        if not line.strip().isdigit():
            raise OSError("the truth server did not start")
        yield _Truth(int(line), process)
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def _read_all(process: trio.Process) -> bytes:
    assert process.stdout is not None
    said = bytearray()
    async for data in process.stdout:
        said += data
    return bytes(said)
