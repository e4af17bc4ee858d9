"""A plot as lines of text: Braille dots where the terminal shows them, letters and signs of ASCII where it does not. Pure."""

from collections.abc import Iterator
from itertools import pairwise

import click

from racelog.console.axes import Axis, short
from racelog.console.plots import Plot, Series
from racelog.display.cells import cut
from racelog.display.cells import width as cells
from racelog.display.text import printable

COLORS = ("cyan", "yellow", "magenta", "green", "red", "blue", "white", "bright_black")
SIGNS = "*o+x#@%&"
"""One for each series where dots could not tell them apart."""

ROWS, LEAST_ROWS = 16, 4
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


class Field:
    """Cells that hold dots: 2 by 4 of Braille in each, or one sign. A cell shows the series that was set last."""

    def __init__(self, columns: int, rows: int, *, braille: bool) -> None:
        self.across, self.down = (2, 4) if braille else (1, 1)
        self.width, self.height = columns * self.across, rows * self.down
        self._braille = braille
        self._bits = [[0] * columns for _ in range(rows)]
        self._owner = [[0] * columns for _ in range(rows)]

    def set(self, x: int, y: int, owner: int) -> None:
        """Set the dot ``x`` from the left and ``y`` from the bottom."""
        upside = self.height - 1 - y
        row, column = upside // self.down, x // self.across
        self._bits[row][column] |= _BITS[upside % self.down][x % self.across]
        self._owner[row][column] = owner

    def line(self, start: tuple[int, int], end: tuple[int, int], owner: int) -> None:
        """Set the dots from one point to another."""
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
        for step in range(steps + 1):
            x = start[0] + round((end[0] - start[0]) * step / steps)
            self.set(x, start[1] + round((end[1] - start[1]) * step / steps), owner)

    def rows(self) -> Iterator[str]:
        """Yield the rows, top first, coloured by series."""
        for bits, owners in zip(self._bits, self._owner, strict=True):
            yield "".join(self._cell(bit, owner) for bit, owner in zip(bits, owners, strict=True)).rstrip()

    def _cell(self, bits: int, owner: int) -> str:
        if not bits:
            return " "
        return click.style(chr(0x2800 + bits) if self._braille else SIGNS[owner], fg=COLORS[owner])


def plot_lines(plot: Plot, width: int, *, braille: bool, rows: int = ROWS) -> Iterator[str]:
    """Yield the plot as lines of at most ``width`` cells; styles are ANSI codes, which `click.echo` drops in a pipe."""
    height = max(LEAST_ROWS, rows)
    y_axis = short(plot.y, height // 2)
    labels = _y_labels(y_axis, height)
    margin = max(map(cells, labels.values()), default=0)
    columns = max(8, width - margin - 2)
    field = Field(columns, height, braille=braille)
    for owner, series in enumerate(plot.series):
        _draw(field, plot, series, owner)
    rule, corner, line = ("│", "└", "─") if braille else ("|", "+", "-")
    yield click.style(cut(printable(plot.y.label), width), bold=True)
    for number, row in enumerate(field.rows()):
        yield f"{labels.get(number, ''):>{margin}} {click.style(rule, dim=True)}{row}".rstrip()
    yield " " * (margin + 1) + click.style(corner + line * columns, dim=True)
    yield " " * (margin + 2) + _x_labels(plot.x, columns)
    yield click.style(f"{cut(printable(plot.x.label), width):>{width}}", bold=True)
    yield from _legend(plot, width, braille=braille)


def _draw(field: Field, plot: Plot, series: Series, owner: int) -> None:
    def across(value: float) -> int:
        return min(field.width - 1, max(0, round(plot.x.share(value) * (field.width - 1))))

    def up(value: float) -> int:
        return min(field.height - 1, max(0, round(plot.y.share(value) * (field.height - 1))))

    if plot.kind == "hist":
        _draw_bins(
            field,
            [across(x) for x in series.x],
            [up(y) if y else -1 for y in series.y],
            owner,
            alone=len(plot.series) == 1,
        )
        return
    points = [(across(x), up(y)) for x, y in zip(series.x, series.y, strict=True)]
    for x, y in points:
        field.set(x, y, owner)
    if plot.kind == "line":
        for start, end in pairwise(points):
            field.line(start, end, owner)


def _draw_bins(field: Field, edges: list[int], tops: list[int], owner: int, *, alone: bool) -> None:
    """Draw bars where one series has the field for itself, else each one's outline."""
    before = -1
    for (left, right), top in zip(pairwise(edges), tops, strict=True):
        end = max(left, right - 1)
        if alone and top >= 0:
            for x in range(left, end + 1):
                field.line((x, 0), (x, top), owner)
        elif not alone:
            field.line((left, max(0, before)), (left, max(0, top)), owner)
            field.line((left, max(0, top)), (end, max(0, top)), owner)
        before = top


def _y_labels(axis: Axis, rows: int) -> dict[int, str]:
    """Return the labels by their row from the top."""
    return {round((1 - axis.share(at)) * (rows - 1)): label for at, label in axis.ticks}


def _x_labels(axis: Axis, columns: int) -> str:
    """Return the labels under their places, those that would touch left out."""
    line = ""
    longest = max((len(label) for _, label in axis.ticks), default=0)
    for at, label in short(axis, columns // (longest + 2)).ticks:
        place = round(axis.share(at) * (columns - 1)) - len(label) // 2
        place = max(0, min(columns - len(label), place))
        if place >= len(line) + (2 if line else 0):
            line += " " * (place - len(line)) + label
    return line


def _legend(plot: Plot, width: int, *, braille: bool) -> Iterator[str]:
    """Yield the series' names, as many to a line as fit, and what was left out."""
    line, used = "", 0
    for owner, series in enumerate(plot.series):
        if not series.name:
            continue
        name = cut(printable(series.name), width - 5)
        if used and used + cells(name) + 5 > width:
            yield line
            line, used = "", 0
        line += f"  {click.style('━━' if braille else SIGNS[owner], fg=COLORS[owner])} {name}"
        used += cells(name) + 5
    if line:
        yield line
    if plot.left_out:
        yield click.style(f"not drawn: {cut(printable(plot.left_out), width - 11)}", dim=True)
