"""The lanes: how far each one is, how fast it goes, how it fares. Pure."""

import math
from dataclasses import dataclass

from racelog.display.figures import percent, progress
from racelog.display.text import counted
from racelog.views.race import LaneView, RaceView
from racelog.views.verdict import status_word
from racelog_player.model.animation import AT_REST, Moved
from racelog_player.panes.widgets import bar, between, line_width, rate_text, spark
from racelog_player.terminal.canvas import Line, Span, Style
from racelog_player.terminal.cells import cut, flat, left, named, right, take, width
from racelog_player.terminal.style import ACCENT, BAD, GOOD, SOFT, TRACK, WARN, Look, lane_color, mix

_BADGES = {
    "waiting": ("○ not started", SOFT),
    "racing": ("● racing", GOOD),
    "finished": ("✓ finished", GOOD),
    "stopped": ("■ stopped", SOFT),
    "died": (f"✗ {status_word('died')}", BAD),
}
_CONDITIONS = {"good": ("●", GOOD), "warning": ("!", WARN), "failing": ("✗", BAD)}
"""The sign and the style of a lane by how it fares (`racelog.views.condition`); never by its colour alone."""

_BADGE_CELLS = 15
_SPARK_CELLS = 16
_LEAST_SPARK_CELLS = 4
"""Fewer show no history."""

_KIND_CELLS = 19
"""The longest kind of failure, `first_token_timeout`, whole."""

_LEAST_BAR = 8
"""A shorter bar shows less than its number does."""

_PACKED_SPARK, _RATE_CELLS = 10, 12
_TROUBLE_CELLS = 12
"""What a lane in one row has for its failures: ``9,999 failed``, whole."""

WIDE = 100
"""From this many columns on a screen is wide: longer names, more numbers, whole words."""

FIRST_GUESS_S = 3.0
"""How long a request is taken to last until the lane's own requests say better."""


def emoji(lane: LaneView) -> Span:
    """Return the lane's emoji in two cells, or a sign in its colour."""
    sign = take(flat(lane.emoji), 2).strip()
    return Span(left(sign, 2)) if sign else Span("◆ ", Style(lane_color(lane)))


def name_cells(race: RaceView, columns: int) -> int:
    """Return the width that all lanes' names share on a screen of ``columns``."""
    return min(
        16 if columns < WIDE else 28, max((width(flat(lane.engine)) for lane in race.lanes), default=0)
    )


def badge(lane: LaneView) -> Span:
    """Return the lane's status as a word with a sign; of one that does not fare well, what is wrong with it."""
    if lane.dnf and lane.status in ("finished", "stopped"):
        return Span("✗ DNF", BAD)
    if lane.paused:
        return Span("❚❚ paused", WARN)
    text, style = _BADGES.get(lane.status, (lane.status, SOFT))
    sign, told = _CONDITIONS[lane.condition]
    if lane.condition == "good" or lane.status not in ("racing", "finished"):
        return Span(text, style)
    if lane.status == "racing":
        return Span(f"{sign} {lane.condition_word}", told)
    return Span(f"{sign} {percent(lane.failed / max(1, lane.failed + lane.ok))} failed", told)


def in_flight(lane: LaneView) -> float:
    """Return the open requests' estimated share of the lane's task, 0 to 1; the lane's count never includes it.

    Each open request approaches one whole as it outlasts the lane's mean (1 - exp(-2x) of x means), so the
    bar creeps on between finishes and a finish always moves it forward.
    """
    if not lane.target_requests or lane.status != "racing":
        return 0.0
    done = lane.requests_done
    mean_s = lane.elapsed_s * max(1, lane.active) / done if done else FIRST_GUESS_S
    if mean_s <= 0:
        return 0.0
    shares = [1 - math.exp(-2 * stream.elapsed_s / mean_s) for stream in lane.streams]
    if not shares:
        return 0.0
    return sum(shares) / len(shares) * lane.active / lane.target_requests


