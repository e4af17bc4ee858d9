"""The canvas: only changed rows are written, and nothing a terminal would obey passes it."""

import pyte
import pytest

from racelog.display.signs import to_ascii
from racelog_player.terminal.canvas import BEGIN_UPDATE, END_UPDATE, Canvas, Depth, Span, Style, sgr
from racelog_player.terminal.cells import cut, left, wrap

HOSTILE = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\u202egnp.exe\u202c\ud800\x9b31m\r\n\tok"


def drawn(*frames: str, columns: int = 40, rows: int = 3) -> list[str]:
    screen = pyte.Screen(columns, rows)
    stream = pyte.Stream(screen)
    for frame in frames:
        stream.feed(frame)
    return [row.rstrip() for row in screen.display]


def test_an_equal_frame_writes_nothing() -> None:
    canvas = Canvas(Depth.TRUE)
    canvas.frame([[Span("one")]], 40, 3)
    assert canvas.frame([[Span("one")]], 40, 3) == ""


def test_only_changed_rows_are_written() -> None:
    canvas = Canvas(Depth.TRUE)
    canvas.frame([[Span("one")], [Span("two")]], 40, 2)
    expected = f"{BEGIN_UPDATE}\x1b[2;1Hzwei\x1b[K{END_UPDATE}"
    assert canvas.frame([[Span("one")], [Span("zwei")]], 40, 2) == expected


def test_a_frame_of_another_height_is_drawn_anew() -> None:
    canvas = Canvas(Depth.TRUE)
    canvas.frame([[Span("one")]], 40, 2)
    assert "one" in canvas.frame([[Span("one")]], 40, 3)


def test_after_forget_every_row_is_drawn_anew() -> None:
    canvas = Canvas(Depth.TRUE)
    canvas.frame([[Span("one")]], 40, 3)
    canvas.forget()
    assert "one" in canvas.frame([[Span("one")]], 40, 3)


def test_a_shorter_line_leaves_nothing_of_the_longer_one() -> None:
    canvas = Canvas(Depth.TRUE)
    frames = [canvas.frame([[Span(text)]], 40, 3) for text in ("a long line", "short")]
    assert drawn(*frames)[0] == "short"


def test_a_line_as_wide_as_the_screen_keeps_its_last_cell() -> None:
    assert drawn(Canvas(Depth.TRUE).frame([[Span("x" * 40)]], 40, 3))[0] == "x" * 40


def test_a_line_too_wide_is_cut_and_half_a_wide_character_is_left_out() -> None:
    assert drawn(Canvas(Depth.TRUE).frame([[Span("x" * 39 + "字字")]], 40, 3)) == ["x" * 39, "", ""]


def test_hostile_text_is_drawn_inert() -> None:
    frame = Canvas(Depth.TRUE).frame([[Span(HOSTILE)]], 80, 3)
    inside = frame.removeprefix(BEGIN_UPDATE + "\x1b[1;1H").split("\x1b[K")[0]
    assert [sign for sign in inside if not sign.isprintable()] == []


def test_hostile_text_is_still_there_to_read() -> None:
    assert drawn(Canvas(Depth.TRUE).frame([[Span(HOSTILE)]], 80, 3), columns=80)[0].endswith("ok")


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (Depth.TRUE, "\x1b[0;38;2;255;0;0m"),
        (Depth.INDEXED, "\x1b[0;38;5;196m"),
        (Depth.ANSI, "\x1b[0;91m"),
        (Depth.NONE, "\x1b[0m"),
    ],
)
def test_a_colour_becomes_what_the_terminal_can_show(depth: Depth, expected: str) -> None:
    assert sgr(Style("#ff0000"), depth) == expected


def test_greys_take_the_finer_ramp_of_256_colours() -> None:
    assert sgr(Style("", "#808080"), Depth.INDEXED) == "\x1b[0;48;5;244m"


def test_without_colours_bold_and_reverse_still_tell() -> None:
    assert sgr(Style("#ff0000", "", bold=True, reverse=True), Depth.NONE) == "\x1b[0;1;7m"


def test_without_unicode_every_byte_is_ascii_and_the_columns_stay() -> None:
    frame = Canvas(Depth.NONE, ascii_only=True).frame([[Span("🥇 🐇 ━━●── é 字!")]], 40, 1)
    assert drawn(frame, rows=1) == ["1.    ==o-- e 57!"]
    assert frame.isascii()


def test_the_ascii_stand_ins_are_as_wide_as_the_signs() -> None:
    assert len(to_ascii("█▏░🥇…❚❚")) == 8


def test_a_cut_text_ends_in_an_ellipsis_and_fits() -> None:
    assert cut("字字字字", 6) == "字字…"


def test_padding_counts_cells_not_characters() -> None:
    assert left("字", 4) == "字  "


def test_a_growing_text_keeps_the_lines_it_has() -> None:
    text = "the quick brown fox jumps over the lazy dog and runs away " * 3
    lines = [wrap(text[:size], 20, 99) for size in (60, len(text))]
    assert lines[1][: len(lines[0]) - 1] == lines[0][:-1]


def test_wrapping_returns_the_last_lines_and_breaks_long_words() -> None:
    assert wrap("one\ntwo abcdefghij", 4, 3) == ["abcd", "efgh", "ij"]
