"""Waiting for exact instants: many tasks, each until its own deadline, never early and as little late as can be.

Deadlines are absolute, so lateness never adds up over an answer. On Linux one timer descriptor serves all tasks; its
owner wakes whoever is due. Elsewhere trio's own sleep does, about a millisecond coarser.
"""

import heapq
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Protocol

import trio

from racelog.clock import NS_PER_S
from racelog_recorder.timing import timerfd


class Pacer(Protocol):
    """Lets a task wait for an instant of ``CLOCK_MONOTONIC``."""

    async def wait_until(self, deadline_ns: int) -> None:
        """Return at ``deadline_ns`` or as soon after as possible; at once, without a checkpoint, if it has passed."""
        ...


@asynccontextmanager
async def open_pacer() -> AsyncIterator[Pacer]:
    """Yield the best pacer that this machine has."""
    if not timerfd.available():
        yield SleepPacer()
        return
    timer = timerfd.Timer()
    try:
        async with trio.open_nursery() as nursery:
            pacer = TimerPacer(timer)
            nursery.start_soon(pacer.run)
            yield pacer
            nursery.cancel_scope.cancel()
    finally:
        timer.close()


class SleepPacer:
    """Waits by trio's sleep."""

    async def wait_until(self, deadline_ns: int) -> None:
        """See `Pacer`."""
        while (left_ns := deadline_ns - time.monotonic_ns()) > 0:  # noqa: ASYNC110 - a sleep may end early by the other clock
            await trio.sleep(left_ns / NS_PER_S)


class TimerPacer:
    """Waits by one timer for all tasks of the loop; `run` must be running beside them."""

    def __init__(self, timer: timerfd.Timer) -> None:
        self._timer = timer
        self._order = count()
        # (deadline, order of arrival, the task's place); the place is emptied when the wait is cancelled.
        self._waiting: list[tuple[int, int, list[trio.lowlevel.Task]]] = []

    async def wait_until(self, deadline_ns: int) -> None:
        """See `Pacer`."""
        if deadline_ns <= time.monotonic_ns():
            return
        place = [trio.lowlevel.current_task()]
        entry = (deadline_ns, next(self._order), place)
        heapq.heappush(self._waiting, entry)
        if self._waiting[0] is entry:
            self._timer.set(deadline_ns)

        def abort(_: object) -> trio.lowlevel.Abort:
            place.clear()
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    async def run(self) -> None:
        """Wake the tasks that are due, for ever."""
        while True:
            await trio.lowlevel.wait_readable(self._timer.fd)
            self._timer.clear()
            now_ns = time.monotonic_ns()
            while self._waiting and self._waiting[0][0] <= now_ns:
                for task in heapq.heappop(self._waiting)[2]:
                    trio.lowlevel.reschedule(task)
            if self._waiting:
                self._timer.set(self._waiting[0][0])
