"""Control over a race: orders from the user, a signal or the plan go to the lanes, and are recorded as they go.

No order is waited for here: a lane that does not take one must not keep the next from being heard. An order carries its
instant, so what it means does not depend on when a lane reads it.
"""

import time
from typing import Literal

import trio

from racelog.clock import NS_PER_S
from racelog.events import Control
from racelog_recorder.conductor.child import Child
from racelog_recorder.journal.journal import Journal
from racelog_recorder.protocol.messages import Order

By = Literal["plan", "user", "signal"]

STOP_GRACE_S = 5.0
"""What is open when a race is stopped may go on so long: enough for most answers, and with the sealing within the 10 s
that service managers give a process before they kill it."""

START_LEAD_S = 0.1
"""The start is agreed this long ahead, so that the order to go reaches every lane before it."""

ELIMINATED = "eliminated"
RESTARTED = "restarted"
"""Why a race was stopped that another one of the same plan follows."""


class RaceControl:
    """Gives the lanes their orders. Before `begin` there are no lanes, and only a stop has an effect."""

    def __init__(self, grace_s: float) -> None:
        self.stopped = trio.Event()
        self.over = False
        self.eliminated: dict[int, str] = {}
        self._grace_s = min(grace_s, STOP_GRACE_S)
        self._stops = 0
        self._resumed = trio.Event()
        self._resumed.set()
        self._lanes: dict[int, Child] = {}
        self._racing: set[int] = set()
        self._journal: Journal | None = None
        self._nursery: trio.Nursery | None = None

    @property
    def paused(self) -> bool:
        """True from a pause to its end."""
        return not self._resumed.is_set()

    @property
    def stops(self) -> int:
        """How often the race was told to stop."""
        return self._stops

    def begin(self, journal: Journal, nursery: trio.Nursery) -> None:
        """Record to ``journal`` and send from ``nursery`` from now on."""
        self._journal, self._nursery = journal, nursery

    def end(self) -> None:
        """Send no more orders: every lane's process has ended. That the race was told to stop can still be asked."""
        self.over = True
        self._nursery = None

    def add(self, lane: int, child: Child) -> None:
        """Take a lane that starts; one that starts after a stop has missed it, and is told."""
        self._lanes[lane] = child
        if self.stopped.is_set():
            self._send(child, self._stop_order("stopped"))

    def ended(self, lane: int) -> None:
        """Forget a lane whose process has ended."""
        self._racing.discard(lane)

    async def wait_resumed(self) -> None:
        """Return when the race is not paused; a stop ends a pause."""
        await self._resumed.wait()

    async def go(self, lanes: list[int], *, together: bool) -> None:
        """Start ``lanes`` at one agreed instant; recorded for all when they are the whole grid."""
        at_ns = time.monotonic_ns() + round(START_LEAD_S * NS_PER_S)
        self._racing.update(lanes)
        for lane in lanes:
            await self._lanes[lane].order(Order(do="go", at_ns=at_ns))
        for named in [None] if together else lanes:
            self._record("go", at_ns, "plan", lane=named)

    def pause(self, by: By = "user") -> bool:
        """Let no lane send another request; return whether that was new."""
        if self.paused or self.stopped.is_set():
            return False
        self._resumed = trio.Event()
        self._order_all("pause", by)
        return True

    def resume(self, by: By = "user") -> bool:
        """Go on after a pause; return whether there was one."""
        if not self.paused:
            return False
        self._resumed.set()
        self._order_all("resume", by)
        return True

    def stop(self, by: By = "user", reason: str = "") -> int:
        """Stop the race, more firmly each time; return which time it was.

        At first nothing more is sent and what is open may finish for a while; then that is cancelled; then the lanes'
        processes are killed.
        """
        self._stops += 1
        self.stopped.set()
        self._resumed.set()
        if self._stops == 1:
            at_ns = self._record("stop", time.monotonic_ns(), by, reason=reason)
            for child in self._lanes.values():
                self._send(child, self._stop_order(reason, at_ns))
        elif self._stops == 2:  # noqa: PLR2004 - the second of three steps
            self._order_all("cancel", by, everyone=True)
        else:
            for child in self._lanes.values():
                child.kill()
        return self._stops

    def end_now(self, reason: str, by: By = "user") -> None:
        """Stop the race without the grace for what is open, as far as that has not been done."""
        if self._stops == 1:
            self.stop(by)
        elif not self._stops:
            self._grace_s = 0.0  # in the same order: two could overtake each other
            self.stop(by, reason)
            self._record("cancel", time.monotonic_ns(), by)
            self._stops = 2

    def eliminate(self, lane: int, by: By = "user", reason: str = "") -> bool:
        """Take one lane out of the race, also one that has yet to start; return whether that was new."""
        if lane in self.eliminated or self.stopped.is_set():
            return False
        self.eliminated[lane] = f"{ELIMINATED}: {reason}" if reason else ELIMINATED
        at_ns = self._record("eliminate", time.monotonic_ns(), by, lane=lane, reason=reason)
        if lane in self._lanes:
            self._send(self._lanes[lane], self._stop_order(self.eliminated[lane], at_ns))
        return True

    def _stop_order(self, reason: str, at_ns: int = 0) -> Order:
        return Order(do="stop", at_ns=at_ns, grace_s=self._grace_s, reason=reason)

    def _order_all(
        self, what: Literal["pause", "resume", "cancel"], by: By, *, everyone: bool = False
    ) -> None:
        at_ns = self._record(what, time.monotonic_ns(), by)
        for lane, child in self._lanes.items():
            if everyone or lane in self._racing:
                self._send(child, Order(do=what, at_ns=at_ns))

    def _send(self, child: Child, order: Order) -> None:
        if self._nursery is not None:
            self._nursery.start_soon(child.order, order)

    def _record(
        self,
        what: Literal["go", "pause", "resume", "stop", "cancel", "eliminate"],
        at_ns: int,
        by: By,
        *,
        lane: int | None = None,
        reason: str = "",
    ) -> int:
        if self._journal is not None:
            t_ns = self._journal.since_origin(at_ns)
            self._journal.record(Control(t=t_ns, what=what, lane=lane, by=by, reason=reason))
        return at_ns
