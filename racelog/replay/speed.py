"""How fast a replay runs: what users may write, and the ladder the arrow keys climb."""

import math

from racelog.errors import InputError

MAX = math.inf
"""No waiting at all."""

LADDER = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 4.0, 8.0, 16.0, MAX)
"""The steps of the up and down keys; exact values, so that up then down is where you were."""

SLOWEST, FASTEST = 0.01, 1000.0
"""What ``--speed`` takes beside ``max``: a millisecond seen as 0.1 s, an hour in 3.6 s."""


def parse_speed(text: str) -> float:
    """Return the factor that ``4x``, ``0.25``, ``200%`` or ``max`` names.

    Raises:
        InputError: it is none of these, or lies outside 0.01 to 1000.
    """
    word = text.strip().lower().replace("×", "x")  # noqa: RUF001 - the sign we print ourselves
    if word == "max":
        return MAX
    try:
        factor = float(word[:-1]) / 100 if word.endswith("%") else float(word.removesuffix("x"))
    except ValueError:
        raise InputError(f"no speed {text!r}; write it like 4x, 0.25, 200% or max") from None
    if not SLOWEST <= factor <= FASTEST:
        raise InputError(f"speed {text} is outside {SLOWEST:g}x to {FASTEST:g}x; for no waiting at all: max")
    return factor


def faster(speed: float) -> float:
    """Return the next step up the ladder, or ``speed`` itself at its top."""
    return next((step for step in LADDER if step > speed), speed)


def slower(speed: float) -> float:
    """Return the next step down the ladder, or ``speed`` itself at its foot."""
    return next((step for step in reversed(LADDER) if step < speed), speed)


def doubled(speed: float) -> float:
    """Return twice the speed, at most the fastest there is below ``max``."""
    return speed if speed == MAX else min(FASTEST, speed * 2)


def halved(speed: float) -> float:
    """Return half the speed, at least the slowest; from ``max`` the ladder's step below it."""
    return slower(speed) if speed == MAX else max(SLOWEST, speed / 2)


def speed_text(speed: float) -> str:
    """Return a speed as the player shows it: ``4×``, ``0.25×``, ``max``."""  # noqa: RUF002 - the sign we show
    return "max" if speed == MAX else f"{speed:g}×"  # noqa: RUF001 - the sign we show
