"""The plot of a query as a PNG: `racelog.console.plots` says what is in it, here it gets its pixels."""

from io import BytesIO
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from racelog.console.axes import Axis
from racelog.console.plots import Plot, Series
from racelog_cards.fonts import draws, font
from racelog_cards.theme import THEMES, Theme
from racelog_cards.wording import shown

SIZE_PX = (1200, 675)
DPI = 72
"""One point is one pixel."""

TEXT_PX, LABEL_PX = 15, 17
_MARGINS = {"left": 0.09, "right": 0.97, "bottom": 0.15, "top": 0.93}
_NOTE_AT = (0.97, 0.02)
_X_LABEL_AT = -0.105
"""Of the axes' height: clear of the ticks' labels above it and of the note below."""

_MANY_POINTS = 2_000
"""From so many points on they are drawn small and see-through."""


def plot_png(plot: Plot, *, theme: str = "light") -> bytes:
    """Return the plot as a PNG of 1200 x 675; equal plots give equal bytes."""
    with matplotlib.style.context("default", after_reset=True):
        figure = draw_plot(plot, THEMES[theme])
        picture = BytesIO()
        figure.savefig(picture, format="png", dpi=DPI, metadata={"Software": "racelog"})
        return picture.getvalue()


def draw_plot(plot: Plot, look: Theme) -> Figure:
    """Return the plot as a Figure with an Agg canvas."""
    figure = Figure(figsize=(SIZE_PX[0] / DPI, SIZE_PX[1] / DPI), dpi=DPI, facecolor=look.background)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((
        _MARGINS["left"], _MARGINS["bottom"], _MARGINS["right"] - _MARGINS["left"], _MARGINS["top"] - _MARGINS["bottom"],
    ))  # fmt: skip
    _frame(axes, look)
    for number, series in enumerate(plot.series):
        _draw(axes, plot, series, look.lanes[number % len(look.lanes)])
    _scale(axes, plot, look)
    if any(series.name for series in plot.series):
        _legend(axes, look)
    if plot.left_out:
        figure.text(
            *_NOTE_AT, f"not drawn: {_drawable(plot.left_out)}", ha="right", color=look.faint,
            fontproperties=font(TEXT_PX - 2), parse_math=False,
        )  # fmt: skip
    return figure


def _frame(axes: Axes, look: Theme) -> None:
    axes.set_facecolor(look.background)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(look.line)
    axes.grid(visible=True, axis="both", color=look.line, linewidth=1)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=8, colors=look.muted)


def _draw(axes: Axes, plot: Plot, series: Series, color: str) -> None:
    name = _drawable(series.name) or "_"
    many = len(series.x) > _MANY_POINTS
    if plot.kind == "hist":
        alone = len(plot.series) == 1
        axes.stairs(series.y, series.x, fill=True, color=color, alpha=0.85 if alone else 0.25)
        axes.stairs(series.y, series.x, color=color, linewidth=2, label=name)
    elif plot.kind == "line":
        dot = None if len(series.x) > _MANY_POINTS // 40 else "o"
        axes.plot(series.x, series.y, color=color, linewidth=2, marker=dot, markersize=5, label=name)
    else:
        axes.scatter(
            series.x, series.y, color=color, s=9 if many else 44, alpha=0.35 if many else 0.75, linewidths=0, label=name
        )  # fmt: skip


def _scale(axes: Axes, plot: Plot, look: Theme) -> None:
    """Set the axes' ends, labels and positions as the plot has them; ends get a little air."""
    for axis, which, ends in ((plot.x, axes.xaxis, axes.set_xlim), (plot.y, axes.yaxis, axes.set_ylim)):
        air = (axis.high - axis.low) * 0.02
        ends(axis.low - (air if which is axes.xaxis or axis.low else 0.0), axis.high + air)
        which.set_ticks([at for at, _ in axis.ticks], [label for _, label in axis.ticks])
        for label in which.get_ticklabels():
            label.set_fontproperties(font(TEXT_PX))
    _name(axes, plot.x, plot.y, look)


def _name(axes: Axes, x: Axis, y: Axis, look: Theme) -> None:
    """Write what the axes show: x under its end, y above its end, both to be read without turning the head."""
    common: dict[str, Any] = {
        "color": look.text,
        "fontproperties": font(LABEL_PX, "bold"),
        "parse_math": False,
    }
    axes.text(1.0, _X_LABEL_AT, _drawable(x.label), ha="right", transform=axes.transAxes, **common)
    axes.text(0.0, 1.03, _drawable(y.label), ha="left", transform=axes.transAxes, **common)


def _drawable(text: str) -> str:
    """Return a text as the fonts at hand can draw it, so that no two of a plot's names become one."""
    return shown(text, draws, emoji=True)


def _legend(axes: Axes, look: Theme) -> None:
    legend = axes.legend(
        loc="best",
        prop=font(TEXT_PX),
        labelcolor=look.text,
        facecolor=look.panel,
        edgecolor=look.line,
        framealpha=0.9,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
