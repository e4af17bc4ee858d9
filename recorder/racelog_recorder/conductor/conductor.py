"""The conductor: arms the lanes, counts down, starts them together, decides what a failure means, seals.

It never touches a token. Each lane and the telemetry write their own segments; the conductor writes the race's
facts, its marks and the deaths of others. Whatever happens to one lane, the race goes on for the rest.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import trio

from racelog import __version__
from racelog.clock import read_clocks, rfc3339
from racelog.errors import ExitCode, InputError, StorageError
from racelog.events import ClockAnchor, Head, LaneEnd, LaneFacts, Mark, Note, Prompt, RaceFacts
from racelog.home import new_race_id, own_folder
from racelog.live import countdown_label
from racelog.log.format.names import LIVE_SUFFIX, SEGMENT_SUFFIX
from racelog.log.write.segment import SegmentWriter, new_writer_id
from racelog_recorder.conductor.child import Child
from racelog_recorder.conductor.control import RESTARTED, By, RaceControl
from racelog_recorder.journal.durability import Durability
from racelog_recorder.journal.journal import Journal
from racelog_recorder.machine.affinity import allowed_cpus, lane_cpus
from racelog_recorder.machine.facts import host_facts
from racelog_recorder.plan.api_keys import engine_secrets, environment_without
from racelog_recorder.plan.model import RacePlan, before_the_start, deadlines_of, traffic_of
from racelog_recorder.plan.prompts import schedule
from racelog_recorder.plan.public import public_plan
from racelog_recorder.preflight.preflight import Checked
from racelog_recorder.protocol.messages import LaneSpec, MetricsTarget, Order, TelemetrySpec
from racelog_recorder.protocol.pipes import first_of
from racelog_recorder.redaction import public_params, public_url, scrubbed, without_known
from racelog_recorder.telemetry.self_samples import sample_self
from racelog_recorder.transports.reach import transport_of

ORDER_LENGTH = 10_000
"""Prompts drawn ahead, the same for every lane; a longer race repeats the order."""

MODEL_CHARACTERS = 512
"""Of a model's name, which may be the server's own word."""

HANDOVER_S = 1.0
"""Pause between two lanes of a time trial, so that one's last work is not the other's first."""

TELEMETRY_WAIT_S = 5.0
"""How long a race waits for its telemetry: a wedged GPU driver must not hold it up, nor keep it from ending."""

Tell = Callable[[str], None]


@dataclass(slots=True)
class Paths:
    """Where a race is written: a directory of segments first, one sealed file at the end."""

    live: Path
    sealed: Path

    @classmethod
    def choose(cls, race_id: str, home: Path, output: Path | None) -> "Paths":
        """Return the paths for a race: in the home folder, or at and beside ``output``.

        Raises:
            InputError: there is something at ``output`` already.
        """
        if output is None:
            folder = home / "races"
            return cls(folder / (race_id + LIVE_SUFFIX), folder / (race_id + SEGMENT_SUFFIX))
        live = output.with_name(output.name.removesuffix(SEGMENT_SUFFIX) + LIVE_SUFFIX)
        for path in (output, live):
            if path.exists():
                raise InputError(
                    f"{path} exists already; choose another name with -o, nothing is overwritten"
                )
        return cls(live, output)


@dataclass(slots=True)
class Outcome:
    """How a race ended: for each lane its process's fate, and the command's exit code.

    ``again``: another race of the same plan was asked for. ``packed``: its log is no mere copy of its segments.
    """

    died: dict[str, str] = field(default_factory=dict)
    stopped: bool = False
    again: bool = False
    storage_failed: bool = False
    packed: bool = True

    @property
    def exit_code(self) -> ExitCode:
        """The exit code this outcome calls for, the gravest first."""
        if self.storage_failed:
            return ExitCode.STORAGE
        if self.stopped:
            return ExitCode.INTERRUPTED
        return ExitCode.ENGINE if self.died else ExitCode.OK


class Conductor:
    """Conducts one race from the grid to the last lane's end; ``recording`` is set when its log exists."""

    def __init__(
        self,
        plan: RacePlan,
        engines: list[Checked],
        keys: Mapping[str, str],
        *,
        tell: Tell,
        race_id: str = "",
        durability: Durability = Durability(),  # noqa: B008 - frozen
    ) -> None:
        self.plan = plan
        self.engines = engines
        self.outcome = Outcome()
        self.control = RaceControl(plan.grace_s)
        self.recording = trio.Event()
        self.clocks = read_clocks()
        self.race_id = race_id or new_race_id(self.clocks.wall_ns)
        self._keys = keys
        self._secrets = [engine_secrets(plan, one, keys.get(one.name, "")) for one in plan.engines]
        self.environment = environment_without(one.api_key_env for one in plan.engines)
        self._tell = tell
        self._durability = durability
        self._cpus = lane_cpus(plan, allowed_cpus())
        count = plan.warmup + min(plan.requests or ORDER_LENGTH, ORDER_LENGTH)
        self.order = schedule(plan.prompts, plan.seed, count, shuffle=plan.shuffle)
        self._journal: Journal | None = None
        self._nursery: trio.Nursery | None = None

    async def run(self, live: Path) -> Outcome:
        """Race; every segment in ``live`` is finished when this returns, whatever happened to its lane."""
        await trio.to_thread.run_sync(_make_folder, live)
        head = self._head()
        writer = SegmentWriter(live / "conductor.rlog", head)
        self._journal = journal = Journal(writer, head, durability=self._durability)
        self._record_race(journal)
        await journal.flush()
        self.recording.set()
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            self.control.begin(journal, nursery)
            nursery.start_soon(self._keep, journal)
            nursery.start_soon(sample_self, journal, "conductor")
            telemetry = await self._start_telemetry(nursery, live)
            async with trio.open_nursery() as beside:
                beside.start_soon(self._await_telemetry, telemetry)
                await self._race(nursery, live)
                await self._end_telemetry(telemetry)
            nursery.cancel_scope.cancel()
        self.control.end()
        with trio.CancelScope(shield=True):
            await journal.finish()
        return self.outcome

    def stop(self, by: By = "user") -> int:
        """Stop the race, more firmly each time (see `RaceControl.stop`); return which time it was."""
        self.outcome.stopped = True
        self.outcome.again = False
        return self.control.stop(by)

    def pause(self) -> None:
        """Let no lane send another request until `resume`."""
        if self.control.pause():
            self._tell("paused: open requests go on, nothing new is sent")

    def resume(self) -> None:
        """Go on after a pause."""
        if self.control.resume():
            self._tell("the race goes on")

    def restart(self) -> None:
        """Ask for another race of the same plan; one that still runs ends at once and keeps its log."""
        self.outcome.again = True
        if not self.control.over:
            self.control.end_now(RESTARTED)

    def eliminate(self, lane: int) -> None:
        """Take one lane out of the race for the user; a lane there is not is no error here."""
        if 0 <= lane < len(self.plan.engines) and self.control.eliminate(lane):
            self._tell(f"{self.plan.engines[lane].name} is eliminated")

    def mark(self, label: str) -> None:
        """Record a named instant for the user."""
        if self._journal is not None:
            self._journal.record(Mark(t=self._journal.now_ns(), label=label, by="user"))

    async def _race(self, nursery: trio.Nursery, live: Path) -> None:
        """Run all lanes at once, or one after another in a time trial."""
        lanes = range(len(self.plan.engines))
        groups = [list(lanes)] if self.plan.grid == "together" else [[lane] for lane in lanes]
        for position, group in enumerate(groups):
            if position:
                await self._linger(HANDOVER_S)
                await self.control.wait_resumed()
            starting = [] if self.control.stopped.is_set() else self._not_eliminated(group)
            self._end_unstarted([lane for lane in group if lane not in starting])
            if starting:
                await self._race_group(
                    nursery, live, starting, self.plan.countdown_s if position == 0 else 0.0
                )

    async def _race_group(
        self, nursery: trio.Nursery, live: Path, group: list[int], countdown_s: float
    ) -> None:
        self._tell(f"getting ready: {', '.join(before_the_start(self.plan, countdown_s))}")
        children = {lane: await self._start_lane(nursery, live, lane) for lane in group}
        for child in children.values():
            await child.ready.wait()
        if not self.control.stopped.is_set():
            await self._count_down(countdown_s)
        await self.control.wait_resumed()
        if not self.control.stopped.is_set():
            await self.control.go(self._not_eliminated(group), together=self.plan.grid == "together")
        async with trio.open_nursery() as waiting:
            for lane, child in children.items():
                waiting.start_soon(self._await_end, lane, child)

    async def _await_end(self, lane: int, child: Child) -> None:
        await child.ended.wait()
        self.control.ended(lane)
        if child.died:
            self._lane_died(lane, child)

    async def _start_lane(self, nursery: trio.Nursery, live: Path, lane: int) -> Child:
        spec = self._lane_spec(lane, live)
        child = Child(f"lane {spec.engine}", "racelog_recorder.lane.process", spec, self.environment)
        await nursery.start(child.run)
        self.control.add(lane, child)
        return child

    def _not_eliminated(self, lanes: list[int]) -> list[int]:
        return [lane for lane in lanes if lane not in self.control.eliminated]

    async def _start_telemetry(self, nursery: trio.Nursery, live: Path) -> Child:
        spec = TelemetrySpec(
            race_id=self.race_id,
            segment=str(live / "telemetry.rlog"),
            writer=f"{new_writer_id():016x}",
            mono_origin_ns=self.clocks.mono_ns,
            racelog_version=__version__,
            durability=self._durability,
            engines=self._metrics_targets() if self.plan.metrics else [],
        )
        child = Child("telemetry", "racelog_recorder.telemetry.process", spec, self.environment)
        await nursery.start(child.run)
        with trio.move_on_after(TELEMETRY_WAIT_S):
            await child.ready.wait()
        return child

    def _metrics_targets(self) -> list[MetricsTarget]:
        return [
            MetricsTarget(
                lane=lane, engine=engine.name, url=engine.url, api_key=self._keys.get(engine.name, ""),
                headers=engine.headers, reach=engine.reach, dialect=engine.dialect,
            )
            for lane, engine in enumerate(self.plan.engines)
        ]  # fmt: skip

    async def _end_telemetry(self, telemetry: Child) -> None:
        """End the telemetry process, by force if it does not answer."""
        assert self._nursery is not None
        self._nursery.start_soon(telemetry.order, Order(do="stop"))
        with trio.move_on_after(TELEMETRY_WAIT_S):
            await telemetry.ended.wait()
        telemetry.kill()

    async def _count_down(self, seconds: float) -> None:
        """Count 3-2-1 where people can see it; the mark lets a view count along."""
        assert self._journal is not None
        if seconds <= 0:
            return
        self._journal.record(Mark(t=self._journal.now_ns(), label=countdown_label(seconds)))
        await self._journal.flush()
        left = seconds
        while left > 0 and not self.control.stopped.is_set():
            self._tell(f"{left:.0f}…")
            await self._linger(min(1.0, left))
            left -= 1
        if not self.control.stopped.is_set():
            self._tell("GO!")

    async def _linger(self, seconds: float) -> None:
        """Wait, but not longer than until the race is stopped."""
        with trio.move_on_after(seconds):
            await self.control.stopped.wait()

    def _lane_died(self, lane: int, child: Child) -> None:
        """Record a death as a fact; the lane's own segment keeps everything it had committed."""
        assert self._journal is not None
        engine = self.plan.engines[lane].name
        reason = scrubbed(child.reason, self._secrets[lane])
        self.outcome.died[engine] = reason
        self.outcome.storage_failed = self.outcome.storage_failed or child.exit_code == ExitCode.STORAGE
        self._journal.record(LaneEnd(t=self._journal.now_ns(), lane=lane, status="died", reason=reason))
        self._tell(f"{engine}: {reason}; the race goes on without it")

    async def _keep(self, journal: Journal) -> None:
        """Write the conductor's own segment; a disk that fails ends the race, and is told of before the lanes are in."""
        try:
            await journal.run()
        except* StorageError as group:
            self._tell(f"{first_of(group)}; the race ends here")
            raise

    async def _await_telemetry(self, telemetry: Child) -> None:
        """Note at once when the telemetry dies: the lanes race on without it."""
        await telemetry.ended.wait()
        if telemetry.died:
            self.outcome.storage_failed |= telemetry.exit_code == ExitCode.STORAGE
            self._note(f"{telemetry.reason}; the race goes on without samples of the machine")

    def _end_unstarted(self, group: list[int]) -> None:
        assert self._journal is not None
        for lane in group:
            reason = self.control.eliminated.get(lane, "stopped before its start")
            self._journal.record(
                LaneEnd(t=self._journal.now_ns(), lane=lane, status="stopped", reason=reason)
            )

    def _note(self, text: str) -> None:
        assert self._journal is not None
        self._journal.record(Note(t=self._journal.now_ns(), text=text, level="warning"))
        self._tell(text)

    def _head(self) -> Head:
        return Head(
            t=0, race_id=self.race_id, writer=f"{new_writer_id():016x}", role="conductor", pid=os.getpid(),
            mono_origin_ns=self.clocks.mono_ns, racelog_version=__version__,
        )  # fmt: skip

    def _record_race(self, journal: Journal) -> None:
        """Record who races, on what, with which prompts; secrets stay behind."""
        plan, clocks = self.plan, self.clocks
        journal.record(
            ClockAnchor(t=0, mono_ns=clocks.mono_ns, wall_ns=clocks.wall_ns, boot_ns=clocks.boot_ns)
        )
        journal.record(
            RaceFacts(
                t=0, race_id=self.race_id, name=plan.name or " vs ".join(e.name for e in plan.engines),
                started_at=rfc3339(clocks.wall_ns), seed=plan.seed, grid=plan.grid, requests=plan.requests,
                duration_ns=plan.duration_ns,
                concurrency=0 if plan.load else plan.concurrency,
                rate_per_s=plan.load.rate_per_s if plan.load else None,
                arrival=plan.load.arrival if plan.load else "",
                max_open=plan.load.max_open if plan.load else None, finish=plan.finish,
                plan=public_plan(plan), host=host_facts(),
            )
        )  # fmt: skip
        for lane, (engine, checked) in enumerate(zip(plan.engines, self.engines, strict=True)):
            journal.record(
                LaneFacts(
                    t=0, lane=lane, engine=engine.name,
                    model=without_known(checked.model[:MODEL_CHARACTERS], self._secrets[lane]), url=public_url(engine.url),
                    dialect=engine.dialect, color=engine.color, emoji=engine.emoji,
                    transport=transport_of(engine.url, engine.reach),
                    params=public_params({**plan.params, **engine.params}),
                )
            )  # fmt: skip
            if checked.remark:
                journal.record(Note(t=0, text=checked.remark, level="warning", lane=lane))
        for prompt in sorted(set(self.order)):
            journal.record(Prompt(t=0, prompt=prompt, messages=plan.prompts[prompt]))

    def _lane_spec(self, lane: int, live: Path) -> LaneSpec:
        plan, engine = self.plan, self.plan.engines[lane]
        return LaneSpec(
            race_id=self.race_id, lane=lane, segment=str(live / f"lane-{lane}.rlog"),
            writer=f"{new_writer_id():016x}", mono_origin_ns=self.clocks.mono_ns, racelog_version=__version__,
            engine=engine.name, model=self.engines[lane].model, url=engine.url,
            transport=transport_of(engine.url, engine.reach), reach=engine.reach,
            api_key=self._keys.get(engine.name, ""), headers=engine.headers, params={**plan.params, **engine.params},
            prompts={prompt: plan.prompts[prompt] for prompt in sorted(set(self.order))},
            order=self.order[plan.warmup :], warmup=self.order[: plan.warmup],
            traffic=traffic_of(plan), calibrate=plan.calibrate, cpus=self._cpus[lane], durability=self._durability, dialect=engine.dialect,
            ask_usage=self.engines[lane].ask_usage, deadlines=deadlines_of(plan, engine),
        )  # fmt: skip


def _make_folder(live: Path) -> None:
    """Make the folder of a race that is about to be recorded.

    Raises:
        StorageError: it cannot be made; the message says where.
    """
    try:
        own_folder(live.parent)
        live.mkdir(mode=0o700)
    except OSError as error:
        raise StorageError(
            f"cannot create {live}: {error.strerror}; choose another folder with --home or -o"
        ) from error
