"""A recording session: from a plan to a sealed log and a summary, with someone watching.

preflight -> conductor (lanes, telemetry) beside an onlooker and the signals -> seal -> summary
"""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import trio

from racelog.console.output import emit_json, terminal_width
from racelog.errors import NOTHING_RECORDED, ExitCode, InputError, Interrupted, RacelogError
from racelog.log.read.library import Log
from racelog.views.summary import RaceSummary, log_summary
from racelog_recorder.cli.messages import Voice, tell
from racelog_recorder.cli.sealing import another_name, seal_race
from racelog_recorder.cli.signals import STOP_SIGNALS
from racelog_recorder.cli.summary_text import summary_lines
from racelog_recorder.cli.watchers import print_progress, watch_in_terminal
from racelog_recorder.conductor.conductor import Conductor
from racelog_recorder.conductor.control import STOP_GRACE_S
from racelog_recorder.conductor.outcome import Outcome
from racelog_recorder.conductor.paths import Paths
from racelog_recorder.demo import demo_plan, serve_demo
from racelog_recorder.journal.durability import Durability
from racelog_recorder.machine.affinity import allowed_cpus, lane_cpus
from racelog_recorder.machine.limits import check_limits, connections_allowed, ports_allowed
from racelog_recorder.plan.api_keys import api_keys
from racelog_recorder.plan.flags import override
from racelog_recorder.plan.model import RacePlan
from racelog_recorder.preflight.preflight import Checked, check_engines

SLOW_PREFLIGHT_S = 2.0
"""People wait so long without a word."""

STOPPING = (
    f"stopping: nothing more is sent, open requests have {STOP_GRACE_S:g} s to finish, then all is sealed (again: now)",
    "open requests are cancelled and recorded as such (again: the lanes are killed)",
    "the lanes are killed; what they had written is sealed",
)


@dataclass(frozen=True, slots=True)
class Session:
    """What ``racelog record`` was asked for; without a plan it is the demo."""

    plan: RacePlan | None
    demo_overrides: dict[str, Any]
    home: Path
    output: Path | None
    ui: bool
    preflight: bool
    durability: Durability
    as_json: bool = False
    view: tuple[str, ...] = ()


def record_race(session: Session) -> int:
    """Record one race and return the command's exit code.

    Raises:
        RacelogError: nothing was recorded, or the disk failed, or it was interrupted after the race; the message says which.
    """
    failures: list[RacelogError] = []
    races: list[Paths] = []
    try:
        return trio.run(_record, session, races)
    except* RacelogError as group:
        failures.append(_plain(group))
    except* KeyboardInterrupt:  # while no race has its own ear for signals
        failures.append(_interrupted(races))
    raise failures[0]


def _interrupted(races: list[Paths]) -> Interrupted:
    """Say what there is, by the paths of the races that were begun."""
    kept = [path for paths in races for path in (paths.live, paths.sealed) if path.exists()]
    return Interrupted(f"interrupted; what was recorded is kept: {kept[-1]}" if kept else NOTHING_RECORDED)


async def _record(session: Session, races: list[Paths]) -> int:
    async with _planned(session) as plan:
        keys = api_keys(plan)
        Paths.choose(
            "", session.home, session.output
        )  # a name that is taken is told before anything is asked
        lane_cpus(plan, allowed_cpus())  # likewise a CPU that is not there
        check_limits(plan, connections_allowed(), ports_allowed())
        engines = await _checked(
            plan, keys, ask=session.preflight, probe=session.plan is not None, at_once=session.ui
        )
        for engine in engines:
            if engine.remark:
                tell(f"warning: {engine.remark}")
        outcome = await _race(session, plan, engines, keys, races)
    return _close(outcome, races[-1], in_home=session.output is None, as_json=session.as_json)


async def _race(
    session: Session, plan: RacePlan, engines: list[Checked], keys: dict[str, str], races: list[Paths]
) -> Outcome:
    """Race until nobody asks for another; return the last race's outcome. Each keeps its own log, named in ``races``."""
    output = session.output
    while True:
        voice = Voice(quiet=session.ui)
        conductor = Conductor(plan, engines, keys, tell=voice, durability=session.durability)
        paths = Paths.choose(conductor.race_id, session.home, output)
        races.append(paths)
        if session.ui:
            tell("opening the full-screen view; next: clock check, countdown")
        voice(f"recording {conductor.race_id}: {' vs '.join(engine.name for engine in plan.engines)}")
        outcome = await _watched(conductor, paths, voice, session.view)
        if not outcome.again or outcome.storage_failed:
            return outcome
        tell(f"racing again; the race before is kept: {paths.sealed}")
        output = None if session.output is None else another_name(session.output)


@asynccontextmanager
async def _planned(session: Session) -> AsyncIterator[RacePlan]:
    """Give the plan: the session's, or the demo's with its endpoints up for as long as the block runs."""
    if session.plan is not None:
        yield session.plan
        return
    if session.ui:
        tell("starting the two recorded engines of the demo")
    async with serve_demo() as engines:
        yield override(demo_plan(engines), **session.demo_overrides)


async def _checked(
    plan: RacePlan, keys: dict[str, str], *, ask: bool, probe: bool, at_once: bool = False
) -> list[Checked]:
    """Return the engines' models, from the engines themselves unless told not to ask.

    ``at_once``: who waits for the full screen sees nothing else until then, so what is asked is told right away.

    Raises:
        InputError: an engine has no model and must not be asked for it.
    """
    if ask:
        async with trio.open_nursery() as beside:
            beside.start_soon(_say_if_slow, plan, 0.0 if at_once else SLOW_PREFLIGHT_S)
            found = await check_engines(plan, keys, probe=probe)
            beside.cancel_scope.cancel()
        return found
    unnamed = [engine.name for engine in plan.engines if not engine.model]
    if unnamed:
        raise InputError(f"without preflight every engine needs model=; {', '.join(unnamed)} has none")
    return [Checked(engine.model) for engine in plan.engines]


