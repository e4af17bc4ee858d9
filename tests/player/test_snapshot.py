"""A frame as SVG: each word stands at its cell, whatever a viewer's font makes of blanks and signs."""

import re

from racelog_player.canvas import Span
from racelog_player.snapshot import CELL_PX, MARGIN_PX, svg_of
from racelog_player.themes import BUILT_IN


def placed(text: str) -> list[tuple[str, float]]:
    """Return the words of a drawn line and the cell each begins at."""
    document = svg_of([[Span(text)]], 80, 1, BUILT_IN["light"])
    found = re.findall(r'<text x="([0-9.]+)"[^>]*>([^<]*)</text>', document)
    return [(word, round((float(x) - MARGIN_PX) / CELL_PX, 2)) for x, word in found]


def test_words_far_apart_stand_each_at_its_cell() -> None:
    assert placed("  TTFT p50     176 ms ") == [("TTFT p50", 2.0), ("176 ms", 15.0)]


def test_signs_stand_alone_since_their_font_may_have_other_blanks() -> None:
    assert placed("⣀⠤ ⠒ ╵5") == [("⣀⠤", 0.0), ("⠒", 3.0), ("╵5", 5.0)]


def test_wide_characters_move_what_follows_by_two_cells() -> None:
    assert placed("日本 x") == [("日本", 0.0), ("x", 5.0)]
