"""One check per kind of value in a race plan. Pure, and blind to where a value came from.

A check returns the value as the plan keeps it, or raises `FieldError` with what was given and what is allowed; who
calls it adds the place.
"""

import difflib
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from racelog.display.text import printable
from racelog_recorder.plan.deadlines import DEADLINE_NAMES, MAX_DEADLINE_S
from racelog_recorder.redaction import not_text, shown

MIN_ENGINES, MAX_ENGINES = 1, 10
MAX_REQUESTS = 10_000_000
MAX_CONCURRENCY = 10_000
MAX_WARMUP = 10_000
MAX_SEED = 2**63 - 1
MAX_DURATION_S = 7 * 24 * 3600
MAX_GRACE_S = 3600
MAX_PROMPTS = 100_000
MAX_TOKENS = 10_000_000
MAX_NAME = 64
DURATION_PATTERN = r"^(?=.)(\d+h)?(\d+m(?!s))?(\d+(\.\d+)?s|\d+ms)?$"
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s|(\d+)ms)?")
MINUTES_FROM_S = 600
"""From here a span is said in minutes: 10m, but 120s."""

RESERVED_PARAMS = {
    "messages": "the prompts of the race are the messages; see 'prompts'",
    "model": "name the model in the engine's 'model'",
    "stream": "racelog always streams: without a stream there are no tokens to time",
}


class FieldError(ValueError):
    """A value is not what its field allows; says what was given and what is allowed, not where."""


def text(limit: int, *, empty: bool = True) -> Callable[[Any], str]:
    """Return a check for one line of text of at most ``limit`` characters."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise FieldError(not_text(value))
        if not empty and not value.strip():
            raise FieldError("must not be empty")
        if len(value) > limit:
            raise FieldError(f"{len(value):,} characters are too many; at most {limit:,}")
        if printable(value) != value:
            raise FieldError(f"{shown(value)} holds a control character; write one line of visible text")
        return value.strip()

    return check


def whole(low: int, high: int) -> Callable[[Any], int]:
    """Return a check for a whole number from ``low`` to ``high``."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise FieldError(f"{shown(value)} is not a whole number; give {low:,} to {high:,}")
        if not low <= value <= high:
            raise FieldError(f"{shown(value)} is out of range; give {low:,} to {high:,}")
        return value

    return check


def yes_or_no(value: Any) -> bool:
    """Return a truth value as it is.

    Raises:
        FieldError: it is something else, such as the text "no".
    """
    if not isinstance(value, bool):
        raise FieldError(f"{shown(value)} is neither true nor false")
    return value


def number_text(value: float) -> str:
    """Return a number of a plan as a file would give it: ``0.25``, ``99.9``, ``12000``."""
    return f"{value:.10g}"


def span_text(seconds: float) -> str:
    """Return ``90s`` for 90.0, ``10m`` for 600.0, ``2h`` for 7200.0: text that `seconds` takes back."""
    for unit, size_s, least_s in (("h", 3600, 3600), ("m", 60, MINUTES_FROM_S)):
        if seconds >= least_s and seconds % size_s == 0:
            return f"{seconds / size_s:g}{unit}"
    return f"{number_text(seconds)}s"


def seconds(limit_s: int, *, zero: bool) -> Callable[[Any], float]:
    """Return a check for a span of time up to ``limit_s``: a number of seconds, or text such as ``2m`` or ``1h30m``."""
    allowed = f"give seconds or text such as '30s' or '2m', {'from 0' if zero else 'above 0'} up to {span_text(limit_s)}"

    def check(value: Any) -> float:
        if isinstance(value, str):
            found = _DURATION.fullmatch(value.strip())
            if not found or not value.strip():
                raise FieldError(f"{shown(value)} is not a span of time; {allowed}")
            hours, minutes, secs, millis = (float(part or 0) for part in found.groups())
            amount = hours * 3600 + minutes * 60 + secs + millis / 1000
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise FieldError(f"{shown(value)} is not a span of time; {allowed}")
        else:
            amount = value if abs(value) <= limit_s else math.inf
        if not (0 <= amount <= limit_s) or (amount == 0 and not zero):
            raise FieldError(f"{shown(value)} is out of range; {allowed}")
        return float(amount)

    return check


def one_of(names: Sequence[str], what: str) -> Callable[[Any], str]:
    """Return a check for one of ``names``, each of which is ``what`` (with its article)."""
    *others, last = [f"'{name}'" for name in names]
    allowed = f"{', '.join(others)} or {last}"

    def check(value: Any) -> str:
        if value not in names:
            raise FieldError(f"{shown(value)} is not {what}; give {allowed}")
        return str(value)

    return check


def deadline(name: str, value: Any) -> float:
    """Return one deadline in seconds.

    Raises:
        FieldError: there is no such deadline, or the value is no span of time within its bounds.
    """
    if name not in DEADLINE_NAMES:
        close = difflib.get_close_matches(name, DEADLINE_NAMES, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(DEADLINE_NAMES)}"
        raise FieldError(f"is not a deadline; {hint}")
    return seconds(MAX_DEADLINE_S, zero=False)(value)


def param(name: str, value: Any) -> Any:
    """Return a request parameter as it goes into the JSON body.

    Raises:
        FieldError: racelog sets it itself, it asks for several answers, or JSON cannot carry it.
    """
    if name in RESERVED_PARAMS:
        raise FieldError(f"is not a parameter of a race: {RESERVED_PARAMS[name]}")
    if name == "n" and value != 1:
        raise FieldError(
            f"{shown(value)} asks for several answers to one request, whose texts and times would be mixed; leave it out, and "
            "send more requests"
        )
    _json_value(value)
    return value


def _json_value(value: Any) -> None:
    """Let pass what JSON can carry, at any depth.

    Raises:
        FieldError: it holds a number without a JSON form, or text that is no Unicode.
    """
    if isinstance(value, dict):
        for name, item in value.items():
            _json_value(name)
            _json_value(item)
    elif isinstance(value, list):
        for item in value:
            _json_value(item)
    elif isinstance(value, float) and not math.isfinite(value):
        raise FieldError(f"{shown(value)} cannot be written as JSON; give a finite number")
    elif isinstance(value, int) and abs(value) > MAX_SEED:
        raise FieldError("the number does not fit in 64 bits")
    elif isinstance(value, str) and not value.isascii():
        require_utf8(value)


def require_utf8(value: str) -> None:
    """Let pass text that UTF-8 can carry, and so a JSON body.

    Raises:
        FieldError: it holds half of a surrogate pair; the message says where.
    """
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise FieldError(
            f"character {error.start + 1} is half of a surrogate pair; write the character itself"
        ) from None