async def _say_if_slow(plan: RacePlan, after_s: float) -> None:
    """Tell what is waited for, if it takes that long: an engine may have to load its model first."""
    await trio.sleep(after_s)
    tell(f"asking {', '.join(engine.name for engine in plan.engines)} for a first answer each")


async def _watched(conductor: Conductor, paths: Paths, voice: Voice, view: tuple[str, ...]) -> Outcome:
    """Run the race beside its onlooker, then seal; say where everything is should the disk give out.

    Raises:
        RacelogError: the race ended early; the message says why, and where its log is.
    """
    try:
        return await _run_watched(conductor, paths, voice, view)
    except* RacelogError as group:
        error = _plain(group)
        raise type(error)(f"{error}{_kept(paths)}") from group
    except* Exception:  # a fault of ours: its traceback alone would not say where the race is
        tell(f"racelog failed while it recorded{_kept(paths)}")
        raise


def _kept(paths: Paths) -> str:
    """Say where the race is that could not be sealed; nothing if nothing was recorded."""
    if not paths.live.exists():
        return ""
    return f"\n  what was committed is kept: racelog info {paths.live}, racelog recover {paths.live}"


async def _run_watched(conductor: Conductor, paths: Paths, voice: Voice, view: tuple[str, ...]) -> Outcome:
    """Run the race; the player may stay on after it, plain lines end with it."""
    lines = trio.CancelScope()
    async with trio.open_nursery() as around:
        await around.start(_heed_signals, conductor, voice)
        async with trio.open_nursery() as beside:
            beside.start_soon(_watch, conductor, paths.live, voice, lines, view)
            outcome = await conductor.run(paths.live)
            lines.cancel()
            stopped = conductor.control.stopped.is_set
            outcome.packed = await trio.to_thread.run_sync(
                partial(seal_race, paths, stopped, quiet=voice.quiet)
            )
        around.cancel_scope.cancel()
    return outcome


async def _watch(
    conductor: Conductor, live: Path, voice: Voice, lines: trio.CancelScope, view: tuple[str, ...]
) -> None:
    """Show the race as soon as there is a log to follow: in the player as long as that lives, else in ``lines``."""
    await conductor.recording.wait()
    if voice.quiet:
        await _guarded(partial(watch_in_terminal, live, conductor, tell, view, conductor.environment))
        voice.quiet = False
        if not lines.cancel_called and not conductor.outcome.again:
            _tell_of_stop(conductor.control.stops, voice)
    with lines:
        await _guarded(partial(print_progress, live, tell))


async def _guarded(watch: Callable[[], Awaitable[None]]) -> None:
    try:
        await watch()
    except Exception as error:  # noqa: BLE001 - a view that breaks never touches the recording
        tell(f"the view ended ({type(error).__name__}: {error}); the recording goes on, Ctrl+C stops it")


async def _heed_signals(
    conductor: Conductor, voice: Voice, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """INT, TERM and HUP all stop the race and seal what there is, more firmly each time."""
    with trio.open_signal_receiver(*STOP_SIGNALS) as signals:
        task_status.started()
        async for number in signals:
            over, times = conductor.control.over, conductor.stop("signal")
            if number == signal.SIGHUP:
                continue
            if over:
                voice("the race is over; its log is made one file at once")
            else:
                _tell_of_stop(times, voice)


def _tell_of_stop(times: int, voice: Voice) -> None:
    """Say what becomes of a race that was told to stop so often."""
    if times:
        voice(STOPPING[min(times, len(STOPPING)) - 1])


def _close(outcome: Outcome, paths: Paths, *, in_home: bool, as_json: bool) -> int:
    """Print the result and how to go on; return the exit code.

    The result of a long race that was told to stop is computed for a program alone: it takes a second for every million
    chunks, and a person is told how to see it.
    """
    summary: RaceSummary | None = None
    if outcome.packed or as_json:
        with Log(paths.sealed) as log:
            summary = log_summary(log)
        with suppress(OSError):
            if as_json:
                emit_json(summary)
            else:
                click.echo("\n".join(summary_lines(summary, terminal_width())))
    if paths.live.exists():
        tell(
            f"some bytes of the segments are unreadable; they are kept in {paths.live} (racelog verify {paths.live})"
        )
    _say_next(paths, in_home=in_home, packed=outcome.packed)
    code = outcome.exit_code
    if code is ExitCode.OK and summary is not None and any(lane.ok == 0 for lane in summary.lanes):
        return ExitCode.ENGINE
    return code


def _say_next(paths: Paths, *, in_home: bool, packed: bool) -> None:
    """Name the log and the three things to do with it; first to pack it, if there was no time for that."""
    is_id = in_home and paths.sealed.stem == paths.live.stem
    race = paths.sealed.stem if is_id else str(paths.sealed)
    tell(f"\nrecorded {paths.sealed} ({paths.sealed.stat().st_size:,} bytes)")
    if not packed:
        tell("  it holds everything, and is not packed: that takes longer than a stop may. To make it small:")
        tell(f"  racelog compact {race}")
    tell(f"  racelog play {race} --speed 4x")
    tell(f"  racelog info {race}")
    tell(f"  racelog card {race} -o card.png")


def _plain(group: BaseExceptionGroup[RacelogError]) -> RacelogError:
    """Return the first error in a group of groups."""
    error = group.exceptions[0]
    return _plain(error) if isinstance(error, BaseExceptionGroup) else error
