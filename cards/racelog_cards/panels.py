"""The parts of a card that show data: the chart, the table and its medals."""

from itertools import accumulate

from racelog_cards.charts import Bar, Chart, Curve
from racelog_cards.layout import TABLE_HEAD, Box, Layout
from racelog_cards.medals import draw_place
from racelog_cards.pen import Pen
from racelog_cards.spec import CardSpec, Row
from racelog_cards.theme import Theme, blend

TICK_PX = 13.0
TITLE_PX = 15.0
NAME_SHARE = 0.27
COLUMN_SHARES = (1.05, 0.9, 1.05, 1.25, 0.85, 0.85)
"""How the columns share what the names leave: a rate with its unit is the widest."""
FEW_CURVES = 4
ROOMY_PX = 175
"""A lower chart gives up every other gridline, and its axis label moves up beside the title."""


def draw_chart(pen: Pen, box: Box, chart: Chart, look: Theme, colors: dict[int, str]) -> None:
    """Draw ``chart`` on a panel that fills ``box``."""
    pen.panel(box, look.panel, 14)
    if chart.kind == "none":
        pen.text(
            (box.x + box.w / 2, box.y + box.h / 2 + 5), chart.title, TITLE_PX, look.faint, align="center"
        )
        return
    roomy = box.h >= ROOMY_PX
    title_w = pen.text((box.x + 22, box.y + 28), chart.title, TITLE_PX, look.text, bold=True)
    left = box.x + 26 + max((pen.width(tick.label, TICK_PX) + 8 for tick in chart.y_ticks), default=0.0)
    below = 52 if roomy else 34
    plot = Box(left, box.y + 46, box.right - 26 - left, box.h - 46 - below)
    if roomy:
        pen.text((plot.x + plot.w / 2, box.bottom - 13), chart.x_label, TICK_PX, look.faint, align="center")
    else:
        room = box.w - title_w - 70
        pen.text((box.right - 22, box.y + 28), chart.x_label, TICK_PX, look.faint, align="right", room=room)
    if chart.kind == "rate":
        _draw_rate(pen, plot, chart, look, colors)
    else:
        _draw_spread(pen, plot, chart, look, colors)


def _draw_rate(pen: Pen, plot: Box, chart: Chart, look: Theme, colors: dict[int, str]) -> None:
    x_scale = plot.w / max(curve.x[-1] for curve in chart.curves)
    y_scale = plot.h / chart.y_ticks[-1].at
    for tick in chart.y_ticks if plot.h > 80 else (chart.y_ticks[0], chart.y_ticks[-1]):  # noqa: PLR2004 - labels touch
        y = plot.bottom - tick.at * y_scale
        pen.line([(plot.x, y), (plot.right, y)], look.line)
        pen.text((plot.x - 8, y + TICK_PX * 0.36), tick.label, TICK_PX, look.faint, align="right")
    for tick in chart.x_ticks:
        pen.text(
            (plot.x + tick.at * x_scale, plot.bottom + 18), tick.label, TICK_PX, look.faint, align="center"
        )
    few = len(chart.curves) <= FEW_CURVES
    for curve in reversed(chart.curves):
        fill = look.fill if few else look.fill / 3
        _draw_curve(pen, plot, curve, scale=(x_scale, y_scale), color=colors[curve.lane], fill=fill, few=few)


def _draw_curve(
    pen: Pen, plot: Box, curve: Curve, *, scale: tuple[float, float], color: str, fill: float, few: bool
) -> None:
    points = [
        (plot.x + x * scale[0], plot.bottom - y * scale[1]) for x, y in zip(curve.x, curve.y, strict=True)
    ]
    pen.polygon([(points[0][0], plot.bottom), *points, (points[-1][0], plot.bottom)], color, alpha=fill)
    pen.line(points, color, 2.4 if few else 1.7)
    pen.disc(points[-1], 4 if few else 3, color)


