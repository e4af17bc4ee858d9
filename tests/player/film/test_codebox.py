"""Letters without a font stay apart in pictures."""

from racelog_player.film.codebox import code_boxes
from racelog_player.film.gif import CELL_PX, ROW_PX, Painter
from racelog_player.terminal.canvas import Span
from racelog_player.terminal.themes import DEFAULT

LETTERS = "一二三引擎模型日本語한국"


def test_no_two_letters_look_alike() -> None:
    assert len({code_boxes(letter, 2, CELL_PX, ROW_PX) for letter in LETTERS}) == len(LETTERS)


def test_every_number_lies_inside_its_cells() -> None:
    boxes = [box for letter in (*LETTERS, "𠀀") for box in code_boxes(letter, 2, CELL_PX, ROW_PX)]
    assert min(left for left, *_ in boxes) >= 0
    assert min(top for _, top, *_ in boxes) >= 0
    assert max(right for _, _, right, _ in boxes) <= 2 * CELL_PX
    assert max(bottom for *_, bottom in boxes) <= ROW_PX


def test_two_engines_named_in_chinese_are_two_in_a_picture() -> None:
    first, second = (
        Painter(DEFAULT, (12, 1)).painted([[Span(name)]]).tobytes() for name in ("引擎一", "引擎二")
    )
    assert first != second
