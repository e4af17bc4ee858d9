"""A frame saved: in the form its suffix names; in SVG each word at its cell, whatever font a viewer has."""

import re
from pathlib import Path

import pytest
from PIL import Image

from racelog.errors import InputError
from racelog_player.film.snapshot import CELL_PX, MARGIN_PX, save, svg_of
from racelog_player.terminal.canvas import Span, Style
from racelog_player.terminal.themes import BUILT_IN


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


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.png", b"\x89PNG\r\n\x1a\n"), ("a.PNG", b"\x89PNG\r\n\x1a\n"), ("a.svg", b"<svg"), ("a.txt", b"A word"), ("a.ansi", b"\x1b[0;1mA word")],
)  # fmt: skip
def test_the_suffix_says_what_a_screen_is_saved_as(tmp_path: Path, name: str, begins: bytes) -> None:
    save(tmp_path / name, [[Span("A word", Style(bold=True))]], 20, 1, BUILT_IN["default"])
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_a_png_is_as_large_as_its_cells_and_shows_something(tmp_path: Path) -> None:
    save(tmp_path / "a.png", [[Span("A word")]], 20, 2, BUILT_IN["default"])
    with Image.open(tmp_path / "a.png") as picture:
        assert (picture.size, len(picture.convert("RGB").getcolors(4096) or []) > 1) == ((176, 50), True)


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.svg.bak"])
def test_a_suffix_that_names_no_form_is_refused_and_nothing_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"a screen is saved as \.png, \.svg, \.txt, \.ansi, not"):
        save(tmp_path / name, [], 20, 1, BUILT_IN["default"])
    assert list(tmp_path.iterdir()) == []
