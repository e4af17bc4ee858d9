"""When bytes arrived: kernel receive stamps turned into monotonic nanoseconds.

Linux (4.14 and later, commit 98aaa913b4ed) stamps TCP data as it arrives; ``recvmsg`` hands over the arrival of
the last segment it returns. So a stamp does not depend on how busy this process is. The stamps are
``CLOCK_REALTIME``; every drain samples its offset to ``CLOCK_MONOTONIC``. A stamp is believed only if the offset has
not jumped since the drain before, and if it lies between the socket's previous read and now. Otherwise the read's
own time counts, and the row says so: a stepped clock can move a stamp by no more than `SLACK_NS`.
"""

import socket
import struct
import sys
import time
from dataclasses import dataclass

SO_TIMESTAMPNS = 35
"""asm-generic/socket.h; the same on x86-64, arm64, riscv64 (64-bit time_t)."""

_TIMESPEC = struct.Struct("@ll")
ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size) if hasattr(socket, "CMSG_SPACE") else 0

SLACK_NS = 1_000_000
"""How far a believed stamp may lie outside its window: far above the slew between two samples of the offset
(33 us in 6 s was seen), far below any step that matters."""

KERNEL = "k"
USER = "u"


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a read's last byte arrived (monotonic ns), and who says so: `KERNEL` or `USER`."""

    t_ns: int
    stamp: str


def enable(sock: socket.socket) -> bool:
    """Ask the kernel to stamp what ``sock`` receives; return False where it cannot."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    except OSError:
        return False
    return True


def realtime_offset_ns() -> int:
    """Return ``CLOCK_REALTIME`` minus ``CLOCK_MONOTONIC`` now, from one bracketed reading."""
    before = time.monotonic_ns()
    wall = time.time_ns()
    return wall - (before + time.monotonic_ns()) // 2


def stamp_of(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    """Return the realtime nanoseconds in a message's control data, or None if there are none."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
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
        if earliest_ns - SLACK_NS <= t_ns <= now_ns + SLACK_NS:
            return Arrival(min(max(t_ns, earliest_ns), now_ns), KERNEL)
    return Arrival(now_ns, USER)


def probe() -> str:
    """Return `KERNEL` if a loopback round trip comes back with a believable kernel stamp, else `USER`."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as sender:
            sender.connect(listener.getsockname())
            receiver, _ = listener.accept()
            with receiver:
                return _probe_pair(sender, receiver)
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
