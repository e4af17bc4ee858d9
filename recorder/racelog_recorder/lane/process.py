"""One lane: a process of its own that races one engine and writes its own segment.

    python -m racelog_recorder.lane.process     spec and orders on stdin, reports on stdout (see `racelog_recorder.protocol.messages`)

ready -> go at an agreed instant -> requests, in a closed loop or by a schedule, until all are sent, the time is up or
the conductor says stop -> the segment is finished.
"""

import os
import sys
from pathlib import Path

import trio

from racelog.clock import NS_PER_S
from racelog.events import Head, LaneEnd, LaneStart, Note
from racelog.log.write.segment import SegmentWriter
from racelog.replay.health import lane_process
from racelog_recorder.calibration.calibrate import calibrate, expected_streams
from racelog_recorder.journal.chunks import ChunkColumns
from racelog_recorder.journal.journal import Journal
from racelog_recorder.load.closed_loop import ClosedLoop
from racelog_recorder.load.open_loop import OpenLoopRun
from racelog_recorder.machine.affinity import pin_self
from racelog_recorder.machine.gc_pacing import collect_in_portions, freeze_startup
from racelog_recorder.machine.limits import raise_file_limit
from racelog_recorder.protocol.messages import LaneSpec, Order, Report
from racelog_recorder.protocol.pipes import (
    leave_signals_to_the_conductor,
    orders,
    read_spec,
    run_reporting,
    say,
)
from racelog_recorder.requests.request import Requester
from racelog_recorder.telemetry.self_samples import sample_self
from racelog_recorder.timing.alarm import Alarm
from racelog_recorder.timing.raceclock import RaceClock
from racelog_recorder.transports.pump.drain import Pump

CONDUCTOR_GONE = "the conductor is gone"


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
        self.clock = RaceClock()
        self.go = trio.Event()
        self.stop = trio.Event()
        self.reason = ""
        self._load: ClosedLoop | OpenLoopRun | None = None
        self._warming = trio.CancelScope()
        self._racing = trio.CancelScope()

    async def run(self) -> None:
        """Live from ready to done."""
        async with trio.open_nursery() as nursery:
            pump = Pump()
            nursery.start_soon(pump.run)
            nursery.start_soon(self.journal.run)
            nursery.start_soon(sample_self, self.journal, lane_process(self.spec.engine), pump)
            nursery.start_soon(self._obey)
            async with Requester(self.spec, self.journal, self.columns, pump) as requester:
                await self._race(requester, pump)
            nursery.cancel_scope.cancel()
        with trio.CancelScope(
            shield=True
        ):  # what the samplers record as they are cancelled belongs to the race
            await self.journal.finish()

    async def _race(self, requester: Requester, pump: Pump) -> None:
        cpus = pin_self(self.spec.cpus) if self.spec.cpus else []
        if self.spec.cpus and not cpus:
            self._warn(f"could not be pinned to CPU {', '.join(map(str, self.spec.cpus))}; it runs on any")
        with self._warming:
            if self.spec.calibrate and self.spec.transport == "pump":
                await calibrate(
                    self.journal, pump, lane=self.spec.lane, streams=expected_streams(self.spec.traffic),
                    tls=self.spec.url.startswith("https://"), unix=bool(self.spec.reach.unix_socket),
                )  # fmt: skip
            for number, prompt in enumerate(self.spec.warmup):
                await requester.request(-1 - number, prompt, "warmup")
        self._load = self._loop(requester)
        freeze_startup()
        say(Report(say="ready"))
        await self.go.wait()
        if not self.stop.is_set():
            await self._run(self._load, cpus)
        stopped = self.stop.is_set()
        self.journal.record(
            LaneEnd(
                t=self.journal.now_ns(),
                lane=self.spec.lane,
                status="stopped" if stopped else "finished",
                reason=self.reason,
            )
        )

    def _loop(self, requester: Requester) -> ClosedLoop | OpenLoopRun:
        load = self.spec.traffic.load
        if load is None:
            return ClosedLoop(self.spec, requester, self.clock)
        return OpenLoopRun(self.spec, load, requester, self.journal, self.clock)

    async def _run(self, load: ClosedLoop | OpenLoopRun, cpus: list[int]) -> None:
        with Alarm() as alarm:
            await self.clock.wait_until(0, alarm.wait_until)
        self.journal.record(LaneStart(t=self.journal.now_ns(), lane=self.spec.lane, cpus=cpus))
        with self._racing:
            async with trio.open_nursery() as beside:
                beside.start_soon(collect_in_portions)
                beside.start_soon(self._time_up)
                await load.run()
                beside.cancel_scope.cancel()
        if self._racing.cancelled_caught and not self.stop.is_set():
            self._warn(
                f"requests still open {self.spec.traffic.grace_s:g} s after the time was up were cancelled"
            )

    async def _time_up(self) -> None:
        """Cancel what is still open a while after the duration; pauses do not count."""
        traffic = self.spec.traffic
        if traffic.duration_ns is not None:
            await self.clock.wait_until(traffic.duration_ns + round(traffic.grace_s * NS_PER_S))
            self._racing.cancel()

    async def _obey(self) -> None:
        """Follow the conductor's orders; a closed pipe means it is gone, and is an order to stop at once."""
        async for order in orders():
            self._follow(order)
        self._follow(Order(do="stop", reason=CONDUCTOR_GONE))

    def _follow(self, order: Order) -> None:
        match order.do:
            case "go":
                self.clock.start(order.at_ns)
                self.go.set()
            case "pause":
                self.clock.pause(order.at_ns)
                if self._load is not None:
                    self._load.pause()
            case "resume":
                self.clock.resume(order.at_ns)
            case "stop":
                self._halt(order)
            case "cancel":
                self._racing.cancel()

    def _halt(self, order: Order) -> None:
        """Send nothing more; cancel the warm-up at once, and what is open when the grace is over."""
        self.reason = self.reason or order.reason
        self.stop.set()
        self.go.set()
        self._warming.cancel()
        if self._load is not None:
            self._load.halt()
        self.clock.resume(order.at_ns)
        self._racing.deadline = min(self._racing.deadline, trio.current_time() + order.grace_s)

    def _warn(self, text: str) -> None:
        self.journal.record(Note(t=self.journal.now_ns(), text=text, level="warning", lane=self.spec.lane))


def main() -> int:
    """Run one lane; return the process's exit code."""
    leave_signals_to_the_conductor()
    raise_file_limit()
    spec = read_spec(LaneSpec)
    return run_reporting(lambda: Lane(spec).run())


if __name__ == "__main__":
    sys.exit(main())
