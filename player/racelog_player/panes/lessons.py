"""What a teacher points at: one thing on the screen at a time, chosen by what this race's own numbers show. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from racelog.views.evidence.health import TOO_SLOW
from racelog.views.race import LaneView, RaceView
from racelog_player.panes.widgets import ms_text, rate_text
from racelog_player.terminal.cells import flat

EACH_S = 8.0
"""Seconds of the race that one callout stays: time to read two lines and to look at what they speak of."""

TAIL, TAIL_LEAST = 2.0, 100
"""A p99 so many times the median is a tail; of fewer answers p99 is only the slowest one."""


@dataclass(frozen=True, slots=True)
class Callout:
    """A word to look for on the screen, and what to see there."""

    word: str
    text: str


Rule = Callable[[RaceView], Callout | None]


def callout(race: RaceView) -> Callout | None:
    """Return what to point at where the race stands; what applies takes turns by the race's clock, nothing by chance."""
    if race.lanes and all(lane.ttft_p50_ms is None for lane in race.lanes):
        return _silence(race)
    found = [told for rule in RULES if (told := rule(race)) is not None]
    return found[int(race.position_s // EACH_S) % len(found)] if found else None


def _silence(race: RaceView) -> Callout | None:
    if not any(lane.active for lane in race.lanes):
        return None
    return Callout(
        "TTFT", "Every engine has been asked and none has answered: this silence is the time to first token."
    )


def _ranking(race: RaceView) -> Callout | None:
    first = next((lane for lane in race.lanes if lane.place == 1), None)
    if first is None:
        return None
    return Callout(
        "TTFT p50",
        f"Lanes are ranked by it. Half of {_name(first)}'s answers began within {ms_text(first.ttft_p50_ms)}, half later.",
    )


def _two_kinds_of_fast(race: RaceView) -> Callout | None:
    timed = [lane for lane in race.lanes if lane.ttft_p50_ms is not None and lane.tpot_p50_ms is not None]
    if len(timed) < 2:  # noqa: PLR2004 - nothing to compare
        return None
    soonest = min(timed, key=lambda lane: lane.ttft_p50_ms or 0.0)
    quickest = min(timed, key=lambda lane: lane.tpot_p50_ms or 0.0)
    if soonest is quickest:
        return None
    return Callout(
        "TPOT p50",
        f"{_name(soonest)} starts soonest, {_name(quickest)} writes faster: {ms_text(quickest.tpot_p50_ms)} a token "
        f"against {ms_text(soonest.tpot_p50_ms)}. A chat wants the first, a book the second.",
    )


def _tail(race: RaceView) -> Callout | None:
    def times(lane: LaneView) -> float:
        return (lane.ttft_p99_ms or 0.0) / lane.ttft_p50_ms if lane.ttft_p50_ms else 0.0

    lane = max((one for one in race.lanes if one.ok >= TAIL_LEAST), key=times, default=None)
    if lane is None or times(lane) < TAIL:
        return None
    return Callout(
        "TTFT p99",
        f"{_name(lane)} is usually at {ms_text(lane.ttft_p50_ms)}, but one request in a hundred waits "
        f"{ms_text(lane.ttft_p99_ms)} or longer. Users remember those.",
    )


def _failures(race: RaceView) -> Callout | None:
    lane = max(race.lanes, key=lambda one: one.failed, default=None)
    if lane is None or not lane.failed:
        return None
    return Callout(
        "failed",
        f"{_name(lane)} failed {lane.failed:,} of {lane.requests_done:,}. What fails early has no TTFT and spares the median: "
        "look here before you believe a low one.",
    )


def _throughput(race: RaceView) -> Callout | None:
    lane = max((one for one in race.lanes if one.active > 1), key=lambda one: one.tokens_per_s, default=None)
    if lane is None or lane.tokens_per_s <= 0:
        return None
    return Callout(
        "tok/s",
        f"{_name(lane)} writes {rate_text(lane.tokens_per_s)} tokens a second, over {lane.active} answers at once: "
        f"a single reader sees about {rate_text(lane.tokens_per_s / lane.active)}.",
    )


def _client(race: RaceView) -> Callout | None:
    if not race.health.client_limited:
        return None
    return Callout(
        TOO_SLOW,
        "The recorder was too busy to read tokens in time: part of these numbers is its own delay, not the engines'.",
    )


RULES: tuple[Rule, ...] = (_client, _ranking, _two_kinds_of_fast, _throughput, _tail, _failures)


def _name(lane: LaneView) -> str:
    return flat(lane.engine)
