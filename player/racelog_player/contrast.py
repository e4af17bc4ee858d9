"""Colours measured: how readable one is on another, and how far two are apart. Pure.

Contrast is WCAG 2.2's ratio; distance is Euclid's in OKLab (Ottosson, 2020), where equal steps look about equal.
"""

import math
from functools import lru_cache

TEXT_LEAST = 4.5
"""What text needs (WCAG 2.2, success criterion 1.4.3); lanes' names are written in their colours."""

APART = 0.07
"""Two colours nearer than this are taken for one in a thin line; the nearest two of our own palette have 0.074."""

_STEPS = 24


@lru_cache(maxsize=1024)
def luminance(color: str) -> float:
    """Return the relative luminance of ``#rrggbb``, 0 to 1."""
    red, green, blue = _linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the ratio of two colours' luminances, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=1024)
def readable(color: str, paper: str, least: float = TEXT_LEAST) -> str:
    """Return ``color``, made lighter or darker just so far that it has ``least`` contrast on ``paper``.

    The hue stays; the way is whichever of white and black is the farther from ``paper``.
    """
    end = max("#ffffff", "#000000", key=lambda other: contrast(other, paper))
    shades = (blend(color, end, step / _STEPS) for step in range(_STEPS + 1))
    return next((shade for shade in shades if contrast(shade, paper) >= least), end)


def blend(one: str, other: str, share: float) -> str:
    """Return the colour ``share`` of the way from ``one`` to ``other``."""
    parts = (
        round(int(one[i : i + 2], 16) * (1 - share) + int(other[i : i + 2], 16) * share) for i in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in parts)


@lru_cache(maxsize=4096)
def distance(one: str, other: str) -> float:
    """Return how far two colours are apart, 0 to about 1."""
    return math.dist(_oklab(one), _oklab(other))


def apart(wanted: str, others: list[str], choices: list[str]) -> str:
    """Return ``wanted`` if it is told from all ``others``, else that of ``choices`` which is the farthest from them."""

    def nearest(color: str) -> float:
        return min((distance(color, other) for other in others), default=1.0)

    return wanted if nearest(wanted) >= APART else max([wanted, *choices], key=nearest)


def _linear(color: str) -> tuple[float, float, float]:
    shares = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - where sRGB's line ends
        for part in shares
    )
    return red, green, blue


@lru_cache(maxsize=1024)
def _oklab(color: str) -> tuple[float, float, float]:
    red, green, blue = _linear(color)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )
