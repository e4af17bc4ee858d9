"""The drain loop: look which sockets are ready, read them, and only then let anything be parsed.

Looking is cheap, reading dear and parsing dearer, and each is put off for the one before. A look tells when bytes came, where
the kernel does not stamp them (`stamps`). Reading soon keeps the time between two reads of one stream short, so that one
read rarely holds two messages, which share a stamp. What is ready and not read yet, or read and not parsed yet, is held.
"""

import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import trio

from racelog.clock import NS_PER_S
from racelog_recorder.transports.pump.poller import BYTES, READY_AT_ONCE, Poller, new_poller
from racelog_recorder.transports.pump.stamps import (
    ANCILLARY_BYTES,
    KERNEL,
    USER,
    Arrival,
    OffsetWatch,
    arrival,
    is_enabled,
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

AT_ONCE = 8
"""Where there are no kernel stamps, so many sockets are read between two looks, or so many reads handed on: 50 us, by
which whatever comes meanwhile is stamped late, and by which at most a stamp is early (`Pump.drain`)."""

STAMPED_AT_ONCE = 64
"""Reads handed on between two looks where there are: half a millisecond. Whoever was kept from the core for 15 ms has
750 reads of 1,000 streams to parse, which takes longer than the gap to each stream's next message."""

STAY_NS = 1_000_000
"""With `MANY` sockets of which some have no kernel stamps, a drain stays in its own loop so long: it waits for the next
bytes there, reads them when they come and parses them, as a client in C does. A turn of the event loop between each two
reads would make what comes meanwhile 50 us late, and cost more than all else. The loop's other tasks have their turn
that much later, as after a rest."""

LOOKS = 8
"""Looks before the event loop has its turn again: requests that ended wait in it."""

LARGE_BYTES = 16 * 1024
LONG_NS = 50_000_000
"""After a read that is no token's, or a part of what one unfolds into, so much time is the end of a drain: deadlines, the journal
and a Ctrl+C wait in the event loop."""

LATEST_NS = 500_000_000
"""Nothing more is read while something held arrived longer ago. A core that is stolen for a tenth of a second makes 5,000
reads wait, and they are parsed within the next second; who stays behind is to be seen to be, and memory has a bound."""

OnRead = Callable[[bytes, Arrival, OSError | None], None]
"""Takes what one read gave: bytes (empty: the peer closed), when they arrived, and an error instead of either; or, for `Pump.again`,
that its turn has come."""


_Ancillary = list[tuple[int, int, bytes]]
_Read = tuple["_Socket", bytes, OSError | None, _Ancillary, int, int]
"""The socket, bytes, error, control data, earliest possible arrival, when the read returned."""

_Held = tuple[Arrival, bytes, OSError | None, OnRead]


@dataclass(slots=True)
class _Socket:
    """A watched socket, who takes its bytes, and an instant at which it was empty (or not watched yet).

    That instant is taken before the read that emptied it: bytes may come between a read and the next reading of the
    clock, and a process that is stopped there would take them for older than they can be.
    """

    sock: socket.socket
    on_read: OnRead
    stamped: bool
    empty_ns: int


class Pump:
    """Drains sockets for as long as `run` runs; sockets come and go with `watch` and `unwatch`.

    ``drains`` counts the looks that found something, ``reads`` the sockets they found, ``largest_drain`` the most at once, as
    evidence that it kept up; ``may_rest`` says that what comes next can wait for `REST_S`, ``may_stay`` that it must not even
    wait for a turn of the loop. The clocks are `CLOCK_MONOTONIC` and what `CLOCK_REALTIME` is ahead of it, in nanoseconds.
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
        self._ready: dict[int, int] = {}
        self._ended: set[int] = set()
        self._held: deque[_Held] = deque()
        self._unstamped = 0
        self._believed = True
        self._long_ns = 0
        self.may_rest = False
        self.may_stay = False
        self.drains = 0
        self.reads = 0
        self.largest_drain = 0

    def watch(self, sock: socket.socket, on_read: OnRead) -> None:
        """Call ``on_read`` with everything that arrives on the non-blocking ``sock`` from now on."""
        stamped = is_enabled(sock)
        self._sockets[sock.fileno()] = _Socket(sock, on_read, stamped, self._monotonic_ns())
        self._unstamped += not stamped
        self._poller.add(sock.fileno())

    def unwatch(self, sock: socket.socket) -> None:
        """Stop reading from ``sock``; call before closing it. Harmless when it is not watched."""
        fd = sock.fileno()
        if (watched := self._sockets.pop(fd, None)) is not None:
            self._unstamped -= not watched.stamped
            self._poller.remove(fd)
            self._ready.pop(fd, None)
            self._ended.discard(fd)

    def again(self, when: Arrival, on_read: OnRead) -> None:
        """Call ``on_read`` once more, without bytes, before anything else that is held, but after the loop's turn if it is late."""
        self._held.appendleft((when, b"", None, on_read))

    @trio.lowlevel.enable_ki_protection
    async def run(self) -> None:
        """Drain until cancelled. A Ctrl+C comes elsewhere: in the middle of a parser's callback it would be lost as the parser's error."""
        try:
            with kept_on():
                while True:
                    if self._held or self._ready:
                        await trio.lowlevel.checkpoint()
                    elif self.may_rest:
                        await trio.sleep(REST_S)
                    else:
                        await self._poller.wait()
                    self.drain()
        finally:
            self._sockets.clear()  # so that a later unwatch does not touch the closed poller
            self._poller.close()

    @property
    def _stamped(self) -> bool:
        """Whether all that is read now is stamped by the kernel, as far as can be known."""
        return self._believed and not self._unstamped

    def drain(self) -> None:
        """Read what is ready and hand it on, in arrival order; look again while there is more.

        After `LOOKS` looks the rest is held until the next call. One that may stay looks and waits for `STAY_NS`.

        Where the kernel does not stamp, bytes came when the last look showed something of their socket. If more of them
        came between that look and the read, their stamp is early, by the time that `AT_ONCE` reads take at most.
        """
        ready, held, leave_ns = self._ready, self._held, self._monotonic_ns() + STAY_NS
        looks, self._long_ns = 0, leave_ns + LONG_NS
        while True:
            self._look(STAY_NS / NS_PER_S if self.may_stay and not (ready or held) else 0.0)
            behind = bool(held) and self._monotonic_ns() - held[0][0].t_ns >= LATEST_NS
            if not behind:
                self._read(READY_AT_ONCE if self._stamped else AT_ONCE)
            late = False
            if behind or self._stamped or not ready:
                late = self._hand_on(STAMPED_AT_ONCE if self._stamped else AT_ONCE)
            looks += 1
            if late:
                return
            if self._monotonic_ns() >= leave_ns if self.may_stay else not (ready or held) or looks >= LOOKS:
                return

    def _hand_on(self, at_most: int) -> bool:
        """Give the earliest reads to who takes them; return True, and leave the rest, if one was large and it is late."""
        held = self._held
        for _ in range(min(len(held), at_most)):
            when, data, error, on_read = held.popleft()
            on_read(data, when, error)
            if (len(data) >= LARGE_BYTES or not data) and self._monotonic_ns() >= self._long_ns:
                return True
        return False

    def _look(self, within_s: float) -> None:
        """Note what can be read, and when that was seen."""
        found = self._poller.ready(within_s)
        if not found:
            return
        seen_ns, ready = self._monotonic_ns(), self._ready
        for fd, event in found:
            ready[fd] = seen_ns
            if event != BYTES:
                self._ended.add(fd)
        self.drains += 1
        self.reads += len(found)
        self.largest_drain = max(self.largest_drain, len(found))

    def _read(self, at_most: int) -> None:
        """Read each of the first ready sockets once; hold what was read with its arrival, in that order.

        One loop without a call of ours in it, as the next socket waits for its read.
        """
        sockets, ready, held, monotonic_ns = self._sockets, self._ready, self._held, self._monotonic_ns
        taken: list[_Read] = []
        others = False
        ancillary: _Ancillary
        before_ns = monotonic_ns()
        for fd in list(islice(ready, at_most)):
            seen_ns, watched, failed = ready.pop(fd), sockets[fd], None
            try:
                if watched.stamped:
                    data, ancillary, _, _ = watched.sock.recvmsg(READ_BYTES, ANCILLARY_BYTES)
                else:
                    data = watched.sock.recv(READ_BYTES)
            except (BlockingIOError, InterruptedError):
                continue
            except OSError as error:
                # The traceback holds this frame, which holds the error: a circle.
                data, ancillary, failed = b"", [], error.with_traceback(None)
            now_ns = monotonic_ns()
            if watched.stamped:
                taken.append((watched, data, failed, ancillary, watched.empty_ns, now_ns))
            else:
                held.append((Arrival(seen_ns, USER), data, failed, watched.on_read))
                others = True
            if len(data) < READ_BYTES:
                watched.empty_ns = before_ns
            if data and (len(data) == READ_BYTES or fd in self._ended):
                ready[fd] = now_ns
            before_ns = now_ns
        if taken:
            self._believed = self._hold(taken)
        many, stamped = len(self._sockets) >= MANY, self._stamped
        self.may_rest = stamped and many and 0 < len(taken) < ENOUGH and _mostly_slow(taken)
        self.may_stay = not stamped and many and bool(taken or others)

    def _hold(self, taken: list[_Read]) -> bool:
        """Hold reads of sockets that the kernel is to stamp; return True if it stamped them all."""
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
                watched.on_read,
            )
            for watched, data, error, ancillary, earliest_ns, now_ns in taken
        ]
        if len(reads) > 1:
            reads.sort(key=_arrived_ns)
        self._held += reads
        return all(read[0].stamp == KERNEL for read in reads)


def _mostly_slow(taken: list[_Read]) -> bool:
    """Tell whether few of these sockets were read within `QUICK_NS` before."""
    return 8 * sum(now_ns - earliest_ns < QUICK_NS for *_, earliest_ns, now_ns in taken) <= len(taken)


def _arrived_ns(read: _Held) -> int:
    return read[0].t_ns
