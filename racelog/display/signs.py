"""ASCII stand-ins for the signs we draw with, for terminals and pipes that cannot show them. Pure."""

import unicodedata
from functools import lru_cache

from racelog.display.cells import width

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


_HEX_CELLS = 2


def to_ascii(text: str) -> str:
    """Return ``text`` in ASCII and exactly as wide.

    Signs are written by likeness, emoji are blank, letters lose their accents; wide ones show the end of their Unicode
    number, others are ``?``.
    """
    return text if text.isascii() else "".join(map(_ascii, text))


@lru_cache(maxsize=1024)
def _ascii(character: str) -> str:
    if character.isascii():
        return character
    if (known := _STAND_INS.get(character)) is not None:
        return known
    cells = width(character)
    if unicodedata.category(character) in ("So", "Sk"):
        return " " * cells
    base = unicodedata.normalize("NFKD", character)[0]
    if base.isascii() and base.isprintable():
        return base.ljust(cells)[:cells]
    # The end of its number in two cells: ???? would make one name of all names in Chinese.
    return f"{ord(character) % 256:02X}" if cells == _HEX_CELLS else "?" * cells
