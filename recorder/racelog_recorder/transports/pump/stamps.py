"""When bytes arrived: kernel receive stamps turned into monotonic nanoseconds.

Linux (4.14 and later, commit 98aaa913b4ed) stamps TCP data as it arrives; ``recvmsg`` hands over the arrival of
the last segment it returns. So a stamp does not depend on how busy this process is. It stamps no unix sockets.

The stamps are ``CLOCK_REALTIME``; every drain samples its offset to ``CLOCK_MONOTONIC`` (`OffsetWatch`). A stamp is
believed only if the offset has not jumped since the socket was last known to be empty, and if it lies between that
instant and now. Otherwise the time counts at which the pump saw that there was something to read, or had read it, and the
row says so.

What a meddled clock can do: however it is slewed or stepped, no stamp leaves the interval between the socket's
previous read and this one, and a believed stamp is off by at most `SLACK_NS`. The one thing that samples cannot see
is a clock stepped away and back between two of them; then the interval alone holds.
"""

import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct

SO_TIMESTAMPNS = 35
"""asm-generic/socket.h; the same on x86-64, arm64, riscv64 (64-bit time_t)."""

_TIMESPEC = struct.Struct("@ll")
_TIMESPEC_BYTES = _TIMESPEC.size
_timespec_from = _TIMESPEC.unpack_from
_SOL_SOCKET = socket.SOL_SOCKET
ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC_BYTES) if hasattr(socket, "CMSG_SPACE") else 0

SLACK_NS = 1_000_000
"""How far a believed stamp may be moved by a stepped or slewed clock: far above the slew between two samples of the
offset (33 us in 6 s was seen; 500 ppm, the most that the kernel allows, takes 2 s to get there), far below any step
that matters."""

TIGHT_NS = 20_000
"""A reading of both clocks that took longer was interrupted, and is taken again."""

READINGS = 3

BEGIN_S = 0.05
"""Linux begins to stamp a little after the first socket of the machine asks for it (it patches its own code, from a
work queue: ``net_enable_timestamp`` in net/core/dev.c), and ends after the last one closes. 2 ms were seen."""

KERNEL = "k"
USER = "u"


class Arrival(Struct, frozen=True, gc=False):
    """When a read's last byte arrived (monotonic ns), and who says so: `KERNEL` or `USER`.

    ``more``: part of a further TLS record arrived with it, so the stamp may be that of later bytes.
    """

    t_ns: int
    stamp: str
    more: bool = False


class OffsetWatch:
    """Compares successive samples of the offset between the clocks; ``stepped_ns`` is when it was last seen to jump.

    A read of the next drain may bring bytes that came before this drain's sample, so each sample is held against
    the two before it.
    """

    def __init__(self) -> None:
        self._before: tuple[int, ...] = ()
        self.stepped_ns: int | None = None

    def sampled(self, offset_ns: int, now_ns: int) -> None:
        """Take the offset as it was at ``now_ns``."""
        if any(abs(offset_ns - before) > SLACK_NS for before in self._before):
            self._before, self.stepped_ns = (), now_ns
        self._before = (*self._before[-1:], offset_ns)

    def believes(self, empty_since_ns: int) -> bool:
        """Return True if bytes that came after ``empty_since_ns`` can have only the present offset in their stamps."""
        return self.stepped_ns is None or empty_since_ns > self.stepped_ns


def enable(sock: socket.socket) -> bool:
    """Ask the kernel to stamp what ``sock`` receives; return False where it cannot.

    Linux takes the option on a unix socket and stamps nothing: its rows are stamped by the read.
    """
    if not _can_be_stamped(sock):
        return False
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    except OSError:
        return False
    return True


def is_enabled(sock: socket.socket) -> bool:
    """Return True if the kernel was asked to stamp what ``sock`` receives."""
    return _can_be_stamped(sock) and bool(sock.getsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS))


def disable(sock: socket.socket) -> None:
    """Ask the kernel to stamp nothing more that ``sock`` receives; its rows are stamped by the read."""
    if _can_be_stamped(sock):
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 0)


def _can_be_stamped(sock: socket.socket) -> bool:
    return sys.platform.startswith("linux") and sock.family in (socket.AF_INET, socket.AF_INET6)


@contextmanager
def kept_on() -> Iterator[None]:
    """Keep the kernel stamping while the block runs, so that not even a first connection comes before it begins."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as idle:
        enable(idle)
        yield


def realtime_offset_ns(
    monotonic_ns: Callable[[], int] = time.monotonic_ns, realtime_ns: Callable[[], int] = time.time_ns
) -> int:
    """Return ``CLOCK_REALTIME`` minus ``CLOCK_MONOTONIC`` now, from the tightest of a few bracketed readings.

    Right to half the bracket: below a microsecond, unless this process was put aside in the middle of each reading.
    """
    tightest_ns = best_ns = 0
    for reading in range(READINGS):
        before = monotonic_ns()
        wall = realtime_ns()
        after = monotonic_ns()
        if reading == 0 or after - before < tightest_ns:
            tightest_ns, best_ns = after - before, wall - (before + after) // 2
        if tightest_ns <= TIGHT_NS:
            break
    return best_ns


def stamp_of(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    """Return the realtime nanoseconds in a message's control data, or None if there are none."""
    for level, kind, data in ancillary:
        if kind == SO_TIMESTAMPNS and level == _SOL_SOCKET and len(data) >= _TIMESPEC_BYTES:
            seconds: int
            nanoseconds: int
            seconds, nanoseconds = _timespec_from(data)
            return seconds * 1_000_000_000 + nanoseconds
    return None


def arrival(realtime_ns: int | None, offset_ns: int, earliest_ns: int, now_ns: int) -> Arrival:
    """Return the arrival that a kernel stamp proves, or the read's own time when it proves none.

    Args:
        realtime_ns: the kernel's stamp, if there was one.
        offset_ns: realtime minus monotonic, sampled at this drain.
        earliest_ns: when this socket was last known to be empty.
        now_ns: when the read returned.
    """
    if realtime_ns is not None:
        t_ns = realtime_ns - offset_ns
        if earliest_ns <= t_ns <= now_ns:
            return Arrival(t_ns, KERNEL)
        if earliest_ns - SLACK_NS <= t_ns <= now_ns + SLACK_NS:
            return Arrival(earliest_ns if t_ns < earliest_ns else now_ns, KERNEL)
    return Arrival(now_ns, USER)


def probe() -> str:
    """Return `KERNEL` if a loopback round trip comes back with a believable kernel stamp, else `USER`.

    Cost: 0.2 ms; `BEGIN_S` where the answer is `USER`.
    """
    until_s = time.monotonic() + BEGIN_S
    try:
        with kept_on(), socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as sender:
            sender.connect(listener.getsockname())
            receiver, _ = listener.accept()
            with receiver:
                while (stamp := _probe_pair(sender, receiver)) == USER and time.monotonic() < until_s:
                    time.sleep(BEGIN_S / 50)
                return stamp
    except OSError:
        return USER


def _probe_pair(sender: socket.socket, receiver: socket.socket) -> str:
    if not enable(receiver):
        return USER
    receiver.settimeout(1)
    before_ns = time.monotonic_ns()
    sender.sendall(b"?")
    _, ancillary, _, _ = receiver.recvmsg(1, ANCILLARY_BYTES)
    return arrival(stamp_of(ancillary), realtime_offset_ns(), before_ns, time.monotonic_ns()).stamp
