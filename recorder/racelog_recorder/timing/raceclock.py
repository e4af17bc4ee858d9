"""A lane's clock: it starts at the agreed instant, stands still while the race is paused, and wakes who waits for it."""

import time
from collections.abc import Awaitable, Callable

import trio

from racelog.clock import NS_PER_S

Sleep = Callable[[int], Awaitable[None]]
"""Returns at an instant of ``CLOCK_MONOTONIC`` or soon after; passes a checkpoint even when that is past."""


async def coarse_sleep(mono_ns: int) -> None:
    """Sleep as trio does, up to a millisecond too long; for what need not be on time (see `alarm`)."""
    await trio.sleep(max(0, mono_ns - time.monotonic_ns()) / NS_PER_S)


class RaceClock:
    """Counts the nanoseconds that a lane has raced. Orders carry their instant, so all lanes' clocks agree.

    ``mono_ns`` tells when the clock will show ``elapsed_ns``, as far as is known: a pause moves it.
    """

    def __init__(self) -> None:
        self._start_ns = 0
        self._paused_at_ns: int | None = None
        self._running = trio.Event()
        self._running.set()

    def start(self, at_ns: int) -> None:
        """Let the clock show 0 at ``at_ns`` of ``CLOCK_MONOTONIC``."""
        self._start_ns = at_ns

    def mono_ns(self, elapsed_ns: int) -> int:
        """Return the instant of ``CLOCK_MONOTONIC`` at which the clock shows ``elapsed_ns``."""
        return self._start_ns + elapsed_ns

    def elapsed_ns(self) -> int:
        """Return what the clock shows."""
        now_ns = time.monotonic_ns() if self._paused_at_ns is None else self._paused_at_ns
        return now_ns - self._start_ns

    def pause(self, at_ns: int) -> None:
        """Stand still from ``at_ns`` on; a second pause changes nothing."""
        if self._paused_at_ns is None:
            self._paused_at_ns = at_ns
            self._running = trio.Event()

    def resume(self, at_ns: int) -> None:
        """Go on from ``at_ns``, with what was still to come as much later as the pause was long."""
        if self._paused_at_ns is not None:
            self._start_ns += max(0, at_ns - self._paused_at_ns)
            self._paused_at_ns = None
            self._running.set()

    async def wait_running(self) -> None:
        """Return when the race is not paused; at once, without a checkpoint, if it is not."""
        while not self._running.is_set():
            await self._running.wait()

    async def wait_until(self, elapsed_ns: int, sleep: Sleep = coarse_sleep) -> None:
        """Return when the clock shows ``elapsed_ns``, however often it is stopped meanwhile; passes a checkpoint.

        What was due before a pause comes during it: a waiter that is late must not be made later.
        """
        while True:
            if not self._shown(elapsed_ns):
                await self.wait_running()
            at_ns = self.mono_ns(elapsed_ns)
            await sleep(at_ns)
            if self._shown(elapsed_ns) and self.mono_ns(elapsed_ns) == at_ns:
                return

    def _shown(self, elapsed_ns: int) -> bool:
        """Tell whether a pause, if there is one, began after ``elapsed_ns``."""
        return self._paused_at_ns is None or self.mono_ns(elapsed_ns) < self._paused_at_ns
