"""Whatever is written is readable: WCAG 2.2's contrast for text (4.5, success criterion 1.4.3) in every theme."""

import pytest

from racelog_player.canvas import rgb_of
from racelog_player.snapshot import INK, PAPER
from racelog_player.themes import BUILT_IN, Theme

WRITTEN = ("text", "soft", "faint", "good", "bad", "warn", "accent")
LEAST = 4.5


def luminance(color: str) -> float:
    """Return the relative luminance that WCAG defines over sRGB."""
    shares = [part / 255 for part in rgb_of(color)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_has_the_contrast_that_the_standard_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", BUILT_IN.values(), ids=lambda theme: theme.name)
@pytest.mark.parametrize("role", WRITTEN)
def test_every_role_is_readable_on_its_paper(theme: Theme, role: str) -> None:
    assert contrast(theme.resolve(role) or INK, theme.resolve("background") or PAPER) >= LEAST


@pytest.mark.parametrize("theme", BUILT_IN.values(), ids=lambda theme: theme.name)
def test_every_lane_is_readable_on_its_paper(theme: Theme) -> None:
    paper = theme.resolve("background") or PAPER
    assert [color for color in theme.lanes if contrast(color, paper) < LEAST] == []
