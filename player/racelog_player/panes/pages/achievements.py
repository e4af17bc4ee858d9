"""The achievements gallery: what was earned and by whom, and how far the others have come. Pure."""

from racelog.views.race import LaneView
from racelog.views.story.rows import Achievement
from racelog_player.model.times import clock_text
from racelog_player.panes.pages.heads import heading
from racelog_player.panes.widgets import scrolled
from racelog_player.terminal.canvas import Line, Span, Style
from racelog_player.terminal.cells import left, named, right
from racelog_player.terminal.style import FAINT, GOOD, SOFT, STRONG, WARN, lane_color

_BAR = 16


def achievements_pane(
    rows_of: list[Achievement], lanes: list[LaneView], columns: int, rows: int, scroll: int
) -> list[Line]:
    """Return the gallery, scrolled down by ``scroll`` rows: an achievement each, its lanes below it."""
    keys = list(dict.fromkeys(row.key for row in rows_of))
    names = {lane.lane: lane for lane in lanes}
    earned = len({row.key for row in rows_of if row.progress >= 1})
    body: list[Line] = []
    for key in keys:
        body += _one([row for row in rows_of if row.key == key], names, columns)
    return [heading("ACHIEVEMENTS", f"{earned} of {len(keys)} earned"), [], *scrolled(body, rows - 2, scroll)]


def _one(rows: list[Achievement], lanes: dict[int, LaneView], columns: int) -> list[Line]:
    first = rows[0]
    won = any(row.progress >= 1 for row in rows)
    sign = Span(" ★ " if won else " ☆ ", WARN if won else FAINT)
    lines: list[Line] = [
        [
            sign,
            Span(first.name, STRONG if won else SOFT),
            Span(f"  {first.told}", SOFT),
            Span(f"  {first.category}", FAINT),
        ]
    ]
    best = sorted(rows, key=lambda row: (-row.progress, row.lane or 0))
    shown = best if columns >= 100 else best[:1]  # noqa: PLR2004 - a narrow screen shows the nearest lane
    for row in shown:
        lane = lanes.get(row.lane) if row.lane is not None else None
        name = Span(named(lane.engine, 18), Style(lane_color(lane))) if lane else Span(left("you", 18), SOFT)
        done = round(row.progress * _BAR)
        bar = [
            Span("━" * done, GOOD if row.progress >= 1 else Style("accent")),
            Span("─" * (_BAR - done), FAINT),
        ]
        when = f"  at {clock_text(row.position_ns).split('.')[0]}" if row.position_ns is not None else ""
        lines.append(
            [
                Span("     "),
                name,
                Span(" "),
                *bar,
                Span(right(f"{int(row.progress * 100)} %", 6), SOFT),
                Span(when, FAINT),
            ]
        )
    return lines
