"""How TTFT, TPOT and throughput went over the whole race so far, in as many steps as a chart has columns."""

from msgspec import Struct

from racelog.clock import NS_PER_S
from racelog.replay.lane import LaneFold
from racelog.replay.quantiles import median
from racelog.replay.race import Replay


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
    """All lanes over 0 to ``to_s`` position seconds in ``steps`` equal steps.

    TTFT counts where the first token came, TPOT where the request ended: medians of the step. Throughput is output
    tokens (chunks times what a chunk carried on average) a second.
    """

    to_s: float
    steps: int
    lanes: list[LaneSeries]


def series_view(replay: Replay, steps: int) -> SeriesView:
    """Return the series where ``replay`` stands. Cost: every request so far."""
    until = max(1, replay.position_ns)
    lanes = [_lane_series(replay, fold, until, max(1, steps)) for fold in replay.lanes.values()]
    return SeriesView(to_s=until / NS_PER_S, steps=max(1, steps), lanes=lanes)


def _lane_series(replay: Replay, fold: LaneFold, until_ns: int, steps: int) -> LaneSeries:
    facts, track = fold.track.facts, fold.track
    origin = replay.tracks.origin_ns(track)
    first: list[list[float]] = [[] for _ in range(steps)]
    each: list[list[float]] = [[] for _ in range(steps)]

    def step(t: int) -> int:
        return min(steps - 1, max(0, (t - origin) * steps // until_ns))

    for request in fold.requests.values():
        if request.phase != "race" or request.status in ("failed", "cancelled"):
            continue
        if request.t_first is not None and request.ttft_ms is not None:
            first[step(request.t_first)].append(request.ttft_ms)
        if request.t_end is not None and request.tpot_ms is not None:
            each[step(request.t_end)].append(request.tpot_ms)
    return LaneSeries(
        lane=facts.lane, engine=facts.engine, color=facts.color, emoji=facts.emoji,
        ttft_ms=[median(sorted(values)) for values in first], tpot_ms=[median(sorted(values)) for values in each],
        tokens_per_s=[_rate(fold, origin + until_ns * (place + 1) // steps, until_ns // steps) for place in range(steps)],
    )  # fmt: skip


def _rate(fold: LaneFold, instant_ns: int, step_ns: int) -> float | None:
    """Return output tokens a second just before an instant: over one step, or a whole second where steps are shorter."""
    track = fold.track
    if track.start_ns is None or instant_ns <= track.start_ns:
        return None
    if track.end_ns is not None and instant_ns - step_ns > track.end_ns:
        return None
    window = min(max(step_ns, NS_PER_S), instant_ns - track.start_ns)
    return (
        track.token_chunks_between(instant_ns - window, instant_ns)
        * fold.tokens_per_chunk
        / window
        * NS_PER_S
    )
