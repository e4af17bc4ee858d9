"""All that ``racelog info`` knows of a race: its summary, its clocks, its log's state, and what the recorder noticed."""

from msgspec import Struct

from racelog.clock import rfc3339
from racelog.display.figures import instant
from racelog.display.text import counted
from racelog.events import Control, Gap, Head, Note
from racelog.log.read.reader import RaceLog
from racelog.log.rewrite.verify import lost_stretches
from racelog.replay.race import RaceTracks, Replay
from racelog.views.summary import RaceSummary, race_summary


class LogState(Struct, frozen=True, kw_only=True):
    """The log a race was read from. ``bytes_per_token`` is over all output tokens, None without one."""

    path: str
    files: int
    bytes: int
    units: int
    duplicate_units: int
    events: int
    chunks: int
    writers: int
    sealed: bool
    finished: bool
    bytes_per_token: float | None
    damage: list[str]


class ClockFacts(Struct, frozen=True, kw_only=True):
    """What ties the race's time to clocks: its origin on ``CLOCK_MONOTONIC``, and the wall time then."""

    mono_origin_ns: int | None
    wall_origin: str | None


class RacePage(Struct, frozen=True, kw_only=True):
    """All that ``racelog info`` knows."""

    race: RaceSummary
    log: LogState
    clock: ClockFacts
    transports: dict[int, str]
    notes: list[str]


def race_page(log: RaceLog) -> RacePage:
    """Return the page of an opened log. Cost: one fold over the race."""
    tracks = RaceTracks(log.events)
    replay = Replay(tracks)
    race = race_summary(replay)
    report = log.report
    tokens = sum(
        request.output_tokens for fold in replay.lanes.values() for request in fold.requests.values()
    )
    state = LogState(
        path=str(log.path), files=report.files, bytes=report.bytes, units=report.units,
        duplicate_units=report.duplicate_units, events=report.events, chunks=report.chunks, writers=report.writers,
        sealed=any(head.role == "seal" for head in log.of(Head)), finished=report.finished,
        bytes_per_token=report.bytes / tokens if tokens else None, damage=lost_stretches(log),
    )  # fmt: skip
    return RacePage(
        race=race,
        log=state,
        clock=_clock(tracks),
        transports={lane: track.facts.transport for lane, track in tracks.lanes.items()},
        notes=_notes(log, tracks),
    )


def _clock(tracks: RaceTracks) -> ClockFacts:
    origin = tracks.head.mono_origin_ns if tracks.head else None
    anchor = tracks.anchor
    wall = None if anchor is None or origin is None else rfc3339(anchor.wall_ns - anchor.mono_ns + origin)
    return ClockFacts(mono_origin_ns=origin, wall_origin=wall)


def _notes(log: RaceLog, tracks: RaceTracks) -> list[str]:
    """Return what the recorder noticed, warnings and losses, in time order."""
    names = {lane: track.facts.engine for lane, track in tracks.lanes.items()}
    found = []
    for event in log.events:
        if not isinstance(event, Note | Gap | Control) or (isinstance(event, Control) and event.what == "go"):
            continue
        where = f" ({names.get(event.lane, event.lane)})" if event.lane is not None else ""
        if isinstance(event, Control):
            why = f": {event.reason}" if event.reason else ""
            what = f"order{where}: {event.what}, by {event.by}{why}"
        elif isinstance(event, Note):
            what = f"{event.level}{where}: {event.text}"
        else:
            what = f"lost{where}: {counted(event.chunks, 'chunk')}, {counted(event.events, 'event')}, {counted(event.bytes, 'byte')}: {event.reason}"
        found.append(f"{instant(event.t)} {what}")
    return found
