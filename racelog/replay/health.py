"""What a lane's recorder noted of itself, gathered up to any instant. Numbers only: `racelog.views.evidence.health` judges.

A lane's process samples itself (`HostSamples`, process ``lane:<engine>``), is calibrated before the race, and admits
to what it lost. Readings count from the lane's start to its end: what arming, warm-up and calibration cost is no
part of the race.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from racelog.events import Calibration, Gap, HostSamples
from racelog.log.rows.times import row_times

BUSY_CPU_PCT = 90.0
LATE_LOOP_US = 2_000.0
"""A reading is full when the process used 90 % of a core or more and its loop woke 2 ms late or more. A pump drains as
often as it can, so it may use all of a core and keep up; only with the lag does what arrives wait. One millisecond of
the lag is a timer's rounding."""

LATE_SEND_NS = 5_000_000
"""A request of an open loop is late when it left this long after it was due, what connecting took taken off: that depends on
the server and the road to it. A request is made ready 5 ms ahead, so a later one found its client busy all that time;
and it is a tenth of the 50 ms to a first token that this project measures with."""


def lane_process(engine: str) -> str:
    """Return the name under which the process of an engine's lane samples itself."""
    return f"lane:{engine}"


class HealthTrack:
    """One lane's readings in time order; `revision` changes when a late one had to be put between earlier ones."""

    def __init__(self) -> None:
        self.revision = 0
        self.t = array("q")
        self.cpu_pct: list[float | None] = []
        self.loop_lag_us: list[float | None] = []
        self.backlog: list[float | None] = []
        self.gaps: list[Gap] = []
        self.calibration: Calibration | None = None

    def add(self, event: HostSamples | Gap | Calibration) -> None:
        """Take one event; of several calibrations the last one told counts."""
        match event:
            case HostSamples():
                self._add_samples(event)
            case Gap():
                self.gaps.append(event)
            case Calibration():
                self.calibration = event

    def _add_samples(self, event: HostSamples) -> None:
        rows = len(event.d)
        if not rows:
            return
        times = row_times(event)
        disordered = bool(self.t) and times[0] < self.t[-1]
        self.t.extend(times)
        self.cpu_pct += event.cpu_pct
        self.loop_lag_us += event.loop_lag_us or [None] * rows
        self.backlog += event.backlog or [None] * rows
        if disordered:
            self._sort()

    def _sort(self) -> None:
        order = sorted(range(len(self.t)), key=self.t.__getitem__)
        self.t = array("q", [self.t[i] for i in order])
        self.cpu_pct = [self.cpu_pct[i] for i in order]
        self.loop_lag_us = [self.loop_lag_us[i] for i in order]
        self.backlog = [self.backlog[i] for i in order]
        self.revision += 1


class HealthFold:
    """Folds a `HealthTrack` forward; ``cpu_pct`` and ``loop_lag_us`` are ascending, nulls left out.

    ``full`` counts the readings at `BUSY_CPU_PCT` and `LATE_LOOP_US` or beyond; without a lag the CPU alone decides.
    """

    def __init__(self, track: HealthTrack) -> None:
        self.track = track
        self._restart(None)

    def _restart(self, start_ns: int | None) -> None:
        self._revision = self.track.revision
        self._start_ns = start_ns
        self._next = bisect_left(self.track.t, start_ns) if start_ns is not None else 0
        self.samples = 0
        self.full = 0
        self.cpu_pct: list[float] = []
        self.loop_lag_us: list[float] = []
        self.most_waiting = 0.0
        self.lost_chunks = 0
        self.lost_events = 0

    def copy(self) -> "HealthFold":
        """Return the fold as it stands, to go on from here a second time."""
        other = HealthFold(self.track)
        vars(other).update(vars(self), cpu_pct=list(self.cpu_pct), loop_lag_us=list(self.loop_lag_us))
        return other

    def stand_on(self, track: HealthTrack, start_ns: int | None, until_ns: int) -> None:
        """Go on over ``track`` from ``until_ns``: what it has up to and at that instant is folded already."""
        self.track, self._revision, self._start_ns = track, track.revision, start_ns
        self._next = bisect_right(track.t, until_ns)

    def state(self) -> dict[str, Any]:
        """Return everything gathered so far as plain data."""
        return {
            name: value for name, value in vars(self).items() if name != "track" and not name.startswith("_")
        }

    def advance(self, start_ns: int | None, until_ns: int) -> None:
        """Take the readings from ``start_ns`` on up to ``until_ns``, inclusive; a lane without a start has none.

        Cost: what lies between, plus a merge into what is there.
        """
        track = self.track
        if start_ns != self._start_ns or track.revision != self._revision:
            self._restart(start_ns)
        if start_ns is None:
            return
        stop = bisect_right(track.t, until_ns, self._next)
        if stop > self._next:
            rows = slice(self._next, stop)
            self.samples += stop - self._next
            self.full += sum(map(_is_full, track.cpu_pct[rows], track.loop_lag_us[rows]))
            _merge(self.cpu_pct, track.cpu_pct[rows])
            _merge(self.loop_lag_us, track.loop_lag_us[rows])
            self.most_waiting = max(
                self.most_waiting, *(waiting or 0.0 for waiting in track.backlog[rows]), 0.0
            )
            self._next = stop
        if track.gaps:
            # What a repair of the log tells as bytes was lost after it was recorded: no fault of the client.
            lost = [gap for gap in track.gaps if gap.t <= until_ns and not gap.bytes]
            self.lost_chunks = sum(gap.chunks for gap in lost)
            self.lost_events = sum(gap.events for gap in lost)


def _is_full(cpu_pct: float | None, lag_us: float | None) -> bool:
    return cpu_pct is not None and cpu_pct >= BUSY_CPU_PCT and (lag_us is None or lag_us >= LATE_LOOP_US)


def _merge(ordered: list[float], values: Sequence[float | None]) -> None:
    """Add ``values`` to an ascending list; the sort is linear, both parts being nearly in order."""
    ordered += [value for value in values if value is not None]
    ordered.sort()
