"""The lanes: how far each one is, how fast it goes, how it fares. Pure."""

import math

from racelog.figures import progress
from racelog.views.race import LaneView, RaceView
from racelog_player.canvas import Line, Span, Style
from racelog_player.cells import cut, flat, left, right, take, width
from racelog_player.look import ACCENT, BAD, GOOD, SOFT, TRACK, WARN, Look, lane_color, mix
from racelog_player.motion import AT_REST, Moved
from racelog_player.parts import bar, between, line_width, rate_text, spark

_BADGES = {
    "waiting": ("○ on the grid", SOFT),
    "racing": ("● racing", GOOD),
    "finished": ("✓ finished", GOOD),
    "stopped": ("■ stopped", SOFT),
    "died": ("✗ died", BAD),
}
_BADGE_CELLS = 13
_SPARK_CELLS = 16
_LEAST_SPARK_CELLS = 4
"""Fewer show no history."""

_KIND_CELLS = 19
"""The longest kind of failure, `first_token_timeout`, whole."""

_NARROW = 80
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
    """Return the lane's status as a word with a sign."""
    if lane.paused:
        return Span("❚❚ paused", WARN)
    text, style = _BADGES.get(lane.status, (lane.status, SOFT))
    return Span(text, style)


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
    lines: list[Line] = []
    for lane in race.lanes:
        if per_lane == 1:
            lines.append(_packed(lane, look, columns, names, peak, moved=moved))
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
        Span(left(flat(lane.engine), names), Style(lane_color(lane), bold=True)),
        Span("  "),
    ]


def _bar(lane: LaneView, look: Look, cells: int, moved: Moved) -> Line:
    """Return the lane's bar. Its end is where it is at rest: a finish moves what is solid, not how far it reaches."""
    done = lane.progress or 0.0
    solid = moved.shares.get(lane.lane, done)
    return bar(look, max(1, cells), solid, done + in_flight(lane), lane_color(lane))


def _track(lane: LaneView, look: Look, columns: int, names: int, moved: Moved) -> Line:
    share = moved.shares.get(lane.lane, lane.progress)
    percent = "" if share is None else progress(share)
    tail = [
        Span(right(percent, 6)),
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
        Span(" " * (names + 6)),
        Span(counts(lane, moved)),
        Span(" done" if columns < WIDE else " requests done", SOFT),
    ]
    requests = [Span("   " + rate_text(lane.requests_per_s)), Span(" req/s", SOFT)]
    tokens = [Span("   " + right(rate_text(lane.tokens_per_s), 5)), Span(" tok/s", SOFT)]
    mean = [] if lane.status in ("waiting", "racing") else [Span(" mean", SOFT)]
    long, short = _trouble(lane, " failed"), _trouble(lane, "")
    all_of_it = [*done, *requests, *tokens]
    tried = (([*all_of_it, *mean], long), (all_of_it, long), (all_of_it, short), ([*done, *tokens], short))
    fits = ((line, why) for line, why in tried if line_width(line) + line_width(why) < columns)
    line, trouble = next(fits, (done, short))
    cells = min(_SPARK_CELLS if columns < WIDE else 60, columns - line_width(line) - line_width(trouble) - 3)
    if cells >= _LEAST_SPARK_CELLS:
        sparks = spark(lane.token_history, cells, peak)
        line = [*line, Span("  "), Span(sparks, Style(mix(lane_color(lane), TRACK, 0.25)))]
    return between(line, [*trouble, Span(" ")], columns)


def _trouble(lane: LaneView, word: str) -> Line:
    """Return how many requests failed, with ``word``, and mostly of what; or why the lane is over."""
    if lane.failed:
        worst = max(lane.errors, key=lambda kind: lane.errors[kind], default="")
        kind = Span(f" {cut(flat(worst), _KIND_CELLS)}" if worst else "", SOFT)
        return [Span(f"  {lane.failed:,}{word}", BAD), kind]
    if lane.reason and lane.status in ("died", "stopped"):
        return [Span("  " + cut(flat(lane.reason), 30), SOFT)]
    return []


def _packed(lane: LaneView, look: Look, columns: int, names: int, peak: int, *, moved: Moved) -> Line:
    sign, style = badge(lane).text[0], badge(lane).style
    tail = [
        Span(right(counts(lane, moved), 10)),
        Span(right(rate_text(lane.tokens_per_s), 7)),
        Span(" tok/s ", SOFT),
    ]
    if columns >= _NARROW:
        tail += [
            Span(left(spark(lane.token_history, 10, peak), 10), Style(mix(lane_color(lane), TRACK, 0.25))),
            Span(f" {lane.failed:>3} failed" if lane.failed else " " * 11, BAD),
        ]
    tail.append(Span(f" {sign} ", style))
    cells = columns - names - 6 - line_width(tail)
    return [*_head(lane, names), *_bar(lane, look, cells, moved), *tail]
