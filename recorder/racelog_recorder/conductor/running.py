"""A race that runs: its journal is open, its processes have a nursery. Starts the lanes, counts down, records the deaths.

Whatever happens to one lane, the race goes on for the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import trio

from racelog.errors import ExitCode
from racelog.events import LaneEnd, Mark, Note
from racelog.live import countdown_label
from racelog_recorder.conductor.child import Child
from racelog_recorder.conductor.control import RaceControl
from racelog_recorder.conductor.outcome import Outcome
from racelog_recorder.conductor.setup import RaceSetup
from racelog_recorder.conductor.specs import lane_spec, telemetry_spec
from racelog_recorder.journal.journal import Journal
from racelog_recorder.plan.model import before_the_start
from racelog_recorder.protocol.messages import Order
from racelog_recorder.redaction import scrubbed

HANDOVER_S = 1.0
"""Pause between two lanes of a time trial, so that one's last work is not the other's first."""

TELEMETRY_WAIT_S = 5.0
"""How long a race waits for its telemetry: a wedged GPU driver must not hold it up, nor keep it from ending."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One race from its first process to its last: ``race`` is what was settled before, ``outcome`` what becomes of it.

    ``nursery`` holds the processes, which get ``environment``; their segments lie in ``live``.
    """

    race: RaceSetup
    control: RaceControl
    outcome: Outcome
    journal: Journal
    nursery: trio.Nursery
    live: Path
    environment: dict[str, str]
    tell: Tell

    async def run(self) -> None:
        """Race beside the telemetry; return when every process has ended."""
        telemetry = await self._start_telemetry()
        async with trio.open_nursery() as beside:
            beside.start_soon(self._await_telemetry, telemetry)
            await self._race_all()
            await self._end_telemetry(telemetry)

    async def _race_all(self) -> None:
        """Run all lanes at once, or one after another in a time trial."""
        plan, control = self.race.plan, self.control
        lanes = range(len(plan.engines))
        groups = [list(lanes)] if plan.grid == "together" else [[lane] for lane in lanes]
        for position, group in enumerate(groups):
            if position:
                await self._linger(HANDOVER_S)
                await control.wait_resumed()
            starting = [] if control.stopped.is_set() else self._not_eliminated(group)
            self._end_unstarted([lane for lane in group if lane not in starting])
            if starting:
                await self._race_group(starting, plan.countdown_s if position == 0 else 0.0)

    async def _race_group(self, group: list[int], countdown_s: float) -> None:
        plan, control = self.race.plan, self.control
        self.tell(f"getting ready: {', '.join(before_the_start(plan, countdown_s))}")
        children = {lane: await self._start_lane(lane) for lane in group}
        for child in children.values():
            await child.ready.wait()
        if not control.stopped.is_set():
            await self._count_down(countdown_s)
        await control.wait_resumed()
        if not control.stopped.is_set():
            await control.go(self._not_eliminated(group), together=plan.grid == "together")
        async with trio.open_nursery() as waiting:
            for lane, child in children.items():
                waiting.start_soon(self._await_end, lane, child)

    async def _start_lane(self, lane: int) -> Child:
        spec = lane_spec(self.race, lane, self.live)
        child = Child(f"lane {spec.engine}", "racelog_recorder.lane.process", spec, self.environment)
        await self.nursery.start(child.run)
        self.control.add(lane, child)
        return child

    async def _await_end(self, lane: int, child: Child) -> None:
        await child.ended.wait()
        self.control.ended(lane)
        if child.died:
            self._lane_died(lane, child)

    def _lane_died(self, lane: int, child: Child) -> None:
        """Record a death as a fact; the lane's own segment keeps everything it had committed."""
        engine = self.race.plan.engines[lane].name
        reason = scrubbed(child.reason, self.race.secrets[lane])
        self.outcome.died[engine] = reason
        self.outcome.storage_failed |= child.exit_code == ExitCode.STORAGE
        self.journal.record(LaneEnd(t=self.journal.now_ns(), lane=lane, status="died", reason=reason))
        self.tell(f"{engine}: {reason}; the race goes on without it")

    def _not_eliminated(self, lanes: list[int]) -> list[int]:
        return [lane for lane in lanes if lane not in self.control.eliminated]

    def _end_unstarted(self, lanes: list[int]) -> None:
        for lane in lanes:
            reason = self.control.eliminated.get(lane, "stopped before its start")
            self.journal.record(LaneEnd(t=self.journal.now_ns(), lane=lane, status="stopped", reason=reason))

    async def _count_down(self, seconds: float) -> None:
        """Count 3-2-1 where people can see it; the mark lets a view count along."""
        if seconds <= 0:
            return
        self.journal.record(Mark(t=self.journal.now_ns(), label=countdown_label(seconds)))
        await self.journal.flush()
        left = seconds
        while left > 0 and not self.control.stopped.is_set():
            self.tell(f"{left:.0f}…")
            await self._linger(min(1.0, left))
            left -= 1
        if not self.control.stopped.is_set():
            self.tell("GO!")

    async def _linger(self, seconds: float) -> None:
        """Wait, but not longer than until the race is stopped."""
        with trio.move_on_after(seconds):
            await self.control.stopped.wait()

    async def _start_telemetry(self) -> Child:
        spec = telemetry_spec(self.race, self.live)
        child = Child("telemetry", "racelog_recorder.telemetry.process", spec, self.environment, self.tell)
        await self.nursery.start(child.run)
        with trio.move_on_after(TELEMETRY_WAIT_S):
            await child.ready.wait()
        return child

    async def _await_telemetry(self, telemetry: Child) -> None:
        """Note at once when the telemetry dies: the lanes race on without it."""
        await telemetry.ended.wait()
        if telemetry.died:
            self.outcome.storage_failed |= telemetry.exit_code == ExitCode.STORAGE
            text = f"{telemetry.reason}; the race goes on without samples of the machine"
            self.journal.record(Note(t=self.journal.now_ns(), text=text, level="warning"))
            self.tell(text)

    async def _end_telemetry(self, telemetry: Child) -> None:
        """End the telemetry process, by force if it does not answer."""
        self.nursery.start_soon(telemetry.order, Order(do="stop"))
        with trio.move_on_after(TELEMETRY_WAIT_S):
            await telemetry.ended.wait()
        telemetry.kill()
