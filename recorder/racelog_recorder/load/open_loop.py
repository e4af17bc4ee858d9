"""The open loop: every request goes out when the schedule says, whatever is open already.

One task follows the schedule. A little ahead of its time a request is made ready - its bytes, its connection - and is
then held; when it is due it only has to be handed to the kernel. What `max_open` keeps back is recorded when it is due
and sent when there is room: the wait between the two is part of the result.
"""

from collections import deque
from collections.abc import Iterator

import trio

from racelog.events import RequestEnd, RequestScheduled
from racelog_recorder.journal.journal import Journal
from racelog_recorder.plan.arrivals import OpenLoop, due_ns
from racelog_recorder.protocol.messages import LaneSpec
from racelog_recorder.requests.due import Due
from racelog_recorder.requests.request import Requester
from racelog_recorder.timing.alarm import Alarm
from racelog_recorder.timing.raceclock import RaceClock

LEAD_NS = 5_000_000
"""How far ahead a request is made ready: building it and opening a connection on a local network take 0.3 to 3 ms."""

SOONER_NS = 5_000_000
"""One that would have to be made ready so soon after another is sent is made ready with that: at 500 requests a second
it saves a turn of the event loop for nearly each of them."""

NEVER_SENT = "the race ended while it waited for room (max_open)"
TOO_LATE = "its time was up (duration) while it waited for room (max_open); it was never sent"


class _Turn:
    """One request and its place in the schedule; ``ahead``: it may be made ready before it is due."""

    def __init__(self, number: int, prompt: int, elapsed_ns: int) -> None:
        self.number = number
        self.prompt = prompt
        self.elapsed_ns = elapsed_ns
        self.due = Due(0)
        self.scope: trio.CancelScope | None = None
        self.ahead = True
        self.come = trio.Event()


class OpenLoopRun:
    """Sends a lane's requests by the schedule until it ends, the time is up or `halt` is called."""

    def __init__(
        self, spec: LaneSpec, load: OpenLoop, requester: Requester, journal: Journal, clock: RaceClock
    ) -> None:
        self._spec = spec
        self._requester = requester
        self._journal = journal
        self._clock = clock
        self._sending = trio.CancelScope()
        self._max_open = load.max_open
        self._open = 0
        self._turns = _turns(spec, load)
        self._ready: deque[_Turn] = deque()
        self._waiting: deque[_Turn] = deque()
        self._requests: trio.Nursery | None = None
        self._over = False

    def halt(self) -> None:
        """Send nothing more; what is open goes on."""
        self._sending.cancel()

    def pause(self) -> None:
        """Let go of what was made ready: a server may drop a connection on which nothing comes for too long."""
        for turn in self._ready:
            turn.ahead = False
            if turn.scope is not None:
                turn.scope.cancel()
                turn.scope = None

    async def run(self) -> None:
        """Race; return when the last request has ended."""
        try:
            async with trio.open_nursery() as beside:
                beside.start_soon(self._close_in_time)
                async with trio.open_nursery() as self._requests:
                    with self._sending, Alarm() as alarm:
                        await self._follow_the_schedule(alarm)
                    if self._sending.cancelled_caught:
                        self._withdraw()
                beside.cancel_scope.cancel()
        finally:
            self._withdraw()

    async def _close_in_time(self) -> None:
        """Let nothing that waits for room be sent after the duration: it would be load beyond what was asked for."""
        if (duration_ns := self._spec.traffic.duration_ns) is not None:
            await self._clock.wait_until(duration_ns)
            self._over = True
            self._give_up(TOO_LATE)

    async def _follow_the_schedule(self, alarm: Alarm) -> None:
        """Make each request ready ahead of its time, and release it when that has come."""
        coming = next(self._turns, None)
        while coming or self._ready:
            ready_ns = coming.elapsed_ns - LEAD_NS if coming else None
            if self._ready and (ready_ns is None or self._ready[0].elapsed_ns <= ready_ns):
                await self._clock.wait_until(self._ready[0].elapsed_ns, alarm.wait_until)
                released = self._ready.popleft()
                self._release(released)
                if coming and coming.elapsed_ns <= released.elapsed_ns + LEAD_NS + SOONER_NS:
                    self._prepare(coming)
                    coming = next(self._turns, None)
            elif coming is not None:
                await self._clock.wait_until(coming.elapsed_ns - LEAD_NS, alarm.wait_until)
                self._prepare(coming)
                coming = next(self._turns, None)

    def _prepare(self, turn: _Turn) -> None:
        turn.due = Due(self._t_ns(turn), come=turn.come.wait)
        self._ready.append(turn)
        self._fill()

    def _release(self, turn: _Turn) -> None:
        """The request's time has come: let it go, or let it wait for room, on record."""
        turn.due.t_ns = self._t_ns(turn)
        turn.come.set()
        if turn.scope is not None:
            return
        if self._room and not self._waiting:
            self._start(turn)
            return
        turn.due.recorded = True
        self._journal.record(
            RequestScheduled(t=turn.due.t_ns, lane=self._spec.lane, req=turn.number, prompt=turn.prompt)
        )
        self._waiting.append(turn)
        if self._over:
            self._give_up(TOO_LATE)

    @property
    def _room(self) -> bool:
        return self._max_open is None or self._open < self._max_open

    def _fill(self) -> None:
        """Give room to those that are due and wait for it, then to those that are not due yet; earlier ones first."""
        while self._waiting and self._room:
            self._start(self._waiting.popleft())
        for turn in self._ready:
            if self._room and turn.ahead and turn.scope is None:
                self._start(turn)

    def _start(self, turn: _Turn) -> None:
        assert self._requests is not None
        self._open += 1
        turn.scope = trio.CancelScope()
        self._requests.start_soon(self._run_one, turn, turn.scope)

    async def _run_one(self, turn: _Turn, scope: trio.CancelScope) -> None:
        try:
            with scope:
                await self._requester.request(turn.number, turn.prompt, "race", turn.due)
        finally:
            self._open -= 1
        self._fill()

    def _withdraw(self) -> None:
        """Forget what was made ready and never came due; record that what waited for room was never sent."""
        while self._ready:
            if (scope := self._ready.popleft().scope) is not None:
                scope.cancel()
        self._give_up(NEVER_SENT)

    def _give_up(self, why: str) -> None:
        """Record that what waits for room was never sent."""
        while self._waiting:
            turn = self._waiting.popleft()
            t_ns = max(self._journal.now_ns(), turn.due.t_ns)
            self._journal.record(
                RequestEnd(t=t_ns, lane=self._spec.lane, req=turn.number, status="cancelled", message=why)
            )

    def _t_ns(self, turn: _Turn) -> int:
        return self._journal.since_origin(self._clock.mono_ns(turn.elapsed_ns))


def _turns(spec: LaneSpec, load: OpenLoop) -> Iterator[_Turn]:
    """Yield the requests of a race in order: ``requests`` of them, or all that are due before the time is up."""
    requests, duration_ns = spec.traffic.requests, spec.traffic.duration_ns
    for number, elapsed_ns in enumerate(due_ns(load, spec.traffic.seed)):
        if requests is not None and number >= requests:
            return
        if duration_ns is not None and elapsed_ns >= duration_ns:
            return
        yield _Turn(number, spec.order[number % len(spec.order)], elapsed_ns)
