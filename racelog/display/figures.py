"""How every number reads, on every screen, card, page and line: stated here and nowhere else.

A figure has three digits (8.21, 41.2, 412), all its whole ones (12,345), two decimals below one (0.41) and three below
a tenth (0.038). Halves are rounded up by the digits that one reads, not by what binary makes of them. What is there
never rounds to nothing, and what is not whole never rounds to all. Whole numbers are ``f"{number:,}"``. A blank stands
before every unit, "%" too.
"""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from math import isfinite

MS_PER_S = 1000.0
NS_PER_S = 1_000_000_000

UNKNOWN = "-"
"""What stands where there is no number."""

_DECIMALS = ((0.1, 3), (10.0, 2), (100.0, 1))
"""Below which size a figure has how many decimals; a thousandth is the last that is shown."""

_MOST = 1e15
"""Beyond it a float no longer holds every whole number, so that its digits would be made up."""

_NEAR_HALF = 1e-6
"""What lies farther from a half rounds the same in binary and as it reads."""

_CACHED = 4096
"""A screen has some hundred figures, and most of them stay from frame to frame."""


@lru_cache(_CACHED)
def number(value: float) -> str:
    """Return a figure without its unit: ``0.41``, ``8.21``, ``41.2``, ``412``, ``12,345``; ``-`` for what is none.

    Zero is ``0``, and what is smaller than a thousandth but there is ``<0.001``.
    """
    if not isfinite(value):
        return UNKNOWN
    if value == 0:
        return "0"
    if abs(value) >= _MOST:
        return f"{value:.3g}"
    size = abs(float(value))
    sign = "-" if value < 0 else ""
    for below, decimals in _DECIMALS:
        if size < below and float(text := _rounded(size, decimals)) < below:
            return sign + (text if float(text) else "<0.001")
    return f"{sign}{int(_rounded(size, 0)):,}"


def rate(per_s: float, unit: str) -> str:
    """Return a rate with its unit, such as ``41.2 tok/s``."""
    return f"{number(per_s)} {unit}"


def duration(milliseconds: float) -> str:
    """Return how long something took: ``0.41 ms``, ``184 ms``, ``1.23 s``."""
    return " ".join(filter(None, duration_parts(milliseconds)))


@lru_cache(_CACHED)
def duration_parts(milliseconds: float) -> tuple[str, str]:
    """Return a duration as figure and unit: ``("184", "ms")``, ``("1.23", "s")``; ``("-", "")`` for what is none."""
    if not isfinite(milliseconds):
        return UNKNOWN, ""
    if abs(milliseconds) < _MOST and float(_rounded(abs(float(milliseconds)), 0)) < MS_PER_S:
        return number(milliseconds), "ms"
    return number(milliseconds / MS_PER_S), "s"


def instant(t_ns: int) -> str:
    """Return where in a race something was, to the millisecond: ``12.345 s``."""
    return f"{t_ns / NS_PER_S:.3f} s"


@lru_cache(_CACHED)
def percent(share: float) -> str:
    """Return a share of one with one decimal: ``71.7 %``.

    Only nothing is ``0 %`` and only the whole is ``100 %``; what lies closer than a decimal tells is ``<0.1 %`` or
    ``>99.9 %``.
    """
    if not isfinite(share) or abs(share) >= _MOST:
        return UNKNOWN
    if share in (0, 1):
        return f"{share * 100:.0f} %"
    rounded = (Decimal(repr(float(share))) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
    if 0 < share < 1 and rounded <= 0:
        return "<0.1 %"
    if 0 < share < 1 and rounded >= 100:  # noqa: PLR2004 - percent
        return ">99.9 %"
    return f"{rounded:,} %"


@lru_cache(_CACHED)
def progress(share: float) -> str:
    """Return how far something has come in whole percent, cut: ``99 %`` until it is through."""
    if not isfinite(share) or abs(share) >= _MOST:
        return UNKNOWN
    return f"{(Decimal(repr(float(share))) * 100).quantize(Decimal(1), ROUND_DOWN)} %"


def change(share: float) -> str:
    """Return a change as percent with its sign: ``+41.2 %``, ``-8.0 %``."""
    return f"+{percent(share)}" if share > 0 else percent(share)


@lru_cache(_CACHED)
def times(ratio: float) -> str:
    """Return how many times as much, cut to what can be claimed: ``1.99x``, ``12.3x``, ``120x``; never rounded up."""
    if not isfinite(ratio) or abs(ratio) >= _MOST:
        return UNKNOWN
    least = next(decimals for size, decimals in ((100, 0), (10, 1), (0, 2)) if abs(ratio) >= size)
    cut = Decimal(repr(float(ratio))).quantize(Decimal(1).scaleb(-least), ROUND_DOWN)
    return f"{cut:,}x"


def tick(value: float) -> str:
    """Return the label of a round number on an axis, without zeros at its end: ``2.5``, ``20``, ``12,000``."""
    return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:,.6g}"  # noqa: PLR2004 - from here on 6 digits hide a whole


def _rounded(size: float, decimals: int) -> str:
    """Return a number of zero or more with so many decimals. Cost: a microsecond, but for halves, which need exact digits."""
    if abs(size * 10**decimals % 1 - 0.5) > _NEAR_HALF:
        return f"{size:.{decimals}f}"
    return str(Decimal(repr(size)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))
