"""Which characters can be drawn, and in which font.

DejaVu Sans comes with matplotlib and covers Latin, Greek, Cyrillic, Arabic and many symbols, but no CJK and few
emoji. Installed fonts of the list below fill in. Colour emoji fonts are left out: matplotlib cannot rasterise them.
"""

import logging
import re
from functools import cache

from matplotlib.font_manager import FontProperties, fontManager, get_font

BASE = "DejaVu Sans"
FALLBACKS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR",
    "Source Han Sans SC", "Source Han Sans", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback",
    "PingFang SC", "Hiragino Sans", "Hiragino Sans GB", "Apple SD Gothic Neo", "Microsoft YaHei", "Yu Gothic",
    "Meiryo", "Malgun Gothic", "Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans Symbols 2", "Noto Emoji",
    "Arial Unicode MS",
)  # fmt: skip
WEIGHTS = ("normal", "bold")
_NO_TEXT = re.compile(r"last ?resort|blank|color emoji|colour emoji|notdef", re.IGNORECASE)
"""Fonts that have a box or nothing for every letter, or pictures that cannot be drawn here."""


logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
# It warns of each font that has one weight alone, as most of those with CJK have; it stands in for the other.

_found: list[str] = []
"""Installed fonts beyond the list that were found to have a letter that none of it has."""


def families() -> list[str]:
    """Return the fonts to try for each character, first to last; all of them are installed."""
    return [*_listed(), *_found]


@cache
def _listed() -> tuple[str, ...]:
    installed = {font.name for font in fontManager.ttflist}
    return (BASE, *(name for name in FALLBACKS if name in installed))


def font(size_px: float, weight: str = "normal") -> FontProperties:
    """Return the card's font; sizes are pixels because a card's canvas has 72 dots per inch."""
    return _font(size_px, weight, tuple(families()))


@cache
def _font(size_px: float, weight: str, names: tuple[str, ...]) -> FontProperties:
    return FontProperties(family=list(names), size=size_px, weight=weight)


@cache
def draws(character: str) -> bool:
    """Return True when the regular and the bold chain of fonts both have a glyph for ``character``.

    Cost: for a letter that no listed font has, a look into every installed one.
    """
    if _drawn(character, families()):
        return True
    if not character.isalnum():
        return False
    for name in dict.fromkeys(font.name for font in fontManager.ttflist):
        if not _NO_TEXT.search(name) and _drawn(character, [name]):
            _found.append(name)
            return True
    return False


def _drawn(character: str, names: list[str]) -> bool:
    return all(any(ord(character) in _characters(name, weight) for name in names) for weight in WEIGHTS)


@cache
def _characters(family: str, weight: str) -> frozenset[int]:
    try:
        path = fontManager.findfont(FontProperties(family=family, weight=weight), fallback_to_default=False)
        return frozenset(get_font(path).get_charmap())
    except (OSError, RuntimeError, ValueError):  # a font file that is broken, or gone since it was listed
        return frozenset()
