"""Every lane has a colour of its own that can be seen."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from racelog.display.colours import TEXT_LEAST, asked_color, contrast
from racelog_cards.theme import DARK, LIGHT, Theme, lane_colors

THEMES = pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])

SIGHTS = {
    "normal": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""How linear RGB looks with a colour missing: Machado et al. (2009), severity 1."""
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def seen(color: str, sight: str) -> list[float]:
    """Return a colour in CIELAB (D65) as eyes of that sight take it in."""
    srgb = np.array(to_rgb(color))
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = np.array(TO_XYZ) @ np.clip(np.array(SIGHTS[sight]) @ linear, 0, 1) / np.array([0.9505, 1, 1.089])
    x, y, z = (float(v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116) for v in xyz)
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


@THEMES
@pytest.mark.parametrize("sight", SIGHTS)
def test_ten_lanes_are_told_apart_by_every_kind_of_sight(theme: Theme, sight: str) -> None:
    colors = [np.array(seen(color, sight)) for color in theme.lanes]
    assert min(float(np.linalg.norm(one - other)) for one, other in combinations(colors, 2)) >= 17.9


def test_a_css_name_and_a_hex_colour_are_kept() -> None:
    assert lane_colors([(0, "Tomato"), (1, "#4C8DFF")], DARK) == {0: "#ff6347", 1: "#4c8dff"}


@pytest.mark.parametrize("wish", ["", "C0", "0.5", "r; drop", "#12345", "url(x)"])
def test_what_is_no_css_colour_is_not_taken_for_one(wish: str) -> None:
    assert asked_color(wish) == ""


def test_two_lanes_that_ask_for_one_colour_do_not_share_it() -> None:
    colors = lane_colors([(0, "tomato"), (1, "tomato")], DARK)
    assert colors[0] != colors[1]


@THEMES
def test_ten_lanes_have_ten_colours(theme: Theme) -> None:
    assert len(set(lane_colors([(lane, "") for lane in range(10)], theme).values())) == 10


@THEMES
@pytest.mark.parametrize("wish", ["black", "navy", "white", "ivory", "#0b1020", "#f7f8fc"])
def test_a_colour_like_the_background_is_moved_until_it_is_seen(theme: Theme, wish: str) -> None:
    assert contrast(lane_colors([(0, wish)], theme)[0], theme.background) >= TEXT_LEAST


@THEMES
def test_every_text_colour_is_readable_on_both_grounds(theme: Theme) -> None:
    texts = [theme.text, theme.muted, theme.faint, theme.warn]
    assert min(contrast(text, ground) for text in texts for ground in (theme.background, theme.panel)) >= 4.5