def lanes_pane(
    race: RaceView,
    look: Look,
    columns: int,
    per_lane: int,
    *,
    chosen: int | None = None,
    moved: Moved = AT_REST,
) -> list[Line]:
    """Return the lanes in ``per_lane`` rows each: 1 packed, 2 with a line of numbers, 3 with a blank after it.

    The ``chosen`` one has a sign before its name; bars and counts are where ``moved`` says they are on their way.
    """
    peak = max((value for lane in race.lanes for value in lane.token_history), default=0)
    names = name_cells(race, columns)
    fit = _fit(race, columns, names)
    lines: list[Line] = []
    for lane in race.lanes:
        if per_lane == 1:
            lines.append(_packed(lane, look, columns, names, peak, moved=moved, fit=fit))
        else:
            lines += [_track(lane, look, columns, names, moved), _numbers(lane, columns, names, peak, moved)]
        if lane.lane == chosen:
            lines[-min(2, per_lane)][0] = Span("▸", ACCENT)
        lines += [[] for _ in range(per_lane - 2)]
    return lines


def _head(lane: LaneView, names: int) -> Line:
    return [
        Span(" "),
        emoji(lane),
        Span(" "),
        Span(named(lane.engine, names), Style(lane_color(lane), bold=True)),
        Span("  "),
    ]


def _bar(lane: LaneView, look: Look, cells: int, moved: Moved) -> Line:
    """Return the lane's bar. Its end is where it is at rest: a finish moves what is solid, not how far it reaches."""
    done = lane.progress or 0.0
    solid = moved.shares.get(lane.lane, done)
    return bar(look, max(1, cells), solid, done + in_flight(lane), lane_color(lane))


def _track(lane: LaneView, look: Look, columns: int, names: int, moved: Moved) -> Line:
    share = moved.shares.get(lane.lane, lane.progress)
    far = "" if share is None else progress(share)
    tail = [
        Span(right(far, 6)),
        Span("  "),
        Span(left(badge(lane).text, _BADGE_CELLS + 1), badge(lane).style),
    ]
    cells = columns - names - 6 - 6 - 2 - _BADGE_CELLS - 1
    return [*_head(lane, names), *_bar(lane, look, cells, moved), *tail]


def counts(lane: LaneView, moved: Moved = AT_REST) -> str:
    """Return the requests done, of how many where that is known."""
    return f"{moved.done.get(lane.lane, lane.requests_done):,}" + (
        f"/{lane.target_requests:,}" if lane.target_requests else ""
    )


def _numbers(lane: LaneView, columns: int, names: int, peak: int, moved: Moved) -> Line:
    """Return a lane's numbers and what is wrong with it; for want of room words and numbers give way, not the trouble."""
    done = [
        Span(" " * (names + 6), Style(lane_color(lane))),  # whose row it is, for the mouse
        Span(counts(lane, moved)),
        Span(" done" if columns < WIDE else " requests done", SOFT),
    ]
    requests = [Span("   " + rate_text(lane.requests_per_s)), Span(" req/s", SOFT)]
    tokens = [Span("   " + right(rate_text(lane.tokens_per_s), 5)), Span(" tok/s", SOFT)]
    mean = [] if lane.status in ("waiting", "racing") else [Span(" mean", SOFT)]
    all_of_it = [*done, *requests, *tokens]
    whole, kinds, *shorter = troubles(lane)
    tried = [([*all_of_it, *mean], whole), (all_of_it, whole), (all_of_it, kinds), ([*done, *tokens], kinds)]
    tried += [(line, why) for why in shorter for line in (all_of_it, [*done, *tokens])]
    fits = ((line, why) for line, why in tried if line_width(line) + line_width(why) < columns)
    line, trouble = next(fits, (done, shorter[-1]))
    cells = min(_SPARK_CELLS if columns < WIDE else 60, columns - line_width(line) - line_width(trouble) - 3)
    if cells >= _LEAST_SPARK_CELLS:
        sparks = spark(lane.token_history, cells, peak)
        line = [*line, Span("  "), Span(sparks, Style(mix(lane_color(lane), TRACK, 0.25)))]
    return between(line, [*trouble, Span(" ")], columns)