def _draw_spread(pen: Pen, plot: Box, chart: Chart, look: Theme, colors: dict[int, str]) -> None:
    x_scale = plot.w / chart.x_ticks[-1].at
    for tick in chart.x_ticks:
        x = plot.x + tick.at * x_scale
        pen.line([(x, plot.y), (x, plot.bottom)], look.line)
        pen.text((x, plot.bottom + 18), tick.label, TICK_PX, look.faint, align="center")
    step = plot.h / len(chart.bars)
    half = min(step * 0.34, 15.0)
    for number, bar in enumerate(chart.bars):
        start = (plot.x, plot.y + step * (number + 0.5))
        _draw_bar(pen, bar, start, scale=x_scale, half=half, look=look, color=colors[bar.lane])


def _draw_bar(
    pen: Pen, bar: Bar, start: tuple[float, float], *, scale: float, half: float, look: Theme, color: str
) -> None:
    x, y = start
    p50, p90, p99 = (x + value * scale for value in (bar.p50, bar.p90, bar.p99))
    pen.line([(min(p90, p99), y), (p99, y)], color, 2.4)
    pen.panel(
        Box(x, y - half / 2, max(p90 - x, half), half), blend(look.panel, color, 0.5), half / 2, level=4
    )
    pen.disc((p50, y), half * 0.75, color)


def draw_table(pen: Pen, places: Layout, spec: CardSpec, look: Theme, colors: dict[int, str]) -> None:
    """Draw the column heads and a row per lane; numbers end where their head ends."""
    box = places.table
    name_w = box.w * NAME_SHARE
    unit = (box.w - name_w - 18) / sum(COLUMN_SHARES)
    rights = [box.x + name_w + unit * through for through in accumulate(COLUMN_SHARES)]
    for right, head in zip(rights, spec.columns, strict=True):
        pen.text((right, box.y + 17), head, TICK_PX, look.faint, align="right")
    for number, row in enumerate(spec.rows):
        line = Box(box.x, box.y + TABLE_HEAD + number * places.row_h, box.w, places.row_h)
        color = colors[row.lane]
        _draw_row(pen, line, row, base=places.base, rights=rights, name_w=name_w, look=look, color=color)


def _draw_row(
    pen: Pen, line: Box, row: Row, *, base: float, rights: list[float], name_w: float, look: Theme, color: str
) -> None:
    gap = min(6.0, line.h * 0.12)
    first = blend(look.panel, color, 0.14) if row.place == 1 else look.panel
    pen.panel(Box(line.x, line.y + gap / 2, line.w, line.h - gap), first, 9)
    pen.panel(Box(line.x, line.y + gap / 2, 5, line.h - gap), color, 2.5)
    baseline = line.y + line.h / 2 + base * 0.36
    radius = min(13.0, (line.h - gap) * 0.42)
    center = (line.x + 20 + radius, line.y + line.h / 2)
    draw_place(pen, center, radius, row, look)
    x = line.x + 24
    if row.mark:  # a word such as DNF is wider than a medal
        x = center[0] + max(radius, pen.width(row.mark, max(radius * 1.25, 12.5), bold=True) / 2) + 14
    room = line.x + name_w - x
    tag_w = pen.width(row.tag, TICK_PX, bold=True) + 10 if row.tag else 0.0
    width = pen.text((x, baseline), row.name, base, look.text, bold=True, room=room - tag_w)
    if row.tag:
        pen.text((x + width + 10, baseline), row.tag, TICK_PX, look.warn, bold=True)
    elif row.model and (left := room - width - 12) > 60:  # noqa: PLR2004 - less holds no name
        pen.text((x + width + 12, baseline), row.model, TICK_PX, look.faint, room=left)
    tones = {"plain": look.muted, "best": look.text, "warn": look.warn, "absent": look.faint}
    left = line.x + name_w
    for right, cell in zip(rights, row.cells, strict=True):
        bold = cell.tone == "best"
        size = pen.fit_size(
            cell.text, (base, base * 0.9, base * 0.8, base * 0.7), right - left - 14, bold=bold
        )
        pen.text((right, baseline), cell.text, size, tones[cell.tone], bold=bold, align="right")
        left = right
