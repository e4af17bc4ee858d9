"""The drain loop: wait for any socket, read all that are ready, and only then let anything be parsed.

Reading first and parsing after, and reading again before much of it is parsed, keeps the time between two reads of one
stream short, so that one read rarely holds two messages (which share a stamp), and keeps the fallback stamps of `stamps`
honest. What is read and not parsed yet is held.
"""

import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import trio

from racelog.clock import NS_PER_S
from racelog_recorder.pump.poller import Poller, new_poller
from racelog_recorder.pump.stamps import (
    ANCILLARY_BYTES,
    KERNEL,
    Arrival,
    OffsetWatch,
    arrival,
    kept_on,
    realtime_offset_ns,
    stamp_of,
)

READ_BYTES = 64 * 1024
"""One read per socket and drain; a token has a few hundred bytes. Python reads into a fresh buffer of this size, and
glibc maps one of 128 KiB or more anew from the kernel each time: 18.7 us a read with 256 KiB, 3.6 with 64."""

REST_S = 0.001
MANY = 32
ENOUGH = 64
QUICK_NS = 4_000_000
"""With `MANY` sockets that the kernel stamps, a drain of fewer than `ENOUGH` reads is followed by a rest of `REST_S`: a
turn of the event loop costs as much as reading and parsing five tokens, so they had better come together. It would join
the chunks of fast streams, so there is none when more than an eighth of the reads came within `QUICK_NS` of their
stream's last: gaps drawn from an exponential distribution that passes this have a mean of 30 ms, and 2 % of them end
within a rest."""

AT_ONCE = 16
"""Reads handed on between two looks where there are no kernel stamps: parsing one takes 6 us, and whatever arrives
meanwhile is stamped so much later. 300 reads behind a busy neighbour would take 2 ms."""

STAMPED_AT_ONCE = 64
"""The same with kernel stamps: half a millisecond. Whoever was kept from the core for 15 ms has 750 reads of 1,000 streams to
parse, which takes longer than the gap to each stream's next message."""

STAY_NS = 1_000_000
"""With `MANY` sockets of which some have no kernel stamps, a drain stays in its own loop so long: it waits for the next
bytes there, reads them when they come and parses them, as a client in C does. A turn of the event loop between each two
reads would make what comes meanwhile 50 us late, and cost more than all else. The loop's other tasks have their turn
that much later, as after a rest."""

LOOKS = 8
"""Looks before the event loop has its turn again: requests that ended wait in it."""

LATEST_NS = 500_000_000
"""Nothing more is read while something held arrived longer ago. A core that is stolen for a tenth of a second makes 5,000
reads wait, and they are parsed within the next second; who stays behind is to be seen to be, and memory has a bound."""

OnRead = Callable[[bytes, Arrival, OSError | None], None]
"""Takes what one read gave: bytes (empty: the peer closed), when they arrived, and an error instead of either."""


_Ancillary = list[tuple[int, int, bytes]]
_Read = tuple[OnRead, bytes, OSError | None, _Ancillary, int, int]
"""Who takes it, bytes, error, control data, earliest possible arrival, when the read returned."""

_Stamped = tuple[Arrival, bytes, OSError | None, OnRead]


@dataclass(slots=True)
class _Socket:
    """How to read one watched socket and who takes its bytes."""

    recvmsg: Callable[[int, int], tuple[bytes, _Ancillary, int, Any]]
    on_read: OnRead
    empty_since_ns: int


