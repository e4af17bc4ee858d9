"""A card's day and the steps of its axes; how its figures read is `racelog.display.figures`."""

from datetime import UTC, datetime
from math import floor, isfinite, log10

MIB_PER_GIB = 1024
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(rfc3339: str) -> str:
    """Return ``21 Nov 2026, 01:30 UTC``, or nothing when the text is no such time; the locale has no say."""
    try:
        moment = datetime.fromisoformat(rfc3339)
    except ValueError:
        return ""
    moment = moment.astimezone(UTC) if moment.tzinfo else moment
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M} UTC"


def round_steps(top: float, at_most: int) -> list[float]:
    """Return 0 and up to ``at_most`` round steps (1, 2, 2.5 or 5 times a power of ten) that reach at least ``top``."""
    if not isfinite(top) or top <= 0:
        return [0.0, 1.0]
    power = 10.0 ** floor(log10(top / at_most))
    step = next(m * power for m in (1, 2, 2.5, 5, 10, 20) if m * power * at_most >= top * (1 - 1e-9))
    steps = [0.0]
    while steps[-1] < top * (1 - 1e-9):
        steps.append(round(steps[-1] + step, 12))
    return steps
