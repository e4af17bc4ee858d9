"""How TTFT, TPOT and throughput went over the race so far, in as many steps as a chart has columns.

Axes have round lengths and steps stand on a grid that begins at position 0: a step that has passed keeps its value
and its place for a long while. `Series` remembers them, so making the view again costs what has ended since.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, takewhile

from msgspec import Struct

from racelog.clock import NS_PER_S
from racelog.replay.lane import LaneFold
from racelog.replay.quantiles import median
from racelog.replay.race import Replay
from racelog.replay.request import RequestState
from racelog.replay.track import LaneTrack

_LADDER = (1.0, 1.5, 2.0, 3.0, 5.0, 7.5)
_LEAST_NS = 2 * NS_PER_S
"""An axis is at least this long, and then one of these times a power of ten: from three fifths on it is filled."""

HOPS = 4
"""An axis that follows the playhead moves on by a quarter of its length at a time."""


class LaneSeries(Struct, frozen=True, kw_only=True):
    """One lane's values, a step each; None where nothing ended (or the lane did not race)."""

    lane: int
    engine: str
    color: str
    emoji: str
    ttft_ms: list[float | None]
    tpot_ms: list[float | None]
    tokens_per_s: list[float | None]


class SeriesView(Struct, frozen=True, kw_only=True):
    """All lanes on an axis from ``from_s`` to ``to_s`` position seconds; step ``i`` begins ``i * step_s`` after ``from_s``.

    TTFT counts where the first token came, TPOT where the request ended: medians of the step. Throughput is output
    tokens (chunks times what a chunk carried on average) a second. ``whole``: nothing of the race so far is left out.
    """

    from_s: float
    to_s: float
    step_s: float
    whole: bool
    lanes: list[LaneSeries]


def series_view(replay: Replay, steps: int, span_ns: int | None = None) -> SeriesView:
    """Return the series where ``replay`` stands. Cost: every request so far; `Series` is for those who ask again."""
    return Series().view(replay, steps, span_ns)


