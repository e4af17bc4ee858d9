"""Waking at an instant of ``CLOCK_MONOTONIC``, to the scheduler's own precision, without holding up the loop.

trio hands its timeouts to epoll, which counts whole milliseconds and rounds up. A Linux timer as a file descriptor has no
such grain; where there is none, a timeout has to do.
"""

import time
from types import TracebackType
from typing import Self

import trio

from racelog.clock import NS_PER_S
from racelog_recorder.timing import timerfd


class Alarm:
    """Wakes one task at a time; use it as a context."""

    def __init__(self) -> None:
        self._timer: timerfd.Timer | None = None

    def __enter__(self) -> Self:
        try:
            self._timer = timerfd.Timer() if timerfd.available() else None
        except OSError:  # no descriptor is left: a millisecond late is better than no race
            self._timer = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.close()

    async def wait_until(self, mono_ns: int) -> None:
        """Return at ``mono_ns`` or as soon after it as the loop gets to it; at once, past a checkpoint, if it has passed."""
        remaining_ns = mono_ns - time.monotonic_ns()
        if self._timer is None or remaining_ns <= 0:
            await trio.sleep(max(0, remaining_ns) / NS_PER_S)
            return
        self._timer.set(mono_ns)
        try:
            await trio.lowlevel.wait_readable(self._timer.fd)
        finally:
            self._timer.clear()
