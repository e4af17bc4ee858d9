"""One lane: a process of its own that races one engine and writes its own segment.

    python -m racelog_recorder.lane     spec and orders on stdin, reports on stdout (see `spec`)

ready -> go at an agreed instant -> `concurrency` workers take requests in order until the task is done, the time
is up or the conductor says stop -> the segment is finished.
"""

import gc
import os
import sys
from pathlib import Path

import trio

from racelog.clock import NS_PER_S
from racelog.events import Head, LaneEnd, LaneStart, Note
from racelog.log.segment import SegmentWriter
from racelog_recorder.columns import ChunkColumns
from racelog_recorder.health import sample_self
from racelog_recorder.journal import Journal
from racelog_recorder.limits import raise_file_limit
from racelog_recorder.pipes import leave_signals_to_the_conductor, orders, read_spec, run_reporting, say
from racelog_recorder.pump.drain import Pump
from racelog_recorder.request import Requester
from racelog_recorder.spec import LaneSpec, Report

UNREACHABLE = frozenset({"refused", "connect", "connect_timeout", "tls"})
BACKOFF_S = 0.05
BACKOFF_MAX_S = 2.0
"""Waits after requests that found no server: without them a dead engine fails thousands of requests a second, and
the log is full of one fact."""


class Lane:
    """Races one engine; the state of one lane process."""

    def __init__(self, spec: LaneSpec) -> None:
        self.spec = spec
        head = Head(
            t=0, race_id=spec.race_id, writer=spec.writer, role="lane", lane=spec.lane,
            mono_origin_ns=spec.mono_origin_ns, pid=os.getpid(), racelog_version=spec.racelog_version,
        )  # fmt: skip
        self.columns = ChunkColumns(spec.lane)
        writer = SegmentWriter(Path(spec.segment), head)
        self.journal = Journal(writer, head, self.columns, durability=spec.durability)
        self.go_at_ns: int | None = None
        self.go = trio.Event()
        self.stop = trio.Event()
        self._next = 0
        self._warming = trio.CancelScope()
        self._racing = trio.CancelScope()

    async def run(self) -> None:
        """Live from ready to done."""
        async with trio.open_nursery() as nursery:
            pump = Pump()
            nursery.start_soon(pump.run)
            nursery.start_soon(self.journal.run)
            nursery.start_soon(sample_self, self.journal, f"lane:{self.spec.engine}")
            nursery.start_soon(self._obey)
            async with Requester(self.spec, self.journal, self.columns, pump) as requester:
                await self._race(requester)
            nursery.cancel_scope.cancel()
        with trio.CancelScope(
            shield=True
        ):  # what the samplers record as they are cancelled belongs to the race
            await self.journal.finish()

    async def _race(self, requester: Requester) -> None:
        with self._warming:
            for number, prompt in enumerate(self.spec.warmup):
                await requester.request(-1 - number, prompt, "warmup")
        gc.collect()
        gc.freeze()  # what start-up made is never garbage: keep the collector from walking it while racing
        say(Report(say="ready"))
        await self.go.wait()
        if not self.stop.is_set():
            await self._run_workers(requester)
        stopped = self.stop.is_set()
        self.journal.record(
            LaneEnd(t=self.journal.now_ns(), lane=self.spec.lane, status="stopped" if stopped else "finished")
        )

    async def _run_workers(self, requester: Requester) -> None:
        await self._until_go()
        self.journal.record(LaneStart(t=self.journal.now_ns(), lane=self.spec.lane))
        deadline_s = trio.current_time() + (self.spec.duration_ns or 0) / NS_PER_S
        with self._racing:
            async with trio.open_nursery() as workers:
                if self.spec.duration_ns is not None:
                    self._racing.deadline = deadline_s + self.spec.grace_s
                for _ in range(min(self.spec.concurrency, self.spec.requests or self.spec.concurrency)):
                    workers.start_soon(self._work, requester, deadline_s)
        if self._racing.cancelled_caught and not self.stop.is_set():
            text = f"requests still open {self.spec.grace_s:g} s after the time was up were cancelled"
            self.journal.record(
                Note(t=self.journal.now_ns(), text=text, level="warning", lane=self.spec.lane)
            )

    async def _until_go(self) -> None:
        """Sleep until the instant that all lanes agreed on."""
        remaining_ns = (self.go_at_ns or 0) - (self.journal.now_ns() + self.spec.mono_origin_ns)
        await trio.sleep(max(0, remaining_ns) / NS_PER_S)

    async def _work(self, requester: Requester, deadline_s: float) -> None:
        """Send one request after another: a closed loop, which backs off from an engine that cannot be reached."""
        unreachable = 0
        while not self.stop.is_set():
            number = self._next
            timed_out = self.spec.duration_ns is not None and trio.current_time() >= deadline_s
            if timed_out or (self.spec.requests is not None and number >= self.spec.requests):
                return
            self._next += 1
            error = await requester.request(number, self.spec.order[number % len(self.spec.order)], "race")
            unreachable = unreachable + 1 if error in UNREACHABLE else 0
            if unreachable:
                await trio.sleep(min(BACKOFF_MAX_S, BACKOFF_S * 2 ** min(unreachable, 16)))

    async def _obey(self) -> None:
        """Follow the conductor's orders; a closed pipe means it is gone, and is an order to stop."""
        async for order in orders():
            if order.do == "go":
                self.go_at_ns = order.at_ns
                self.go.set()
            else:
                self._halt()
        self._halt()

    def _halt(self) -> None:
        self.stop.set()
        self.go.set()
        self._warming.cancel()
        self._racing.cancel()


def main() -> int:
    """Run one lane; return the process's exit code."""
    leave_signals_to_the_conductor()
    raise_file_limit()
    spec = read_spec(LaneSpec)
    return run_reporting(lambda: Lane(spec).run())


if __name__ == "__main__":
    sys.exit(main())
