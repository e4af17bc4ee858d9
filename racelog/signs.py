"""ASCII stand-ins for the signs we draw with, for terminals and pipes that cannot show them. Pure."""

import unicodedata
from functools import lru_cache

from racelog.cells import width

_STAND_INS = {
    **dict.fromkeys("█▉▊▋", "#"), "▓": "%",
    **dict.fromkeys("▌▍▎▏│┃❚", "|"),
    **dict.fromkeys("━▒", "="),
    **dict.fromkeys("─╸·▅\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}", "-"),
    **dict.fromkeys("░○…▃▄", "."),
    **dict.fromkeys("▁▂", "_"),
    **dict.fromkeys("✗■\N{MULTIPLICATION SIGN}", "x"),
    **dict.fromkeys("▶▸→\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}", ">"),
    **dict.fromkeys("↑▲", "^"),
    **dict.fromkeys("↓▼", "v"),
    **dict.fromkeys("✓▇", "+"),
    **dict.fromkeys("\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}", "'"),
    "╵": "'", "┄": ":", "★": "*", "☆": "o", "µ": "u", "▆": "=", "←": "<", "◂": "<", "●": "o", "◆": "*", "🥇": "1.", "🥈": "2.", "🥉": "3.",
}  # fmt: skip


def to_ascii(text: str) -> str:
    """Return ``text`` in ASCII and exactly as wide: signs by likeness, emoji blank, letters as ``?``."""
    return text if text.isascii() else "".join(map(_ascii, text))


@lru_cache(maxsize=1024)
def _ascii(character: str) -> str:
    if character.isascii():
        return character
    if (known := _STAND_INS.get(character)) is not None:
        return known
    blank = unicodedata.category(character) in ("So", "Sk")
    return (" " if blank else "?") * width(character)
