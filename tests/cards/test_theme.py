"""Every lane has a colour of its own that can be seen."""

import pytest

from racelog_cards.theme import DARK, LEAST_CONTRAST, LIGHT, Theme, contrast, css_color, lane_colors

THEMES = pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])


def test_a_css_name_and_a_hex_colour_are_kept() -> None:
    assert lane_colors([(0, "Tomato"), (1, "#4C8DFF")], DARK) == {0: "#ff6347", 1: "#4c8dff"}


@pytest.mark.parametrize("wish", ["", "C0", "0.5", "r; drop", "#12345", "url(x)"])
def test_what_is_no_css_colour_is_not_taken_for_one(wish: str) -> None:
    assert css_color(wish) is None


def test_two_lanes_that_ask_for_one_colour_do_not_share_it() -> None:
    colors = lane_colors([(0, "tomato"), (1, "tomato")], DARK)
    assert colors[0] != colors[1]


@THEMES
def test_ten_lanes_have_ten_colours(theme: Theme) -> None:
    assert len(set(lane_colors([(lane, "") for lane in range(10)], theme).values())) == 10


@THEMES
@pytest.mark.parametrize("wish", ["black", "navy", "white", "ivory", "#0b1020", "#f7f8fc"])
def test_a_colour_like_the_background_is_moved_until_it_is_seen(theme: Theme, wish: str) -> None:
    assert contrast(lane_colors([(0, wish)], theme)[0], theme.background) >= LEAST_CONTRAST


@THEMES
def test_every_text_colour_is_readable_on_both_grounds(theme: Theme) -> None:
    texts = [theme.text, theme.muted, theme.faint, theme.warn]
    assert min(contrast(text, ground) for text in texts for ground in (theme.background, theme.panel)) >= 4.5
