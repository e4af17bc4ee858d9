"""Which characters can be drawn, and in which font.

DejaVu Sans comes with matplotlib and covers Latin, Greek, Cyrillic, Arabic and many symbols, but no CJK and few
emoji. Installed fonts of the list below fill in. Colour emoji fonts are left out: matplotlib cannot rasterise them.
"""

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


@cache
def families() -> list[str]:
    """Return the fonts to try for each character, first to last; all of them are installed."""
    installed = {font.name for font in fontManager.ttflist}
    return [BASE, *(name for name in FALLBACKS if name in installed)]


@cache
def font(size_px: float, weight: str = "normal") -> FontProperties:
    """Return the card's font; sizes are pixels because a card's canvas has 72 dots per inch."""
    return FontProperties(family=families(), size=size_px, weight=weight)


@cache
def draws(character: str) -> bool:
    """Return True when the regular and the bold chain of fonts both have a glyph for ``character``."""
    return all(
        any(ord(character) in _characters(family, weight) for family in families()) for weight in WEIGHTS
    )


@cache
def _characters(family: str, weight: str) -> frozenset[int]:
    path = fontManager.findfont(FontProperties(family=family, weight=weight))
    return frozenset(get_font(path).get_charmap())
