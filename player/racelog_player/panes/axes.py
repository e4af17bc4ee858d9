"""Axes: round numbers at even steps, and dots four to a cell. Pure."""

import math

_STEPS = (1, 2, 2.5, 5, 10)
_APART = 12
"""Cells between two labels, at least."""


def nice_step(span: float, parts: int) -> float:
    """Return the smallest of 1, 2, 2.5 and 5 times a power of ten that parts ``span`` into at most ``parts``."""
    if span <= 0:
        return 1.0
    rough = span / max(1, parts)
    power = 10.0 ** math.floor(math.log10(rough))
    return next((step * power for step in _STEPS if step * power >= rough * (1 - 1e-9)), 10 * power)


def nice_top(value: float) -> float:
    """Return a round number at or above ``value`` to end an axis at."""
    step = nice_step(value, 4)
    return math.ceil(value / step - 1e-9) * step if value > 0 else 1.0


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


class Dots:
    """A field of dots, two across and four down in a cell (Braille); a cell has the colour that was set last."""

    _BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))

    def __init__(self, cells: int, rows: int) -> None:
        self.cells, self.rows = cells, rows
        self._bits = [[0] * cells for _ in range(rows)]
        self._colors = [[""] * cells for _ in range(rows)]

    def point(self, x: int, y: int, color: str) -> None:
        """Set the dot ``x`` from the left and ``y`` from the bottom; outside the field is nowhere."""
        row, cell = self.rows - 1 - y // 4, x // 2
        if 0 <= row < self.rows and 0 <= cell < self.cells:
            self._bits[row][cell] |= self._BITS[3 - y % 4][x % 2]
            self._colors[row][cell] = color

    def line(self, start: tuple[int, int], end: tuple[int, int], color: str) -> None:
        """Set the dots from one point to another."""
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
        for step in range(steps + 1):
            share = step / steps
            self.point(
                round(start[0] + (end[0] - start[0]) * share),
                round(start[1] + (end[1] - start[1]) * share),
                color,
            )

    def row(self, row: int) -> list[tuple[str, str]]:
        """Return one row as (sign, colour) per cell."""
        return [
            (chr(0x2800 + bits) if bits else " ", color)
            for bits, color in zip(self._bits[row], self._colors[row], strict=True)
        ]
