"""One lane in depth: its spread of latencies, its errors, and requests worth looking at."""

from typing import Literal

from msgspec import Struct

from racelog.clock import NS_PER_S
from racelog.replay.lane import LaneFold
from racelog.replay.quantiles import quantile
from racelog.replay.race import Replay
from racelog.replay.request import RequestState
from racelog.replay.track import LONGEST_S
from racelog.views.faults import said
from racelog.views.race import prompt_text

QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99)
BINS = 24


class Percentiles(Struct, frozen=True, kw_only=True):
    """One quantity in milliseconds over ``n`` requests, at p50 p75 p90 p95 p99."""

    name: str
    n: int
    least: float
    values: list[float]
    most: float


class Histogram(Struct, frozen=True, kw_only=True):
    """How many values lie in each of equal bins from ``low`` to ``high``; ``beyond`` lie above (the last 1 %)."""

    name: str
    low: float
    high: float
    counts: list[int]
    beyond: int


class Sample(Struct, frozen=True, kw_only=True):
    """One request worth a look, and why."""

    why: Literal["fastest", "typical", "slowest", "failed"]
    req: int
    ttft_ms: float | None
    e2e_ms: float | None
    tokens: int
    prompt: str
    text: str
    error: str


class DetailsView(Struct, frozen=True, kw_only=True):
    """One lane up to now; rates per second of its own time."""

    lane: int
    engine: str
    model: str
    url: str
    dialect: str
    color: str
    emoji: str
    percentiles: list[Percentiles]
    histograms: list[Histogram]
    tokens_each_s: list[int]
    requests_each_s: list[int]
    errors: dict[str, int]
    samples: list[Sample]
    connections: dict[str, int]
    token_basis: dict[str, int]


def details_view(replay: Replay, lane: int) -> DetailsView:
    """Return ``lane`` in depth where ``replay`` stands. Cost: every request so far."""
    fold = replay.lanes[lane]
    facts = fold.track.facts
    counted = [request for request in fold.requests.values() if request.counts]
    e2e = sorted(request.e2e_ms for request in counted if request.e2e_ms is not None)
    spreads = [("TTFT", fold.ttft_ms), ("TPOT", fold.tpot_ms), ("E2E", e2e)]
    basis: dict[str, int] = {}
    connections: dict[str, int] = {}
    for request in counted:
        basis[request.token_basis] = basis.get(request.token_basis, 0) + 1
        connections[request.connection or "unknown"] = connections.get(request.connection or "unknown", 0) + 1
    return DetailsView(
        lane=lane, engine=facts.engine, model=facts.model, url=facts.url, dialect=facts.dialect,
        color=facts.color, emoji=facts.emoji,
        percentiles=[_percentiles(name, values) for name, values in spreads if values],
        histograms=[histogram(name, values) for name, values in spreads if values],
        tokens_each_s=_each_second(fold, None), requests_each_s=_each_second(fold, counted),
        errors=dict(sorted(fold.errors.items(), key=lambda item: (-item[1], item[0]))),
        samples=_samples(replay, fold, counted), connections=dict(sorted(connections.items())),
        token_basis=dict(sorted(basis.items())),
    )  # fmt: skip


def histogram(name: str, ordered: list[float], bins: int = BINS) -> Histogram:
    """Return the histogram of values in ascending order; the highest 1 % is counted apart, so that the rest shows."""
    low = ordered[0]
    high = max(quantile(ordered, 0.99) or low, low)
    counts, beyond = [0] * bins, 0
    for value in ordered:
        if value > high:
            beyond += 1
        else:
            counts[min(bins - 1, int((value - low) / (high - low) * bins)) if high > low else 0] += 1
    return Histogram(name=name, low=low, high=high, counts=counts, beyond=beyond)


def _percentiles(name: str, ordered: list[float]) -> Percentiles:
    values = [quantile(ordered, q) or 0.0 for q in QUANTILES]
    return Percentiles(name=name, n=len(ordered), least=ordered[0], values=values, most=ordered[-1])


def _each_second(fold: LaneFold, counted: list[RequestState] | None) -> list[int]:
    """Return token chunks, or requests that ended well, in each whole second of the lane's own time."""
    track = fold.track
    if track.start_ns is None:
        return []
    end = fold.position_ns if track.end_ns is None else min(fold.position_ns, track.end_ns)
    seconds = max(0, end - track.start_ns) // NS_PER_S
    if seconds > LONGEST_S:
        return []
    if counted is None:
        return track.token_chunks_each_second(0, seconds)
    each = [0] * seconds
    for request in counted:
        second = ((request.t_end or 0) - track.start_ns) // NS_PER_S
        if 0 <= second < seconds:
            each[second] += 1
    return each


def _samples(replay: Replay, fold: LaneFold, counted: list[RequestState]) -> list[Sample]:
    """Return the fastest, the middle and the slowest request by E2E, and the last that failed."""
    ranked = sorted(
        (r for r in counted if r.e2e_ms is not None), key=lambda request: (request.e2e_ms or 0, request.req)
    )
    chosen: list[tuple[Literal["fastest", "typical", "slowest", "failed"], RequestState]] = []
    if ranked:
        chosen = [("fastest", ranked[0]), ("typical", ranked[len(ranked) // 2]), ("slowest", ranked[-1])]
    failed = [request for request in fold.requests.values() if request.status == "failed"]
    if failed:
        chosen.append(("failed", max(failed, key=lambda request: (request.t_end or 0, request.req))))
    return [
        Sample(
            why=why, req=r.req, ttft_ms=r.ttft_ms, e2e_ms=r.e2e_ms, tokens=r.output_tokens,
            prompt=prompt_text(replay, r.prompt), text=r.text, error=said(r.message) or r.error,
        )
        for why, r in chosen
    ]  # fmt: skip
