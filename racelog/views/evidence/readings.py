"""The readings behind the verdict on the recorder (`racelog.views.evidence.health`): its processes, its stamps, its notes."""

from array import array
from bisect import bisect_right, insort
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from racelog.events import STAMP_CODES, HostSamples
from racelog.log.rows.times import row_times
from racelog.replay.lane import LaneFold
from racelog.replay.quantiles import quantile
from racelog.replay.race import Replay
from racelog.replay.track import LaneTrack
from racelog.views.evidence.health import RaceHealth, health_line, race_health

Verdict = Literal["good", "watch", "bad", "unknown"]


class ProcessHealth(Struct, frozen=True, kw_only=True):
    """One process (or ``host``) up to now; ``history`` is CPU percent, the last 60 readings."""

    process: str
    cpu_pct: float | None
    cpu_p99_pct: float | None
    rss_mib: float | None
    lag_p50_us: float | None
    lag_p99_us: float | None
    history: list[float]


class StampHealth(Struct, frozen=True, kw_only=True):
    """One lane's chunks so far: how many the kernel stamped, and how many shared a read with a later one."""

    lane: int
    engine: str
    chunks: int
    kernel_share: float | None
    coalesced_share: float | None


class HealthView(Struct, frozen=True, kw_only=True):
    """The verdict, the reasons for it, and the readings behind them."""

    verdict: Verdict
    reasons: list[str]
    processes: list[ProcessHealth]
    stamps: list[StampHealth]
    notes: list[str]


def health_view(replay: Replay) -> HealthView:
    """Return the recorder's health where ``replay`` stands. Cost: all readings; `Readings` is for those who ask again."""
    return Readings().view(replay)


class Readings:
    """Makes `HealthView`s of one replay after another; going forward costs the readings and stamps between."""

    def __init__(self) -> None:
        self._host: list[HostSamples] = []
        self._sorted_in = 0
        self._processes: dict[str, _Process] = {}
        self._stamped: dict[int, _Stamped] = {}

    def view(self, replay: Replay) -> HealthView:
        """Return the recorder's health where ``replay`` stands."""
        until = max((fold.position_ns for fold in replay.lanes.values()), default=replay.position_ns)
        self._sort_in(replay.tracks.host)
        notes = [note.text for note in replay.tracks.notes if note.t <= until and note.level != "info"]
        verdict, reasons = _judged(race_health(replay), notes)
        processes = [self._processes[name].health(name, until) for name in sorted(self._processes)]
        stamps = [self._stamps(fold) for fold in replay.lanes.values()]
        return HealthView(verdict=verdict, reasons=reasons, processes=processes, stamps=stamps, notes=notes)

    def _sort_in(self, host: list[HostSamples]) -> None:
        """Give every batch that is new to its process."""
        if host is not self._host:
            self._host, self._sorted_in = host, 0
            self._processes.clear()
        for batch in host[self._sorted_in :]:
            self._processes.setdefault(batch.process, _Process()).add(batch)
        self._sorted_in = len(host)

    def _stamps(self, fold: LaneFold) -> StampHealth:
        lane, track = fold.track.facts.lane, fold.track
        known = self._stamped.get(lane)
        if known is None or known.track is not track or known.revision != track.revision:
            known = self._stamped[lane] = _Stamped(track, track.revision)
        return known.health(fold.position_ns)


@dataclass(slots=True)
class _Process:
    """One process's readings in time order, and what was gathered of the first ``taken`` of them."""

    t: "array[int]" = field(default_factory=lambda: array("q"))
    rows: list[tuple[float | None, float | None, float | None]] = field(default_factory=list)
    taken: int = 0
    cpu: list[float] = field(default_factory=list)
    ranked_cpu: list[float] = field(default_factory=list)
    ranked_lag: list[float] = field(default_factory=list)
    rss: float | None = None

    def add(self, batch: HostSamples) -> None:
        """Take one batch; readings that came late are put in their place."""
        times = row_times(batch)
        disordered = bool(times and self.t and times[0] < self.t[-1])
        self.t.extend(times)
        lag = batch.loop_lag_us or [None] * len(times)
        self.rows += zip(batch.cpu_pct, batch.rss_mib, lag, strict=True)
        if disordered:
            order = sorted(range(len(self.t)), key=self.t.__getitem__)
            self.t = array("q", [self.t[place] for place in order])
            self.rows = [self.rows[place] for place in order]
            self._restart()

    def health(self, process: str, until_ns: int) -> ProcessHealth:
        """Return what is known at ``until_ns``. Cost: the readings since the last call, all of them after a step back."""
        stop = bisect_right(self.t, until_ns)
        if stop < self.taken:
            self._restart()
        for cpu, rss, lag in self.rows[self.taken : stop]:
            if cpu is not None:
                self.cpu.append(cpu)
                insort(self.ranked_cpu, cpu)
            self.rss = rss if rss is not None else self.rss
            if lag is not None:
                insort(self.ranked_lag, lag)
        self.taken = stop
        return ProcessHealth(
            process=process, cpu_pct=self.cpu[-1] if self.cpu else None, cpu_p99_pct=quantile(self.ranked_cpu, 0.99),
            rss_mib=self.rss, lag_p50_us=quantile(self.ranked_lag, 0.5),
            lag_p99_us=quantile(self.ranked_lag, 0.99), history=self.cpu[-60:],
        )  # fmt: skip

    def _restart(self) -> None:
        self.taken, self.cpu, self.ranked_cpu, self.ranked_lag, self.rss = 0, [], [], [], None


@dataclass(slots=True)
class _Stamped:
    """The stamps of a lane's first ``taken`` chunks, counted by letter."""

    track: LaneTrack
    revision: int
    taken: int = 0
    letters: Counter[str] = field(default_factory=Counter)

    def health(self, until_ns: int) -> StampHealth:
        """Return the shares at ``until_ns``. Cost: the chunks between."""
        stop = bisect_right(self.track.t, until_ns)
        between = self.track.stamp[min(stop, self.taken) : max(stop, self.taken)]
        if stop >= self.taken:
            self.letters.update(between)
        else:
            self.letters.subtract(between)
        self.taken = stop
        told = [(STAMP_CODES.get(letter, ("", False)), count) for letter, count in self.letters.items()]
        kernel = sum(count for (who, _), count in told if who == "kernel")
        joined = sum(count for (_, coalesced), count in told if coalesced)
        return StampHealth(
            lane=self.track.facts.lane, engine=self.track.facts.engine, chunks=stop,
            kernel_share=kernel / stop if stop else None, coalesced_share=joined / stop if stop else None,
        )  # fmt: skip


def _judged(health: RaceHealth, notes: list[str]) -> tuple[Verdict, list[str]]:
    """Return the verdict in one word, and the reasons: the rules' and the recorder's own warnings."""
    if health.client_limited:
        return "bad", [*health.reasons, *notes]
    if notes:
        return "watch", notes
    line = health_line(health)
    return ("good", [line]) if line else ("unknown", [])
