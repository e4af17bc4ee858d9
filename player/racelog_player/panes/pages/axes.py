"""Axes: round numbers at even steps, and dots four to a cell. Pure."""

import math
import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from racelog.console.axes import nice_step

_APART = 12
"""Cells between two labels, at least."""

_BITS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
"""Unicode's bits of a Braille cell: left and right column, each from the bottom up."""

_RUNS = [[[sum(column[low : high + 1]) for high in range(4)] for low in range(4)] for column in _BITS]
"""What a column sets of a cell from one height to another: ``_RUNS[side][low][high]``."""

_BRAILLE = {0: " "} | {bits: chr(0x2800 + bits) for bits in range(1, 256)}
_STRETCH = re.compile(rb"\0*([^\0])(?:\1|\0)*|\0+", re.DOTALL)
"""A colour with the blanks around it: a blank shows no colour, and every change of one costs the terminal bytes."""


def nice_top(value: float) -> float:
    """Return a round number at or above ``value`` to end an axis at."""
    step = nice_step(value, 4)
    return math.ceil(value / step - 1e-9) * step if value > 0 else 1.0


@lru_cache(maxsize=64)
def ticks(low: float, high: float, cells: int) -> str:
    """Return a time axis ``cells`` wide: labels at round seconds, each with its own mark above it in place."""
    line = [" "] * cells
    span = max(high - low, 1e-9)
    step = nice_step(span, max(1, cells // _APART))
    at = math.ceil(low / step - 1e-9) * step
    while at <= high + 1e-9:
        label = f"╵{at:g}"
        cell = round((at - low) / span * (cells - 1))
        if cell + len(label) <= cells and all(
            sign == " " for sign in line[max(0, cell - 1) : cell + len(label)]
        ):
            line[cell : cell + len(label)] = label
        at += step
    return "".join(line)


Heights = list[int | None]
"""A curve's dot rows, one for each place of the axis; None where there is nothing."""


class Dots:
    """A field of dots, two across and four down in a cell (Braille); a cell has the colour that was set last.

    Kept as bytes, a row of cells after another from the bottom up: what is set, and the number of its colour.
    """

    def __init__(self, cells: int, rows: int, colors: Sequence[str]) -> None:
        self.cells, self.rows = cells, rows
        self._bits = bytearray(cells * rows)
        self._owner = bytearray(cells * rows)
        self._colors = ["", *colors]

    def curve(self, points: Sequence[tuple[int, int]], color: int, begin: int = 0) -> None:
        """Set the dots that join ``points``, ``x`` from the left and ``y`` from the bottom, ascending by ``x``.

        One that stands alone is a dot. Every point lies in the field; ``color`` is the place of one in ``colors``.
        Columns left of ``begin`` are left as they are.
        """
        owner = color + 1
        for x, y in points[:1]:
            if x >= begin:
                self._run(x, y, y, owner)
        for (x, y), (to_x, to_y) in pairwise(points):
            wide, high, way = max(1, to_x - x), abs(to_y - y), 1 if to_y >= y else -1
            risen = -1  # each column goes on one above the last: a dot in both would look bold
            for step in range(to_x - x):
                half = high * (2 * step + 1) // (2 * wide)
                if x + step >= begin:
                    self._run(x + step, y + way * min(risen + 1, half), y + way * half, owner)
                risen = half
            if to_x >= begin:
                self._run(to_x, y + way * min(risen + 1, high), to_y, owner)

    def clear(self, cell: int) -> None:
        """Blank everything from a cell of each row to its end."""
        for begin in range(0, len(self._bits), self.cells):
            blank = bytes(self.cells - cell)
            self._bits[begin + cell : begin + self.cells] = self._owner[begin + cell : begin + self.cells] = (
                blank
            )

    def _run(self, x: int, one: int, other: int, owner: int) -> None:
        """Set the dots of one column between two heights, both included."""
        low, high = (one, other) if one <= other else (other, one)
        bits, owners, table = self._bits, self._owner, _RUNS[x & 1]
        place = (low >> 2) * self.cells + (x >> 1)
        for foot in range(low & ~3, high + 1, 4):
            bits[place] |= table[max(0, low - foot)][min(3, high - foot)]
            owners[place] = owner
            place += self.cells

    def row(self, row: int) -> list[tuple[str, str]]:
        """Return one row, counted from the top, as (signs, colour) for each stretch of one colour; blanks have any."""
        begin = (self.rows - 1 - row) * self.cells
        owners = bytes(self._owner[begin : begin + self.cells])
        signs = self._bits[begin : begin + self.cells].decode("latin-1").translate(_BRAILLE)
        return [
            (signs[found.start() : found.end()], self._colors[max(found[0])])
            for found in _STRETCH.finditer(owners)
        ]


class Plot:
    """A chart's field that lasts from one view to the next: where the curves begin to differ it is drawn anew."""

    def __init__(self, cells: int, rows: int, colors: list[str]) -> None:
        self.frame = cells, rows, colors
        self._dots = Dots(cells, rows, colors)
        self._places: list[int] = []
        self._curves: list[Heights] = []

    def drawn(self, places: list[int], curves: list[Heights]) -> Dots:
        """Return the field with these curves on it: one for each colour, each with a height, or none, at every place.

        Cost: the cells from the first one that changes on; nothing that is drawn depends on what was before.
        """
        cell = self._first_change(places, curves)
        self._dots.clear(cell)
        for color, curve in enumerate(curves):
            start = _before(curve, bisect_left(places, cell * 2))
            known = [(x, y) for x, y in zip(places[start:], curve[start:], strict=True) if y is not None]
            self._dots.curve(known, color, cell * 2)
        self._places, self._curves = places, curves
        return self._dots

    def _first_change(self, places: list[int], curves: list[Heights]) -> int:
        """Return the first cell in which any curve runs otherwise than it did."""
        known = min(len(self._places), len(places))
        if places[:known] != self._places[:known] or len(curves) != len(self._curves):
            return 0
        longer = max(self._places, places, key=len)
        changes = (_first_change(one, other) for one, other in zip(curves, self._curves, strict=True))
        return min((longer[_before(one, at)] // 2 for one, at in zip(curves, changes, strict=True) if at is not None),
                   default=self._dots.cells)  # fmt: skip


def _first_change(one: Heights, other: Heights) -> int | None:
    """Return the first place at which two curves differ, None when they do not; a shorter one has no heights beyond."""
    both = min(len(one), len(other))
    if one[:both] != other[:both]:
        return next(place for place in range(both) if one[place] != other[place])
    rest = [*one[both:], *other[both:]]
    return next((place for place, height in enumerate(rest, both) if height is not None), None)


def _before(curve: Heights, place: int) -> int:
    """Return the last place before this one at which a curve has a height: where the stretch that reaches it starts."""
    return next(
        (earlier for earlier in range(min(place, len(curve)) - 1, -1, -1) if curve[earlier] is not None), 0
    )
