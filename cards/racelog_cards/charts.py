"""Which chart tells this race's story, and every point, tick and word of it. Pure."""

from math import ceil
from typing import Literal

from msgspec import Struct

from racelog.display.figures import MS_PER_S, duration_parts, tick
from racelog.views.summary import LaneSummary
from racelog_cards.numbers import round_steps

LEAST_SECONDS = 5
"""A rate per second needs a few seconds to have a shape; shorter races show how TTFT spreads instead."""
MOST_POINTS = 100
SECONDS_PER_MINUTE = 60
SAME_COUNT = 0.01


class Tick(Struct, frozen=True):
    """A labelled position of an axis."""

    at: float
    label: str


class Curve(Struct, frozen=True, kw_only=True):
    """A lane's rate over time: seconds and chunks per second."""

    lane: int
    x: tuple[float, ...]
    y: tuple[float, ...]


class Bar(Struct, frozen=True, kw_only=True):
    """How a lane's TTFT spreads, milliseconds."""

    lane: int
    p50: float
    p90: float
    p99: float


class Chart(Struct, frozen=True, kw_only=True):
    """One chart: ``rate`` draws curves, ``spread`` draws bars, ``none`` only says why."""

    kind: Literal["rate", "spread", "none"]
    title: str
    x_label: str = ""
    x_ticks: tuple[Tick, ...] = ()
    y_ticks: tuple[Tick, ...] = ()
    curves: tuple[Curve, ...] = ()
    bars: tuple[Bar, ...] = ()


def chart_of(lanes: list[LaneSummary]) -> Chart:
    """Return the rate over time where the race is long enough to have one, else the spread of TTFT."""
    flowing = [lane for lane in lanes if any(lane.timeline_tokens_per_s)]
    if max((lane.duration_s for lane in flowing), default=0.0) >= LEAST_SECONDS:
        return _rate_chart(flowing)
    bars = tuple(
        Bar(lane=lane.lane, p50=lane.ttft_ms.p50, p90=lane.ttft_ms.p90, p99=lane.ttft_ms.p99)
        for lane in lanes
        if lane.ttft_ms
    )
    return _spread_chart(bars) if bars else Chart(kind="none", title="No finished request to draw")


def _rate_chart(lanes: list[LaneSummary]) -> Chart:
    curves = tuple(_curve(lane) for lane in lanes)
    longest = max(curve.x[-1] for curve in curves)
    in_minutes = longest > 3 * SECONDS_PER_MINUTE
    unit = SECONDS_PER_MINUTE if in_minutes else 1
    x_ticks = [step * unit for step in round_steps(longest / unit, 6) if step * unit <= longest]
    whose = "the start" if len(lanes) == 1 else "each lane's start"
    return Chart(
        kind="rate",
        title=f"{'Tokens' if all(map(_one_token_per_chunk, lanes)) else 'Text chunks'} arriving per second",
        x_label=f"{'minutes' if in_minutes else 'seconds'} since {whose}",
        x_ticks=tuple(Tick(at, tick(at / unit)) for at in x_ticks),
        y_ticks=_ticks(max(max(curve.y) for curve in curves), 3),
        curves=curves,
    )


def _spread_chart(bars: tuple[Bar, ...]) -> Chart:
    top = max(bar.p99 for bar in bars)
    in_ms = duration_parts(top)[1] == "ms"
    scale = 1.0 if in_ms else MS_PER_S
    return Chart(
        kind="spread",
        title="Time to first token",
        x_label=f"{'milliseconds' if in_ms else 'seconds'}; dot: median, bar: up to p90, line: up to p99",
        x_ticks=tuple(Tick(step * scale, tick(step)) for step in round_steps(top / scale, 5)),
        bars=bars,
    )


def _ticks(top: float, at_most: int) -> tuple[Tick, ...]:
    return tuple(Tick(step, tick(step)) for step in round_steps(top, at_most))


def _curve(lane: LaneSummary) -> Curve:
    """Return the lane's chunks per second, at most 100 points, flat over its first and last half bucket."""
    spans = _spans(lane.timeline_tokens_per_s, lane.duration_s)
    middles = tuple(round((start + end) / 2, 6) for start, end, _ in spans)
    rates = tuple(round(count / (end - start), 6) for start, end, count in spans)
    return Curve(lane=lane.lane, x=(0.0, *middles, round(spans[-1][1], 6)), y=(rates[0], *rates, rates[-1]))


def _spans(per_second: list[int], duration_s: float) -> list[tuple[float, float, int]]:
    """Return (start, end, chunks) of equal spans; what is left over at the end joins the span before it.

    The last second of a lane is only begun, so its count is divided by what there was of it.
    """
    width = ceil(len(per_second) / MOST_POINTS)
    end_s = max(duration_s, len(per_second) - 1 + 1e-3)
    spans: list[tuple[float, float, int]] = []
    for first in range(0, len(per_second), width):
        end = min(float(first + width), end_s)
        count = sum(per_second[first : first + width])
        if spans and end - first < width / 2:
            start, _, before = spans.pop()
            spans.append((start, end, before + count))
        else:
            spans.append((float(first), end, count))
    return spans


def _one_token_per_chunk(lane: LaneSummary) -> bool:
    """Return True where a chunk is a token, as far as the lane's own count can tell."""
    chunks = sum(lane.timeline_tokens_per_s)
    whole = lane.ok == lane.requests and lane.token_basis == ["usage"]
    return whole and abs(chunks - lane.output_tokens) <= SAME_COUNT * lane.output_tokens
