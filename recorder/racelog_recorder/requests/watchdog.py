"""Which step of a request took too long.

`Stopwatch` is plain arithmetic over instants that it is told; `Watchdog` is the one task of a lane that sleeps until the
next deadline of any request could be broken. A token costs neither of them anything: the sink counts it and keeps its
arrival, and a deadline that falls due looks there first.
"""

import heapq
import math
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

import trio

from racelog.clock import NS_PER_S
from racelog.display.text import counted
from racelog_recorder.plan.deadlines import Deadlines


class Arrivals(Protocol):
    """Where tokens are counted: how many chunks with tokens came, and when the last did (monotonic ns)."""

    @property
    def token_chunks(self) -> int:
        """Token chunks so far."""
        ...

    @property
    def last_token_ns(self) -> int:
        """Arrival of the last of them on ``CLOCK_MONOTONIC``; meaningless before the first."""
        ...


class Stopwatch:
    """One request's steps in trio seconds; `overdue` says which deadline is broken, if one is."""

    def __init__(self, deadlines: Deadlines, arrivals: Arrivals, now_s: float) -> None:
        self._deadlines = deadlines
        self._arrivals = arrivals
        self._shortest_s = min(deadlines.headers_s, deadlines.first_token_s, deadlines.between_tokens_s)
        self._began_s = now_s
        self._sent_s: float | None = None
        self._headers = False
        self._seen_chunks = 0
        self._last_token_s = 0.0

    def begin(self, now_s: float) -> None:
        """Count the whole from here: a request that is held back until it is due has not begun."""
        self._began_s = now_s

    def sent(self, now_s: float) -> None:
        """The request was handed to the kernel; again, if it had to be sent again."""
        self._sent_s = now_s

    def headers(self) -> None:
        """The status line is in."""
        self._headers = True

    def ends_s(self, now_s: float) -> float:
        """Return when the first of the deadlines that run now is broken, unless a step is taken before."""
        return min(at_s for at_s, _, _ in self._limits(now_s))

    def due_s(self, now_s: float) -> float:
        """Return when to look again: no deadline is broken before, not even of a step that has yet to begin."""
        return min(now_s + self._shortest_s, self.ends_s(now_s))

    def overdue(self, now_s: float) -> tuple[str, str] | None:
        """Return the (error kind, message) of the deadline that was broken first by ``now_s``, or None."""
        at_s, kind, message = min(self._limits(now_s))
        return (kind, message) if at_s <= now_s else None

    def _limits(self, now_s: float) -> list[tuple[float, str, str]]:
        """Return (instant, kind, message) of the deadlines that run: of the whole, and of the present step."""
        limits, chunks = self._deadlines, self._arrivals.token_chunks
        total = (
            self._began_s + limits.total_s,
            "timeout",
            f"no end within {limits.total_s:g} s (deadlines.total), after {counted(chunks, 'token chunk')}",
        )
        if self._sent_s is None:  # connecting is the transport's to limit
            return [total]
        if chunks:
            at_s = self._last_token(chunks, now_s) + limits.between_tokens_s
            message = f"no token for {limits.between_tokens_s:g} s (deadlines.between_tokens), after {counted(chunks, 'token chunk')}"
            return [total, (at_s, "stalled", message)]
        first = (
            self._sent_s + limits.first_token_s,
            "first_token_timeout",
            f"no token within {limits.first_token_s:g} s (deadlines.first_token)",
        )
        status = (
            self._sent_s + limits.headers_s,
            "headers_timeout",
            f"no status line within {limits.headers_s:g} s (deadlines.headers)",
        )
        return [total, first] if self._headers else [total, status]

    def _last_token(self, chunks: int, now_s: float) -> float:
        """Return when the last token chunk came; its age is taken from its stamp once, when it is news."""
        if chunks != self._seen_chunks:
            age_ns = max(0, time.monotonic_ns() - self._arrivals.last_token_ns)
            self._seen_chunks, self._last_token_s = chunks, now_s - age_ns / NS_PER_S
        return self._last_token_s


Expired = Callable[[tuple[str, str]], None]
"""Takes the (error kind, message) of a broken deadline."""


FEW = 64
"""Ended ones are swept out of the heap when they are more than half of it and this many."""


class Watched:
    """A request whose deadlines a `Watchdog` looks at; None once it has ended."""

    __slots__ = ("on",)

    def __init__(self, watch: Stopwatch, expired: Expired) -> None:
        self.on: tuple[Stopwatch, Expired] | None = (watch, expired)


class Watchdog:
    """Looks at the deadlines of any number of requests while `run` runs. Cost of a request: one turn of a heap.

    A task of its own for each request took 0.1 ms of CPU, this takes 0.02.
    """

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Watched]] = []
        self._ended = 0
        self._numbers = count()
        self._sooner = trio.Event()
        self._wakes_s = -math.inf

    def __len__(self) -> int:
        """Return how many it holds: those it watches, and at most as many and twice `FEW` that have ended."""
        return len(self._due)

    def watch(self, watch: Stopwatch, expired: Expired) -> Watched:
        """Call ``expired`` with the first deadline that is broken, once, unless `end` comes before."""
        watched = Watched(watch, expired)
        self._put(watch.due_s(trio.current_time()), watched)
        if self._due[0][0] < self._wakes_s:
            self._sooner.set()
        return watched

    def end(self, watched: Watched) -> None:
        """Look at it no more, and let go of what it held; harmless when it has expired."""
        if watched.on is None:
            return
        watched.on = None
        self._ended += 1
        if self._ended > FEW + len(self._due) // 2:
            self._due = [due for due in self._due if due[2].on is not None]
            heapq.heapify(self._due)
            self._ended = 0

    async def run(self) -> None:
        """Sleep from deadline to deadline until cancelled."""
        while True:
            self._look(trio.current_time())
            self._sooner = trio.Event()
            self._wakes_s = self._due[0][0] if self._due else math.inf
            with trio.move_on_at(self._wakes_s):
                await self._sooner.wait()

    def _look(self, now_s: float) -> None:
        while self._due and self._due[0][0] <= now_s:
            _, _, watched = heapq.heappop(self._due)
            if watched.on is None:
                self._ended -= 1
                continue
            watch, expired = watched.on
            if broken := watch.overdue(now_s):
                watched.on = None
                expired(broken)
            else:
                self._put(watch.due_s(now_s), watched)

    def _put(self, due_s: float, watched: Watched) -> None:
        heapq.heappush(self._due, (due_s, next(self._numbers), watched))
