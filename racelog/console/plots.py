"""What ``--plot`` draws of a query's rows: which column goes where, the axes, the points. Pure; nothing is drawn here.

The first column of numbers or times is x, those after it are y, as many as have the unit of the first; a histogram
counts the last one. Columns of short texts name the series, ids only where there is no text.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from math import isfinite, log2
from typing import Any, Literal

from racelog.console.axes import Axis, number_axis, time_axis, unit_of
from racelog.errors import InputError

Kind = Literal["line", "hist", "scatter"]
KINDS: tuple[Kind, ...] = ("line", "hist", "scatter")
Row = Sequence[Any]
Points = list[tuple[float, float]]

MOST_ROWS = 1_000_000
MOST_SERIES = 8
"""Rows and series beyond these are not drawn, and the picture says so."""

MOST_NAMES = 32
"""A column of more texts than this holds texts, not names."""

MOST_BINS = 60

_TOO_FAR = 1e200
"""What is larger has no place on an axis of floats."""


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one name in order of x; of a histogram the edges of its bins, and a count for each but the last."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture without its pixels; ``left_out`` says what it has no room for."""

    kind: Kind
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class _Roles:
    """Which column is what, by its place; ``x`` is None where rows are only counted off."""

    names: list[int]
    x: int | None
    y: list[int]
    others: list[str]


def plot_of(kind: Kind, columns: Sequence[str], rows: Iterable[Row]) -> Plot:
    """Return the picture of a query's rows. Cost: all of them in memory, up to `MOST_ROWS`.

    Raises:
        InputError: there is no column of numbers, or no row with one.
    """
    waiting = iter(rows)
    kept = list(islice(waiting, MOST_ROWS))
    if not kept:
        raise InputError(f"--plot {kind}: the query gave no row")
    roles = _roles(kind, columns, kept)
    groups = _grouped(roles, columns, kept)
    if not groups:
        raise InputError(f"--plot {kind}: no row holds a number to draw")
    left = list(roles.others)
    if next(waiting, None) is not None:
        left.append(f"the rows after the first {MOST_ROWS:,}")
    if len(groups) > MOST_SERIES:
        left.append(f"{len(groups) - MOST_SERIES} of {len(groups)} series")
    chosen = dict(islice(groups.items(), MOST_SERIES))
    x, y = "row" if roles.x is None else columns[roles.x], _label([columns[place] for place in roles.y])
    if kind == "hist":
        return _histogram(chosen, y, ", ".join(left))
    times = roles.x is not None and any(isinstance(row[roles.x], date) for row in kept)
    return _chart(kind, chosen, (x, y), ", ".join(left), times=times)


