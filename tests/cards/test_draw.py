"""Cards as pictures: nothing cut, nothing overlapping, the same each time."""

import struct
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox

from racelog.views.summary import RaceSummary
from racelog_cards.draw import draw, render
from racelog_cards.fonts import draws
from racelog_cards.spec import card_spec
from racelog_cards.theme import SIZES_PX
from tests.cards.races import ODD, three_lanes


def ink(figure: Figure, text: Text) -> Bbox:
    """Return the box of what is inked, pixels from the lower left; an extent would add room for absent descenders."""
    outline, _ = text_to_path.get_text_path(text.get_fontproperties(), text.get_text(), ismath=False)
    scaled = np.array(outline) * text.get_fontsize() / text_to_path.FONT_SCALE
    left = text.get_window_extent().x0
    baseline = figure.bbox.height - text.get_position()[1]
    return Bbox([scaled.min(axis=0), scaled.max(axis=0)]).translated(left, baseline)


def text_boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    return [(text.get_text(), ink(figure, text)) for text in figure.axes[0].texts]


@pytest.mark.parametrize("size", SIZES_PX)
@pytest.mark.parametrize("race", ODD.values(), ids=ODD.keys())
def test_all_text_lies_inside_the_card_and_none_on_another(race: RaceSummary, size: str) -> None:
    boxes = text_boxes(draw(card_spec(race, draws), size=size))
    width, height = SIZES_PX[size]
    assert [t for t, b in boxes if b.x0 < 20 or b.y0 < 12 or b.x1 > width - 20 or b.y1 > height - 12] == []
    assert [(a, b) for (a, x), (b, y) in combinations(boxes, 2) if x.padded(1.5).overlaps(y)] == []


@pytest.mark.parametrize("size", SIZES_PX)
def test_a_png_has_exactly_the_pixels_of_its_size(size: str) -> None:
    png = render(card_spec(three_lanes(), draws), size=size)
    assert struct.unpack(">II", png[16:24]) == SIZES_PX[size]


def test_an_svg_is_the_same_bytes_each_time_and_holds_no_date() -> None:
    first, second = (render(card_spec(three_lanes(), draws), form="svg") for _ in range(2))
    assert first == second
    assert b"<dc:date>" not in first


def test_a_png_is_the_same_bytes_each_time() -> None:
    first, second = (render(card_spec(ODD["three lanes"], draws)) for _ in range(2))
    assert first == second


def test_markup_emoji_and_missing_glyphs_draw_without_a_warning() -> None:
    spec = card_spec(ODD["markup and emoji"], draws)
    assert render(spec) != render(spec, theme="light")


def test_a_dollar_is_drawn_as_a_dollar() -> None:
    texts = [text for text, _ in text_boxes(draw(card_spec(ODD["markup and emoji"], draws)))]
    assert "$" in texts[1]


def test_drawing_ignores_the_users_matplotlib_style(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = card_spec(ODD["three lanes"], draws)
    plain = render(spec)
    monkeypatch.setitem(mpl.rcParams, "lines.linestyle", ":")
    monkeypatch.setitem(mpl.rcParams, "path.simplify", False)
    assert render(spec) == plain