class Pump:
    """Drains sockets for as long as `run` runs; sockets come and go with `watch` and `unwatch`.

    ``drains``, ``reads`` and ``largest_drain`` count what it did, as evidence that it kept up; ``may_rest`` says that what
    comes next can wait for `REST_S`, ``may_stay`` that it must not even wait for a turn of the loop. The clocks are `CLOCK_MONOTONIC` and what `CLOCK_REALTIME` is ahead of it, in
    nanoseconds.
    """

    def __init__(
        self,
        poller: Poller | None = None,
        *,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        offset_ns: Callable[[], int] = realtime_offset_ns,
    ) -> None:
        self._poller = poller or new_poller()
        self._monotonic_ns = monotonic_ns
        self._offset_ns = offset_ns
        self._offsets = OffsetWatch()
        self._sockets: dict[int, _Socket] = {}
        self._held: deque[_Stamped] = deque()
        self._at_once = STAMPED_AT_ONCE
        self.may_rest = False
        self.may_stay = False
        self.drains = 0
        self.reads = 0
        self.largest_drain = 0

    def watch(self, sock: socket.socket, on_read: OnRead) -> None:
        """Call ``on_read`` with everything that arrives on the non-blocking ``sock`` from now on."""
        self._sockets[sock.fileno()] = _Socket(sock.recvmsg, on_read, self._monotonic_ns())
        self._poller.add(sock.fileno())

    def unwatch(self, sock: socket.socket) -> None:
        """Stop reading from ``sock``; call before closing it. Harmless when it is not watched."""
        if self._sockets.pop(sock.fileno(), None) is not None:
            self._poller.remove(sock.fileno())

    async def run(self) -> None:
        """Drain until cancelled."""
        try:
            with kept_on():
                while True:
                    if self._held:
                        await trio.lowlevel.checkpoint()
                    elif self.may_rest:
                        await trio.sleep(REST_S)
                    else:
                        await self._poller.wait()
                    self.drain()
        finally:
            self._sockets.clear()  # so that a later unwatch does not touch the closed poller
            self._poller.close()

    def drain(self) -> None:
        """Read every ready socket once and hand on what was read, in arrival order; while there is more, look again.

        After `LOOKS` looks the rest is held until the next call. One that may stay looks and waits for `STAY_NS`.
        """
        held, leave_ns = self._held, self._monotonic_ns() + STAY_NS
        looks = 0
        while True:
            if not held or self._monotonic_ns() - held[0][0].t_ns < LATEST_NS:
                self._look(STAY_NS / NS_PER_S if self.may_stay and not held else 0.0)
            for _ in range(min(len(held), self._at_once)):
                when, data, error, on_read = held.popleft()
                on_read(data, when, error)
            looks += 1
            if self._monotonic_ns() >= leave_ns if self.may_stay else not held or looks == LOOKS:
                return

    def _look(self, within_s: float) -> None:
        """Read every ready socket once; hold what was read with its arrival, in that order."""
        taken = self._taken(within_s)
        if not taken:
            self.may_rest = self.may_stay = False
            return
        offset_ns = self._offset_ns()
        self._offsets.sampled(offset_ns, self._monotonic_ns())
        believes = self._offsets.believes
        reads = [
            (
                arrival(
                    stamp_of(ancillary) if believes(earliest_ns) else None, offset_ns, earliest_ns, now_ns
                ),
                data,
                error,
                on_read,
            )
            for on_read, data, error, ancillary, earliest_ns, now_ns in taken
        ]
        if len(reads) > 1:
            reads.sort(key=_arrived_ns)
        stamped = all(read[0].stamp == KERNEL for read in reads)
        many = len(self._sockets) >= MANY
        self._at_once = STAMPED_AT_ONCE if stamped else AT_ONCE
        self._held += reads
        self.may_rest = stamped and many and len(reads) < ENOUGH and _mostly_slow(taken)
        self.may_stay = many and not stamped
        self.drains += 1
        self.reads += len(reads)
        self.largest_drain = max(self.largest_drain, len(reads))

    def _taken(self, within_s: float) -> list[_Read]:
        """Read every ready socket once: one loop without a call of ours in it, as the next socket waits for its read."""
        sockets, monotonic_ns = self._sockets, self._monotonic_ns
        taken: list[_Read] = []
        for fd in self._poller.ready(within_s):
            watched = sockets.get(fd)
            if watched is None:
                continue
            failed = None
            try:
                data, ancillary, _, _ = watched.recvmsg(READ_BYTES, ANCILLARY_BYTES)
            except (BlockingIOError, InterruptedError):
                continue
            except OSError as error:
                # The traceback holds this frame, which holds the error: a circle.
                data, ancillary, failed = b"", [], error.with_traceback(None)
            now_ns = monotonic_ns()
            taken.append((watched.on_read, data, failed, ancillary, watched.empty_since_ns, now_ns))
            if len(data) < READ_BYTES:
                watched.empty_since_ns = now_ns
        return taken


def _mostly_slow(taken: list[_Read]) -> bool:
    """Tell whether few of these sockets were read within `QUICK_NS` before."""
    return 8 * sum(now_ns - earliest_ns < QUICK_NS for *_, earliest_ns, now_ns in taken) <= len(taken)


def _arrived_ns(read: _Stamped) -> int:
    return read[0].t_ns