class Series:
    """Makes `SeriesView`s of one replay after another and remembers the steps that have passed."""

    def __init__(self) -> None:
        self._lanes: dict[int, _LaneBins] = {}

    def view(self, replay: Replay, steps: int, span_ns: int | None = None) -> SeriesView:
        """Return the series where ``replay`` stands, on an axis of ``steps`` steps; ``span_ns``: of the last stretch alone.

        Cost: what has ended since the last view, and ``steps`` per lane; every request after a change of the axis.
        """
        until = max(1, replay.position_ns)
        length, begin = axis_ns(replay, span_ns), 0
        step_ns = -(-length // steps)
        if length < until:
            hop = step_ns * max(1, steps // HOPS)
            begin = -(-(until - step_ns * steps) // hop) * hop
        first = begin // step_ns
        shown = range(first, max(first, (until - 1) // step_ns) + 1)
        return SeriesView(
            from_s=begin / NS_PER_S, to_s=(begin + step_ns * steps) / NS_PER_S, step_s=step_ns / NS_PER_S,
            whole=span_ns is None,
            lanes=[self._bins(replay, fold, step_ns).series(fold, shown, until) for fold in replay.lanes.values()],
        )  # fmt: skip

    def _bins(self, replay: Replay, fold: LaneFold, step_ns: int) -> "_LaneBins":
        lane, track = fold.track.facts.lane, fold.track
        origin = replay.tracks.origin_ns(track)
        kept = self._lanes.get(lane)
        wanted = track, track.revision, origin, step_ns
        if kept is None or (kept.track, kept.revision, kept.origin_ns, kept.step_ns) != wanted:
            kept = self._lanes[lane] = _LaneBins(*wanted)
        elif not kept.leads_to(fold):
            kept.forget_requests()
        kept.take(fold)
        return kept


def axis_ns(replay: Replay, span_ns: int | None = None) -> int:
    """Return how long a time axis is: round and long enough for the race so far, and no longer than one that is over.

    ``span_ns`` asks for a shorter one, which is then exactly that long.
    """
    tracks = replay.tracks
    length = round_length_ns(replay.position_ns)
    if tracks.lanes and all(track.end_ns is not None for track in tracks.lanes.values()):
        length = min(length, max(1, tracks.duration_ns()))
    return length if span_ns is None else min(length, max(1, span_ns))


def round_length_ns(least_ns: int) -> int:
    """Return the shortest round length of an axis that is at least ``least_ns``."""
    return next(length for length in _round_lengths() if length >= least_ns)


def shorter_ns(length_ns: int) -> int:
    """Return the longest round length below this one, or the shortest there is."""
    below = list(takewhile(lambda length: length < length_ns, _round_lengths()))
    return below[-1] if below else _LEAST_NS


def _round_lengths() -> Iterator[int]:
    """Yield every length an axis may have, ascending."""
    for power in count():
        for factor in _LADDER:
            if (length := int(NS_PER_S * factor * 10**power)) >= _LEAST_NS:
                yield length


@dataclass(slots=True)
class _Bin:
    """The values of one step, ascending, and their median until another comes."""

    values: list[float] = field(default_factory=list)
    middle: float | None = None

    def add(self, value: float) -> None:
        insort(self.values, value)
        self.middle = median(self.values)


@dataclass(slots=True, eq=False)
class _LaneBins:
    """One lane on one grid of steps: what has ended in each, and the chunks of those that nothing more can reach.

    ``taken`` of the fold's ended requests are in; the ``last`` of them says whether another fold goes on from there.
    """

    track: LaneTrack
    revision: int
    origin_ns: int
    step_ns: int
    taken: int = 0
    last: RequestState | None = None
    firsts: defaultdict[int, _Bin] = field(default_factory=lambda: defaultdict(_Bin))
    ends: defaultdict[int, _Bin] = field(default_factory=lambda: defaultdict(_Bin))
    chunks: dict[int, int] = field(default_factory=dict)

    def leads_to(self, fold: LaneFold) -> bool:
        """Return whether ``fold`` has ended what is taken here, and maybe more."""
        return self.last is None or (
            len(fold.ended) >= self.taken and fold.ended[self.taken - 1] is self.last
        )

    def forget_requests(self) -> None:
        """Begin the requests anew: the replay went back."""
        self.taken, self.last = 0, None
        self.firsts.clear()
        self.ends.clear()

    def take(self, fold: LaneFold) -> None:
        """Enter what has ended since."""
        for request in fold.ended[self.taken :]:
            if request.counts and request.t_first is not None and request.ttft_ms is not None:
                self.firsts[self._step(request.t_first)].add(request.ttft_ms)
            if request.counts and request.t_end is not None and request.tpot_ms is not None:
                self.ends[self._step(request.t_end)].add(request.tpot_ms)
        self.taken, self.last = len(fold.ended), fold.ended[-1] if fold.ended else None

    def series(self, fold: LaneFold, shown: range, until_ns: int) -> LaneSeries:
        """Return the values of the steps ``shown``, the open requests' first tokens among them."""
        facts = self.track.facts
        opened: dict[int, list[float]] = {}
        for request in fold.open.values():
            if request.phase == "race" and request.t_first is not None and request.ttft_ms is not None:
                opened.setdefault(self._step(request.t_first), []).append(request.ttft_ms)
        firsts = [bins.middle if (bins := self.firsts.get(step)) else None for step in shown]
        for step in opened.keys() & set(shown):
            closed = self.firsts[step].values if step in self.firsts else []
            firsts[step - shown.start] = median(sorted([*closed, *opened[step]]))
        return LaneSeries(
            lane=facts.lane, engine=facts.engine, color=facts.color, emoji=facts.emoji, ttft_ms=firsts,
            tpot_ms=[bins.middle if (bins := self.ends.get(step)) else None for step in shown],
            tokens_per_s=[self._rate(fold, step, until_ns) for step in shown],
        )  # fmt: skip

    def _step(self, instant_ns: int) -> int:
        return max(0, instant_ns - self.origin_ns) // self.step_ns

    def _rate(self, fold: LaneFold, step: int, until_ns: int) -> float | None:
        """Return output tokens a second at the end of a step: over it, or a whole second where steps are shorter."""
        track = self.track
        end = self.origin_ns + min((step + 1) * self.step_ns, until_ns)
        if track.start_ns is None or end <= track.start_ns:
            return None
        if track.end_ns is not None and end - self.step_ns > track.end_ns:
            return None
        begin = max(track.start_ns, min(end - NS_PER_S, self.origin_ns + step * self.step_ns))
        chunks = self.chunks.get(step)
        if chunks is None:
            chunks = track.token_chunks_between(begin, end)
            if end < until_ns + self.origin_ns and track.token_t and end < track.token_t[-1]:
                self.chunks[step] = chunks
        return chunks * fold.tokens_per_chunk / (end - begin) * NS_PER_S