def troubles(lane: LaneView) -> list[Line]:
    """Return what is wrong with a lane in five forms, the longest first: every kind of error, how many, and slow answers.

    ``181 failed: 150 refused, 31 http  3 slow`` · ``150 refused, 31 http  3 slow`` · ``150 refused +1 kind  3 slow`` ·
    ``181 failed  3 slow`` · ``181 failed``; for a lane that did not end well by itself, why.
    """
    slow = [Span(f"  {lane.slow:,} slow", WARN)] if lane.slow else []
    if not lane.failed:
        ended = lane.reason and lane.status in ("died", "stopped")
        why = [Span("  " + cut(flat(lane.reason), 30), SOFT)] if ended else []
        return [[*why, *slow], why or slow, why or slow, why or slow, why or slow]
    worst = sorted(lane.errors, key=lambda kind: (-lane.errors[kind], kind))
    named = [f"{lane.errors[kind]:,} {cut(flat(kind), _KIND_CELLS)}" for kind in worst]
    total, first = f"  {lane.failed:,} failed", named[0] if named else f"{lane.failed:,} failed"
    listed = ", ".join(named) if len(named) > 1 else flat(worst[0]) if worst else ""
    more = f" +{counted(len(named) - 1, 'kind')}" if len(named) > 1 else ""
    return [
        [Span(total, BAD), Span(f": {listed}" if listed else "", SOFT), *slow],
        [Span("  " + (", ".join(named) or first), BAD), *slow],
        [Span(f"  {first}", BAD), Span(more, SOFT), *slow],
        [Span(total, BAD), *slow],
        [Span(total, BAD)],
    ]


@dataclass(frozen=True, slots=True)
class _Fit:
    """What a lane in one row has room for, the same for all lanes of a race; cells of a part that is left out are 0."""

    counts: int
    requests: int
    tokens: int
    trouble: int
    spark: int


def _fit(race: RaceView, columns: int, names: int) -> _Fit:
    """Return what fits: how many failed before the rates, those before the history; the bar keeps eight cells."""
    room = columns - names - 6 - 6 - 3 - _LEAST_BAR
    counted_cells = 1 + max((width(counts(lane)) for lane in race.lanes), default=0)
    wanted = [
        ("trouble", _TROUBLE_CELLS if any(lane.failed for lane in race.lanes) else 0),
        ("tokens", _RATE_CELLS), ("requests", _RATE_CELLS), ("spark", _PACKED_SPARK + 2),
    ]  # fmt: skip
    fits = {"counts": min(room, counted_cells)}
    for part, cells in wanted:
        fits[part] = cells if sum(fits.values()) + cells <= room else 0
    return _Fit(**fits)


def _packed(
    lane: LaneView, look: Look, columns: int, names: int, peak: int, *, moved: Moved, fit: _Fit
) -> Line:
    """Return a lane in one row."""
    share = moved.shares.get(lane.lane, lane.progress)
    tail = [
        Span(right("" if share is None else progress(share), 6)),
        Span(right(counts(lane, moved), fit.counts)),
    ]
    rates = ((fit.requests, lane.requests_per_s, " req/s"), (fit.tokens, lane.tokens_per_s, " tok/s"))
    for cells, rate, word in rates:
        tail += [Span(right(rate_text(rate), cells - len(word))), Span(word, SOFT)] if cells else []
    if fit.trouble:
        said = next((why for why in troubles(lane) if line_width(why) <= fit.trouble), [])
        tail += [*said, Span(" " * (fit.trouble - line_width(said)))]
    if fit.spark:
        sparks = spark(lane.token_history, _PACKED_SPARK, peak)
        tail += [Span("  "), Span(left(sparks, _PACKED_SPARK), Style(mix(lane_color(lane), TRACK, 0.25)))]
    tail.append(Span(f" {left(badge(lane).text.split(' ')[0], 2)}", badge(lane).style))
    return [*_head(lane, names), *_bar(lane, look, columns - names - 6 - line_width(tail), moved), *tail]