def number_of(value: Any) -> float | None:
    """Return ``value`` as a number to draw; a time is its seconds since 1970. None for what is none."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    if not _is_numeric(value):
        return None
    return float(value) if isfinite(value) and -_TOO_FAR < value < _TOO_FAR else None


def _is_numeric(value: Any) -> bool:
    """Return whether ``value`` is of a kind that can be drawn, be it NaN."""
    return isinstance(value, int | float | Decimal | date) and not isinstance(value, bool)


def _roles(kind: Kind, columns: Sequence[str], rows: list[Row]) -> _Roles:
    texts, ids, values, unfit = [], [], [], []
    present = [[row[place] for row in rows if row[place] is not None] for place in range(len(columns))]
    empty = [column for column, found in zip(columns, present, strict=True) if not found]
    for place, column in enumerate(columns):
        found = present[place]
        if column.endswith("_id") and found:
            ids.append(place)
        elif found and _is_numeric(found[0]):
            if any(number_of(value) is not None for value in found):
                values.append(place)
            else:
                unfit.append(column)
        elif found and isinstance(found[0], str) and len(set(found)) <= MOST_NAMES:
            texts.append(place)
    if not values and unfit:
        raise InputError(f"--plot {kind}: no row holds a number to draw; {', '.join(unfit)}: NaN or infinite")
    if not values and empty:
        raise InputError(
            f"--plot {kind}: no row holds a number to draw; {', '.join(empty)}: NULL in every row"
        )
    if not values:
        raise InputError(f"--plot {kind} needs a column of numbers; there are {', '.join(columns)}")
    names = texts or ids
    left = [f"{column} (NULL in every row)" for column in empty]
    if kind == "hist":
        return _Roles(names, None, values[-1:], left)
    x, candidates = (values[0], values[1:]) if len(values) > 1 else (None, values)
    unit = unit_of(columns[candidates[0]])
    y = [place for place in candidates if unit_of(columns[place]) == unit]
    return _Roles(names, x, y, [columns[place] for place in candidates if place not in y] + left)


def _nothing_to_draw(kind: Kind, columns: Sequence[str], unfit: list[str], empty: list[str]) -> InputError:
    """Return the error for rows without a number, which says what there is instead."""
    if unfit:
        return InputError(
            f"--plot {kind}: no row holds a number to draw; {', '.join(unfit)}: NaN or infinite"
        )
    if empty:
        return InputError(
            f"--plot {kind}: no row holds a number to draw; {', '.join(empty)}: NULL in every row"
        )
    return InputError(f"--plot {kind} needs a column of numbers; there are {', '.join(columns)}")


def _grouped(roles: _Roles, columns: Sequence[str], rows: list[Row]) -> dict[str, Points]:
    """Return each series' points, series in the order in which they come."""
    groups: dict[str, Points] = {}
    for number, row in enumerate(rows):
        x = float(number + 1) if roles.x is None else number_of(row[roles.x])
        name = " · ".join(_named(columns[place], row[place]) for place in roles.names)
        for place in roles.y:
            if x is not None and (y := number_of(row[place])) is not None:
                whole = " · ".join(filter(None, (name, columns[place] if len(roles.y) > 1 else "")))
                groups.setdefault(whole, []).append((x, y))
    return groups


def _named(column: str, value: Any) -> str:
    """Return what a value calls its series; a number alone would say nothing."""
    return f"{column.removesuffix('_id')} {value}" if isinstance(value, int) else str(value)


def _label(columns: list[str]) -> str:
    """Return what stands at the y axis: the one column's name, or what several have in common."""
    return columns[0] if len(columns) == 1 else unit_of(columns[0])


def _chart(
    kind: Kind, groups: dict[str, Points], labels: tuple[str, str], left_out: str, *, times: bool
) -> Plot:
    all_x = [x for points in groups.values() for x, _ in points]
    all_y = [y for points in groups.values() for _, y in points]
    x_axis = time_axis(labels[0], all_x) if times else number_axis(labels[0], all_x)
    y_axis = number_axis(labels[1], all_y, from_zero=min(all_y) >= 0)
    series = []
    for name, points in groups.items():
        xs, ys = zip(*sorted(points), strict=True)
        series.append(Series(name, xs, ys))
    return Plot(kind, x_axis, y_axis, tuple(series), left_out)


def _histogram(groups: dict[str, Points], label: str, left_out: str) -> Plot:
    values = sorted(y for points in groups.values() for _, y in points)
    edges = _edges(values)
    axis = number_axis(label, [edges[0], edges[-1]])
    series = []
    for name, points in groups.items():
        counts = [0] * (len(edges) - 1)
        for _, value in points:
            place = int((value - edges[0]) / (edges[-1] - edges[0]) * len(counts))
            counts[min(place, len(counts) - 1)] += 1
        series.append(Series(name, edges, tuple(map(float, counts))))
    most = [count for one in series for count in one.y]
    return Plot("hist", axis, number_axis("rows", most, from_zero=True), tuple(series), left_out)


def _edges(values: list[float]) -> tuple[float, ...]:
    """Return bins over sorted ``values``: Freedman and Diaconis's width, at least Sturges's number, at most `MOST_BINS`."""
    low, high, size = values[0], values[-1], len(values)
    if high - low <= max(abs(low), abs(high)) * 1e-9:
        room = max(0.5, abs(high) * 0.5)
        return low - room, high + room
    spread = values[(size * 3) // 4] - values[size // 4]
    fine = (high - low) / (2 * spread / size ** (1 / 3)) if spread > 0 else 0.0
    bins = max(1, min(MOST_BINS, int(max(fine, log2(size) + 1))))
    return tuple(low + (high - low) * place / bins for place in range(bins + 1))
