"""Cutting: a stretch of a race as a log of its own, in which what was open at its start still makes sense.

Inside the stretch every fact is kept at its own instant. Of what came before, these stay: the race, its lanes, its
prompts and its first clock reading; the lanes' starts and ends; and every request of which any part lies in the
stretch, or that was under way when it began, from its scheduling on. So a fold at the stretch's start shows those
requests as the whole log does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from racelog.display.figures import instant
from racelog.errors import InputError
from racelog.events import (
    AnyEvent,
    Calibration,
    ClockAnchor,
    Control,
    EngineSamples,
    Finish,
    GpuSamples,
    Head,
    HostSamples,
    LaneEnd,
    LaneFacts,
    LaneStart,
    Note,
    Prompt,
    RaceFacts,
    RequestEnd,
    RequestEvent,
    RequestScheduled,
    RequestSent,
    ResponseHeaders,
    Tokens,
    Usage,
)
from racelog.log.format.codec import MAX_T_NS, MIN_T_NS
from racelog.log.format.lifecycle import RequestKey
from racelog.log.rows.chunks import chunk_rows, columns
from racelog.log.rows.rows import lane_of
from racelog.log.rows.samples import Samples
from racelog.log.rows.times import row_times
from racelog.log.rows.window import part_between

CUT_REASONS = frozenset({"cut", "put together from cuts"})
"""The ``reason`` in the end of a file that may hold facts another file of its race holds as well."""


@dataclass(frozen=True, slots=True)
class Window:
    """The instants from ``start_ns`` to before ``end_ns`` on the race's clock, and the lanes (None: all)."""

    start_ns: int = MIN_T_NS
    end_ns: int = MAX_T_NS + 1
    lanes: frozenset[int] | None = None

    @classmethod
    def between(cls, start_ns: int | None, end_ns: int | None, lane: int | None = None) -> Self:
        """Return the window between two instants, None where it is open, of one lane or (None) all."""
        return cls(
            MIN_T_NS if start_ns is None else start_ns,
            MAX_T_NS + 1 if end_ns is None else end_ns,
            None if lane is None else frozenset({lane}),
        )

    def __contains__(self, t_ns: int) -> bool:
        """Tell whether an instant lies inside."""
        return self.start_ns <= t_ns < self.end_ns

    def keeps_lane(self, lane: int | None) -> bool:
        """Tell whether a fact of ``lane`` is wanted; those of no lane always are."""
        return lane is None or self.lanes is None or lane in self.lanes


def cut(events: list[AnyEvent], window: Window) -> list[AnyEvent]:
    """Return the part of a race that ``window`` shows, in time order, heads and ends left out.

    Where something was left out, a `Note` at the edge of the window says so; a cut that covers everything is
    everything, and cutting again changes nothing.

    Raises:
        InputError: nothing of the race lies in the window, and no request was under way.
    """
    rest = [event for event in events if not isinstance(event, Head | Finish)]
    requests = _Requests(rest, window)
    first_clock = next((event for event in rest if isinstance(event, ClockAnchor)), None)
    kept: list[AnyEvent] = []
    for event in rest:
        if event is first_clock:
            kept.append(event)
        elif window.keeps_lane(lane_of(event)):
            kept += _part(event, window, requests)
    if not any(isinstance(event, RequestScheduled) or _touches(event, window) for event in kept):
        raise InputError(f"nothing to cut {_bounds(window)}{_spans(rest)}")
    if _weight(kept) < _weight(rest):
        kept.append(_edge_note(window))
    return sorted(kept, key=lambda event: event.t)


class _Requests:
    """Which requests a cut keeps: those with any part in the window, and those under way at its start."""

    def __init__(self, events: Iterable[AnyEvent], window: Window) -> None:
        self._window = window
        self._begun: set[RequestKey] = set()
        self._ended: set[RequestKey] = set()
        self._inside: set[RequestKey] = set()
        for event in events:
            if isinstance(event, Tokens):
                for t, request in zip(row_times(event), event.r, strict=True):
                    self._take((event.lane, request), t, ends=False)
            elif isinstance(event, RequestEvent):
                self._take((event.lane, event.req), event.t, ends=isinstance(event, RequestEnd))
        self._kept = self._inside | (self._begun - self._ended)

    def __contains__(self, key: RequestKey) -> bool:
        return key in self._kept

    def _take(self, key: RequestKey, t: int, *, ends: bool) -> None:
        if t in self._window:
            self._inside.add(key)
        elif t < self._window.start_ns:
            self._begun.add(key)
            if ends:
                self._ended.add(key)


def _part(event: AnyEvent, window: Window, requests: _Requests) -> list[AnyEvent]:
    """Return what of one event is kept: all of it, some of its rows, or nothing."""
    match event:
        case RaceFacts() | LaneFacts() | Prompt() | Calibration():
            keep = True
        case LaneStart() | LaneEnd() | Control():
            keep = event.t < window.end_ns
        case RequestScheduled() | RequestSent() | ResponseHeaders() | Usage() | RequestEnd():
            keep = event.t < window.end_ns and (event.lane, event.req) in requests
        case Tokens():
            return _chunks(event, window, requests)
        case HostSamples() | GpuSamples() | EngineSamples():
            part = part_between(event, window.start_ns, window.end_ns)
            return [] if part is None else [part]
        case _:
            keep = event.t in window
    return [event] if keep else []


def _chunks(batch: Tokens, window: Window, requests: _Requests) -> list[AnyEvent]:
    rows = chunk_rows(batch)
    kept = [row for row in rows if row[0] < window.end_ns and (batch.lane, row[1]) in requests]
    if len(kept) == len(rows):
        return [batch]
    return [columns(batch.lane, kept)] if kept else []


def _touches(event: AnyEvent, window: Window) -> bool:
    """Tell whether any fact of ``event`` lies in the window."""
    if isinstance(event, Tokens | Samples):
        return any(t in window for t in row_times(event))
    return event.t in window


def _weight(events: Iterable[AnyEvent]) -> int:
    """Return how many facts there are, rows of columns counted one by one."""
    return sum(len(event.d) if isinstance(event, Tokens | Samples) else 1 for event in events)


def _edge_note(window: Window) -> Note:
    """Return the note that says this is a cut, just outside the window so that cuts fit together."""
    t = window.end_ns if window.end_ns <= MAX_T_NS else max(MIN_T_NS, window.start_ns - 1)
    return Note(t=t, text=f"cut {_bounds(window)}: requests under way at its edges may be incomplete")


def _bounds(window: Window) -> str:
    """Return what a window shows, in words."""
    bounds = []
    if window.start_ns > MIN_T_NS:
        bounds.append(f"from {window.start_ns / 1e9:g} s")
    if window.end_ns <= MAX_T_NS:
        bounds.append(f"to {window.end_ns / 1e9:g} s")
    if window.lanes is not None:
        bounds.append(f"lane {', '.join(str(lane) for lane in sorted(window.lanes))}")
    return " ".join(bounds) or "the whole race"


def _spans(events: Sequence[AnyEvent]) -> str:
    if not events:
        return "; the log is empty"
    return f"; the race has facts from {instant(events[0].t)} to {instant(events[-1].t)}"
