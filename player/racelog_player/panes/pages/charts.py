"""Charts: TTFT, TPOT and throughput over the whole race, all engines in one picture each. Pure."""

import re
from typing import ClassVar

from racelog.display.figures import tick
from racelog.views.series import LaneSeries, SeriesView
from racelog_player.panes.pages.axes import Dots, Heights, Plot, nice_top, ticks
from racelog_player.panes.pages.heads import heading, lane_sign, nothing
from racelog_player.panes.widgets import line_width, spread_rows
from racelog_player.terminal.canvas import Depth, Line, Span, Style
from racelog_player.terminal.cells import flat, right
from racelog_player.terminal.style import FAINT, HEADING, SOFT, Look, color_of

LABEL_CELLS = 9
LEAST_ROWS = 4
"""A title, two rows of dots, an axis."""

_ASCII_SIGNS = "*o+x#@%&=~"
_METRICS = (
    ("TTFT", "ms, lower is better", "ttft_ms"),
    ("TPOT", "ms a token, lower is better", "tpot_ms"),
    ("THROUGHPUT", "tokens a second, higher is better", "tokens_per_s"),
)
Values = list[float | None]
_NO_BLANK = re.compile(r"\S")


class _Drawn:
    """The last charts that were drawn: a view lasts for several frames, and of the next one most is the same."""

    of: tuple[SeriesView, Look, int, int] | None = None
    lines: tuple[Line, ...] = ()
    plots: ClassVar[dict[str, Plot]] = {}


def charts_pane(view: SeriesView, look: Look, columns: int, rows: int) -> list[Line]:
    """Return the charts in at most ``rows`` rows: three where there is room, else the first ones."""
    wanted = view, look, columns, rows
    if _Drawn.of is None or _Drawn.of[0] is not view or _Drawn.of[1:] != wanted[1:]:
        _Drawn.lines, _Drawn.of = tuple(_drawn(view, look, columns, rows)), wanted
    return list(_Drawn.lines)


def _drawn(view: SeriesView, look: Look, columns: int, rows: int) -> list[Line]:
    if not view.lanes:
        return nothing("CHARTS", "no lane has started yet")
    lines = [heading("CHARTS", _stretch(view)), _legend(view, look, columns)]
    count = min(len(_METRICS), max(1, (rows - len(lines)) // LEAST_ROWS))
    for metric, height in zip(_METRICS, spread_rows(rows - len(lines), count), strict=False):
        lines += _chart(metric, view, look, columns, height)
    return lines[:rows]


def _stretch(view: SeriesView) -> str:
    return (
        "the whole race"
        if view.whole
        else f"{tick(view.to_s - view.from_s)} s of the race, + shows less, - more"
    )


def _legend(view: SeriesView, look: Look, columns: int) -> Line:
    line: Line = [Span(" ")]
    for lane in view.lanes:
        drawn = Span(f"{_sign(lane.lane)} ", Style(color_of(lane.lane, lane.color)))
        sign = drawn if _by_sign(look) else lane_sign(lane.lane, lane.color, lane.emoji)
        part = [
            sign,
            Span(" "),
            Span(flat(lane.engine), Style(color_of(lane.lane, lane.color), bold=True)),
            Span("   "),
        ]
        if line_width([*line, *part]) <= columns:
            line += part
    return line


def _by_sign(look: Look) -> bool:
    """Return whether lines are told apart by signs: where there are no colours, or no Braille dots."""
    return look.ascii_only or look.depth is Depth.NONE


def _sign(lane: int) -> str:
    return _ASCII_SIGNS[lane % len(_ASCII_SIGNS)]


def _chart(metric: tuple[str, str, str], view: SeriesView, look: Look, columns: int, rows: int) -> list[Line]:
    """Return one chart in exactly ``rows`` rows: its title, the dots with their scale, the time axis."""
    title, unit, field = metric
    lanes: list[tuple[LaneSeries, Values]] = [(lane, getattr(lane, field)) for lane in view.lanes]
    cells, high = columns - LABEL_CELLS - 2, rows - 2
    peak = max((value for _, values in lanes for value in values if value is not None), default=0.0)
    top = nice_top(peak)
    head: Line = [Span(f" {title}", HEADING), Span(f"  {unit}", FAINT)]
    if peak <= 0:
        return [head, [Span("   nothing to draw yet", SOFT)], *([[]] * (rows - 2))]
    colors = [color_of(lane.lane, lane.color) for lane, _ in lanes]
    places = _places(view, max(len(values) for _, values in lanes), cells * 2)
    curves = [_heights(values, top, high * 4) for _, values in lanes]
    plot = _Drawn.plots.get(title)
    if plot is None or plot.frame != (cells, high, colors):
        plot = _Drawn.plots[title] = Plot(cells, high, colors)
    dots = plot.drawn(places, curves)
    signs = {color: _sign(lane.lane) for color, (lane, _) in zip(colors, lanes, strict=True)}
    body = [_row(dots, row, _label(top, row, high), signs if _by_sign(look) else {}) for row in range(high)]
    scale = ticks(view.from_s, view.to_s, cells)
    axis: Line = [Span(right("s", LABEL_CELLS) + " ", FAINT), Span(scale, FAINT)]
    return [head, *body, axis]


def _places(view: SeriesView, steps: int, dots: int) -> list[int]:
    """Return the dot column of each step's middle."""
    share = view.step_s / max(view.to_s - view.from_s, 1e-9)
    return [min(dots - 1, int((step + 0.5) * share * dots)) for step in range(steps)]


def _heights(values: Values, top: float, dots: int) -> Heights:
    """Return the dot row of each value."""
    return [None if value is None else round(value / top * (dots - 1)) for value in values]


def _label(top: float, row: int, rows: int) -> str:
    """Return the scale beside a row: the top, the middle and zero."""
    if row == 0:
        return tick(top)
    if row == rows - 1:
        return "0"
    return tick(top / 2) if rows >= 5 and row == rows // 2 else ""  # noqa: PLR2004 - the middle needs room


def _row(dots: Dots, row: int, label: str, signs: dict[str, str]) -> Line:
    line: Line = [Span(right(label, LABEL_CELLS), SOFT if label else FAINT), Span("│", FAINT)]
    for drawn, color in dots.row(row):
        shown = _NO_BLANK.sub(signs[color], drawn) if color in signs else drawn
        line.append(Span(shown, Style(color) if color else Style()))
    return line
