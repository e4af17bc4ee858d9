"""The checks of a plan's load fields: how requests are spaced, how many are open, on which CPUs lanes run.

As in `checks`, a check returns the value as the plan keeps it or raises `FieldError`.
"""

import math
import re
from typing import Any

from racelog_recorder.plan.fields.checks import FieldError
from racelog_recorder.redaction import shown

MIN_RATE_PER_S, MAX_RATE_PER_S = 1e-6, 100_000
"""From one request in eleven days, which is as good as none."""
MIN_BURSTINESS, MAX_BURSTINESS = 0.01, 1_000
"""From bursts of a hundred to as good as even."""
MAX_CPU = 4_095
"""The kernel's own bound is 8,192 CPUs; what a list of numbers can name without being a mistake is less."""

RATE_PATTERN = r"^\d+(\.\d+)?(/(s|min|h))?$"
_RATE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(?:/(s|min|h))?")
_SECONDS_IN = {None: 1, "s": 1, "min": 60, "h": 3600}
PIN_PATTERN = r"^(auto|\d+(,\d+)*)$"

PERCENT_PATTERN = r"^\d{1,3}(\.\d+)?\s*%?$"
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,9})?)\s*%?")


def rate(value: Any) -> float:
    """Return requests a second: a number of them, or text such as ``50/s`` or ``90/min``.

    Raises:
        FieldError: it is no rate, or out of range.
    """
    allowed = f"give requests a second such as 50, '50/s' or '90/min', above 0 up to {MAX_RATE_PER_S:,}/s"
    if isinstance(value, str):
        found = _RATE.fullmatch(value.strip())
        if not found:
            raise FieldError(f"{shown(value)} is not a rate; {allowed}")
        per_s = float(found[1]) / _SECONDS_IN[found[2]]
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise FieldError(f"{shown(value)} is not a rate; {allowed}")
    else:
        per_s = value if abs(value) <= MAX_RATE_PER_S else math.inf
    if not MIN_RATE_PER_S <= per_s <= MAX_RATE_PER_S:
        raise FieldError(f"{shown(value)} is out of range; {allowed}")
    return float(per_s)


def finish(value: Any) -> float:
    """Return the share of its requests that an engine must finish, 0 to 1: from text such as ``95%``, or percent as a number.

    A number between 0 and 1 is refused: 0.95 may be meant as 95 %, and is not even 1 %.

    Raises:
        FieldError: it is no percentage, out of range, or may be meant as a share.
    """
    allowed = "give a percentage from 0% (no bound) to 100%, such as '95%'"
    percent: Any = value
    if isinstance(value, str):
        found = _PERCENT.fullmatch(value.strip())
        if not found:
            raise FieldError(f"{shown(value)} is not a percentage; {allowed}")
        percent = float(found[1])
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise FieldError(f"{shown(value)} is not a percentage; {allowed}")
    if not 0 <= percent <= 100:  # noqa: PLR2004 - percent
        raise FieldError(f"{shown(value)} is out of range; {allowed}")
    if 0 < percent < 1:
        raise FieldError(f"{shown(value)} is less than 1 %; if a share is meant, write '{percent * 100:g}%'")
    return float(percent) / 100


def burstiness(value: Any) -> float:
    """Return the shape of gamma arrivals; 1 is Poisson, less is burstier.

    Raises:
        FieldError: it is no number within the bounds.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not MIN_BURSTINESS <= value <= MAX_BURSTINESS:
        raise FieldError(
            f"{shown(value)} is not a burstiness; give {MIN_BURSTINESS} (bursts) to {MAX_BURSTINESS:,} (even)"
        )
    return float(value)


def cpus(value: Any) -> tuple[int, ...]:
    """Return CPU numbers: one, a list of them, or text such as ``1,2``.

    Raises:
        FieldError: it names no CPUs, or one twice.
    """
    given = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]
    numbers: list[Any] = [
        int(item) if isinstance(item, str) and re.fullmatch(r"\d{1,5}", item) else item for item in given
    ]
    if not numbers or any(
        isinstance(n, bool) or not isinstance(n, int) or not 0 <= n <= MAX_CPU for n in numbers
    ):
        raise FieldError(f"{shown(value)} names no CPUs; give their numbers, such as [1, 2]")
    if len(set(numbers)) < len(numbers):
        raise FieldError(f"{shown(value)} names a CPU twice")
    return tuple(numbers)


def pin(value: Any) -> str | tuple[int, ...]:
    """Return ``auto``, or CPU numbers to give to the lanes one each.

    Raises:
        FieldError: it is neither.
    """
    if value == "auto":
        return "auto"
    try:
        return cpus(value)
    except FieldError:
        raise FieldError(
            f"{shown(value)} is neither 'auto' nor CPU numbers, each once, such as [1, 2]"
        ) from None
