"""Numbers as people read them: three significant digits and the unit that fits."""

from datetime import UTC, datetime
from math import floor, isfinite, log10

MS_PER_S = 1000.0
MIB_PER_GIB = 1024
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def three_digits(value: float) -> str:
    """Return ``value`` with three significant digits: 0.42, 38.2, 184, 12,300. Whole parts are never cut."""
    if not isfinite(value):
        return "-"
    rounded = float(f"{value:.3g}")
    if rounded == 0:
        return "0"
    decimals = max(0, 2 - floor(log10(abs(rounded))))
    text = f"{rounded:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration_parts(milliseconds: float) -> tuple[str, str]:
    """Return a time as number and unit: ``("184", "ms")``, ``("1.23", "s")``."""
    if float(f"{milliseconds:.3g}") < MS_PER_S:
        return three_digits(milliseconds), "ms"
    return three_digits(milliseconds / MS_PER_S), "s"


def duration(milliseconds: float) -> str:
    """Return a time such as ``184 ms`` or ``1.23 s``."""
    return " ".join(duration_parts(milliseconds))


def share(fraction: float) -> str:
    """Return a share of one as percent, cut rather than rounded: only a whole success is 100%."""
    return f"{three_digits(floor(round(fraction * 1000, 6)) / 10)}%"


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
