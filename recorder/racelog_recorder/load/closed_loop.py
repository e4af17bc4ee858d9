"""The closed loop: so many requests open at once, the next when one has ended."""

import trio

from racelog_recorder.protocol.messages import LaneSpec
from racelog_recorder.requests.request import Requester
from racelog_recorder.timing.raceclock import RaceClock

UNREACHABLE = frozenset({"dns", "client_limit", "refused", "connect", "connect_timeout", "tls"})
BACKOFF_S = 0.05
BACKOFF_MAX_S = 2.0
"""Waits after requests that found no server: without them a dead engine fails thousands of requests a second, and
the log is full of one fact."""


class ClosedLoop:
    """Keeps ``concurrency`` requests of a lane open until they are all sent, the time is up or `halt` is called."""

    def __init__(self, spec: LaneSpec, requester: Requester, clock: RaceClock) -> None:
        self._traffic = spec.traffic
        self._order = spec.order
        self._requester = requester
        self._clock = clock
        self._halted = trio.Event()
        self._next = 0

    def halt(self) -> None:
        """Send nothing more; what is open goes on. A paused clock must be resumed for it to take effect."""
        self._halted.set()

    def pause(self) -> None:
        """Nothing is made ready ahead here; the clock keeps what follows from being sent."""

    async def run(self) -> None:
        """Race; return when the last request has ended."""
        streams = self._traffic.concurrency
        async with trio.open_nursery() as workers:
            for _ in range(min(streams, self._traffic.requests or streams)):
                workers.start_soon(self._work)

    async def _work(self) -> None:
        """Send one request after another, backing off from an engine that cannot be reached."""
        order, unreachable = self._order, 0
        while await self._may_send():
            number = self._next
            self._next += 1
            error = await self._requester.request(number, order[number % len(order)], "race")
            unreachable = unreachable + 1 if error in UNREACHABLE else 0
            if unreachable:
                with trio.move_on_after(min(BACKOFF_MAX_S, BACKOFF_S * 2 ** min(unreachable, 16))):
                    await self._halted.wait()

    async def _may_send(self) -> bool:
        """Return whether there is another request to send, as soon as the race is not paused."""
        requests, duration_ns = self._traffic.requests, self._traffic.duration_ns
        await self._clock.wait_running()
        if self._halted.is_set() or (requests is not None and self._next >= requests):
            return False
        return duration_ns is None or self._clock.elapsed_ns() < duration_ns
