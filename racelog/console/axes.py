"""Axes: units from columns' names, round numbers at even steps, times as people write them. Pure."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil, floor, log10

UNITS = {
    "per_s": "/s", "ns": "ns", "us": "us", "ms": "ms", "s": "s", "pct": "%", "mib": "MiB", "bytes": "B", "w": "W",
    "c": "°C", "mhz": "MHz", "j": "J",
}  # fmt: skip
"""What the end of a column's name says of its unit."""

_OF_NS = ((600e9, 60e9, "min"), (1e9, 1e9, "s"), (1e6, 1e6, "ms"), (1e3, 1e3, "us"))
"""From how many nanoseconds on which unit is shown, and how many nanoseconds it has."""

_PARTS = 6
_STEPS = (1, 2, 2.5, 5, 10)
_TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_FINEST, _LEAST = 1e-9, 1e-200
"""Values closer than this, of their size and at all, are one value: no axis could label between them."""

_MINUTE_S, _DAY_S = 60, 86_400


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: what it says, where it begins and ends, and its labelled positions, all in the column's own unit."""

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def share(self, value: float) -> float:
        """Return where a value lies between the ends, 0 to 1."""
        return (value - self.low) / (self.high - self.low)


def unit_of(column: str) -> str:
    """Return the unit that a column's name tells, empty without one."""
    words = column.lower().split("_")
    for count in (2, 1):
        if len(words) > count and (unit := UNITS.get("_".join(words[-count:]))):
            return unit
    return ""


def nice_step(span: float, parts: int) -> float:
    """Return the smallest of 1, 2, 2.5 and 5 times a power of ten that parts ``span`` into at most ``parts``.

    A span of nothing has a step of 1.
    """
    if span <= 0:
        return 1.0
    rough = span / max(1, parts)
    power = 10.0 ** floor(log10(rough))
    return next((step * power for step in _STEPS if step * power >= rough * (1 - 1e-9)), 10 * power)


def number_axis(label: str, values: list[float], *, from_zero: bool = False) -> Axis:
    """Return the axis of some numbers; nanoseconds are told in a unit that fits. There must be a value."""
    low, high = min(values), max(values)
    if from_zero:
        low = min(0.0, low)
    if high - low <= max(abs(low), abs(high)) * _FINEST or high - low < _LEAST:
        low, high = _around(low, high, from_zero=from_zero)
    scale, unit = 1.0, unit_of(label)
    if unit == "ns":
        scale, unit = next(((ns, name) for least, ns, name in _OF_NS if high - low >= least), (1.0, "ns"))
    step = nice_step((high - low) / scale, _PARTS) * scale
    if from_zero:
        high = ceil(high / step - 1e-9) * step
    ticks = tuple((at, _text(at / scale, step / scale)) for at in _steps(low, high, step))
    return Axis(_with_unit(label, unit), low, high, ticks)


def _around(low: float, high: float, *, from_zero: bool) -> tuple[float, float]:
    """Return ends with room between them for values that lie too close together to tell apart."""
    if from_zero and high >= _LEAST:
        return 0.0, high * 2
    room = max(0.5, abs(high) * 0.5)
    return low - room, high + room


def time_axis(label: str, values: list[float]) -> Axis:
    """Return the axis of instants in seconds since 1970, labelled in UTC."""
    low, high = min(values), max(values)
    if high <= low:
        low, high = low - 1, high + 1
    span = high - low
    step = next(
        (step for step in _TIME_STEPS_S if span / step <= _PARTS), ceil(span / _PARTS / _DAY_S) * _DAY_S
    )
    if step >= _DAY_S:
        form = "%Y-%m-%d"
    elif span >= _DAY_S:
        form = "%m-%d %H:%M"
    else:
        form = "%H:%M" if step >= _MINUTE_S else "%H:%M:%S"
    ticks = tuple(
        (at, datetime.fromtimestamp(at, UTC).strftime(form)) for at in _steps(low, high, float(step))
    )
    return Axis(f"{label} (UTC)", low, high, ticks)


def short(axis: Axis, most: int) -> Axis:
    """Return the axis with at most so many labels."""
    stride = max(1, -(-len(axis.ticks) // max(1, most)))
    return replace(axis, ticks=axis.ticks[::stride])


def _steps(low: float, high: float, step: float) -> list[float]:
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _text(value: float, step: float) -> str:
    """Return a number with as many decimals as the steps need; far from 1 by powers of ten."""
    if step >= 1e6 or step < 1e-4:  # noqa: PLR2004 - beyond these, digits are only counted
        return f"{value:.3g}"
    decimals = max(0, -floor(log10(step)) + (1 if f"{step:e}".startswith("2.5") else 0))
    return f"{value + 0.0:,.{decimals}f}"


def _with_unit(label: str, unit: str) -> str:
    """Return a column's name with its unit in parentheses instead of at its end."""
    if not unit or label == unit:
        return label
    words = label.split("_")
    kept = words[: -2 if label.lower().endswith("_per_s") else -1] if unit_of(label) else words
    return f"{' '.join(kept)} ({unit})"
