"""Requests as bars in time, newest last, and what the GPUs did meanwhile."""

from bisect import bisect_right
from itertools import islice
from typing import Literal

from msgspec import Struct

from racelog.clock import NS_PER_S
from racelog.log.rows.times import row_times
from racelog.replay.lane import LaneFold
from racelog.replay.race import Replay
from racelog.replay.request import RequestState
from racelog.views.condition import KNOWN, RECENT, is_slow, usual_ms

SHOWN = 50
Outcome = Literal["streaming", "waiting", "ok", "slow", "failed", "cancelled"]


class BarView(Struct, frozen=True, kw_only=True):
    """One request in seconds of the replay's position; ``first_s`` parts waiting from streaming."""

    req: int
    start_s: float
    first_s: float | None
    end_s: float
    outcome: Outcome
    tokens: int
    warmup: bool


class LaneBars(Struct, frozen=True, kw_only=True):
    """One lane's requests in the order they were sent."""

    lane: int
    engine: str
    color: str
    emoji: str
    bars: list[BarView]


class GpuTrack(Struct, frozen=True, kw_only=True):
    """One GPU's readings up to now, in position seconds; what was not read is None."""

    name: str
    t_s: list[float]
    util_pct: list[float | None]
    mem_used_mib: list[float | None]
    mem_total_mib: float | None


class TimelineView(Struct, frozen=True, kw_only=True):
    """The last requests of all lanes, and the window of position seconds they lie in."""

    from_s: float
    to_s: float
    lanes: list[LaneBars]
    gpus: list[GpuTrack]


def timeline_view(replay: Replay, shown: int = SHOWN) -> TimelineView:
    """Return the last ``shown`` requests sent on all lanes together, where ``replay`` stands."""
    return Timeline().view(replay, shown)


class Timeline:
    """Makes `TimelineView`s of one replay after another and remembers how long a lane's requests usually take."""

    def __init__(self) -> None:
        self._usual: dict[int, tuple[RequestState, float | None]] = {}

    def view(self, replay: Replay, shown: int = SHOWN) -> TimelineView:
        """Return the last ``shown`` requests sent on all lanes together. Cost: those, and what ended since the last view."""
        tracks = replay.tracks
        origins = {lane: tracks.origin_ns(fold.track) for lane, fold in replay.lanes.items()}
        newest = {lane: _last(fold.requests, shown) for lane, fold in replay.lanes.items()}
        instants = sorted(
            (_start(request) - origins[lane], lane, request.req)
            for lane, requests in newest.items()
            for request in requests
        )[-shown:]
        kept = {(lane, req) for _, lane, req in instants}
        lanes = [
            _lane_bars(fold, origins[lane], self._usual_ms(fold),
                       [request for request in newest[lane] if (lane, request.req) in kept])
            for lane, fold in replay.lanes.items()
        ]  # fmt: skip
        starts = [bar.start_s for lane in lanes for bar in lane.bars]
        window = min(starts, default=0.0), replay.position_ns / NS_PER_S
        return TimelineView(from_s=window[0], to_s=max(window), lanes=lanes, gpus=_gpus(replay, window[0]))

    def _usual_ms(self, fold: LaneFold) -> float | None:
        """Return the median E2E of the lane's last `RECENT` requests that ended, once it has ended enough of them."""
        if fold.ok < KNOWN:
            return None
        lane, last = fold.track.facts.lane, fold.ended[-1]
        if (known := self._usual.get(lane)) is None or known[0] is not last:
            times = [one.e2e_ms for one in fold.ended[-RECENT:] if one.counts]
            known = self._usual[lane] = last, usual_ms(sorted(ms for ms in times if ms is not None), fold.ok)
        return known[1]


def _last(requests: dict[int, RequestState], shown: int) -> list[RequestState]:
    return list(islice(reversed(requests.values()), shown))[::-1]


def _start(request: RequestState) -> int:
    return request.t_sent if request.t_sent is not None else request.t_scheduled


def _lane_bars(fold: LaneFold, origin: int, usual: float | None, requests: list[RequestState]) -> LaneBars:
    facts = fold.track.facts

    def second(t: int) -> float:
        return (t - origin) / NS_PER_S

    bars = [
        BarView(
            req=request.req,
            start_s=second(_start(request)),
            first_s=None if request.t_first is None else second(request.t_first),
            end_s=second(request.t_end if request.t_end is not None else fold.stands_ns),
            outcome=_outcome(request, usual, fold),
            tokens=request.output_tokens,
            warmup=request.phase == "warmup",
        )
        for request in requests
    ]
    return LaneBars(lane=facts.lane, engine=facts.engine, color=facts.color, emoji=facts.emoji, bars=bars)


def _outcome(request: RequestState, usual: float | None, fold: LaneFold) -> Outcome:
    if request.status == "open" and fold.over:
        return "cancelled"
    if request.status == "open":
        return "waiting" if request.t_first is None else "streaming"
    if request.status != "ok":
        return request.status
    return "slow" if is_slow(request, usual) else "ok"


def _gpus(replay: Replay, from_s: float) -> list[GpuTrack]:
    """Return each GPU's readings in the window, on the clock of the lane that started first."""
    started = [track for track in replay.tracks.lanes.values() if track.start_ns is not None]
    if not started:
        return []
    origin = replay.tracks.origin_ns(min(started, key=lambda track: track.start_ns or 0))
    found: dict[tuple[str, int], GpuTrack] = {}
    for batch in replay.tracks.gpu:
        times = row_times(batch)
        stop = bisect_right(times, origin + replay.position_ns)
        track = found.setdefault(
            (batch.source, batch.device),
            GpuTrack(name=batch.name or f"GPU {batch.device}", t_s=[], util_pct=[], mem_used_mib=[],
                     mem_total_mib=next((total for total in batch.mem_total_mib if total), None)),
        )  # fmt: skip
        for place in range(stop):
            t_s = (times[place] - origin) / NS_PER_S
            if t_s >= from_s:
                track.t_s.append(t_s)
                track.util_pct.append(batch.util_pct[place] if batch.util_pct else None)
                track.mem_used_mib.append(batch.mem_used_mib[place] if batch.mem_used_mib else None)
    return [track for _, track in sorted(found.items()) if track.t_s]
