"""Time: monotonic nanoseconds, and what ties them to the calendar.

Every event time is nanoseconds of ``CLOCK_MONOTONIC`` since the race's origin. Wall time is derived from an
anchor, so a step of the system clock can neither reorder nor stretch a race.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


class Clock(Protocol):
    """A source of monotonic nanoseconds; the real one is `MonotonicClock`."""

    def now_ns(self) -> int:
        """Return nanoseconds that never go backwards."""
        ...


class MonotonicClock:
    """The machine's ``CLOCK_MONOTONIC``, shared by all processes of one host."""

    def now_ns(self) -> int:
        """Return nanoseconds since an arbitrary instant, usually boot."""
        return time.monotonic_ns()


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Three clocks read together, to tie monotonic time to wall time."""

    mono_ns: int
    wall_ns: int
    boot_ns: int | None


def read_clocks() -> ClockReading:
    """Read the monotonic, wall and boot clocks as one instant.

    The wall clock is read between two monotonic readings and matched with their midpoint; of five tries the
    tightest is kept, so the pairing is off by well under a microsecond on an idle machine.
    """
    best: tuple[int, ClockReading] | None = None
    for _ in range(5):
        before = time.monotonic_ns()
        wall = time.time_ns()
        after = time.monotonic_ns()
        boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else None
        if best is None or after - before < best[0]:
            best = (after - before, ClockReading((before + after) // 2, wall, boot))
    assert best is not None
    return best[1]


def rfc3339(wall_ns: int) -> str:
    """Return a UTC timestamp like ``2026-11-21T01:30:00.123Z`` for nanoseconds since the Unix epoch."""
    moment = datetime.fromtimestamp(wall_ns / NS_PER_S, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
