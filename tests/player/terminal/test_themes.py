"""Whatever is written is readable: WCAG 2.2's contrast for text (4.5, success criterion 1.4.3) in every theme."""

import pytest

from racelog.display.colours import APART, NAMED, contrast, distance, readable
from racelog_player.film.snapshot import INK, PAPER
from racelog_player.terminal.style import color_of, mix
from racelog_player.terminal.themes import BUILT_IN, DEFAULT, PALETTE, Theme, cast_for

WRITTEN = ("text", "soft", "faint", "good", "bad", "warn", "accent")
LEAST = 4.5


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


ASKED = ["purple", "black", "#000", "#ffffff", "#800080", "navy", "#808080", *NAMED]


@pytest.mark.parametrize("theme", BUILT_IN.values(), ids=lambda theme: theme.name)
@pytest.mark.parametrize("asked", ASKED)
def test_a_colour_that_was_asked_for_is_readable_in_every_theme(theme: Theme, asked: str) -> None:
    assert contrast(theme.resolve(color_of(0, asked)), theme.paper) >= LEAST


def test_a_colour_that_is_readable_stays_as_it_was_asked_for() -> None:
    assert DEFAULT.resolve(color_of(0, "#4cc9f0")) == "#4cc9f0"


def test_a_colour_that_is_not_readable_keeps_its_hue() -> None:
    red, green, blue = (int(readable("#800080", "#1e1e1e")[i : i + 2], 16) for i in (1, 3, 5))

    assert (red == blue, green < red) == (True, True)


@pytest.mark.parametrize("theme", BUILT_IN.values(), ids=lambda theme: theme.name)
def test_a_history_in_a_lanes_colour_is_seen_as_graphics_must_be(theme: Theme) -> None:
    """WCAG 2.2, success criterion 1.4.11: 3 for graphics."""
    drawn = [theme.resolve(mix(color_of(number, ""), "track", 0.25)) for number in range(10)]

    assert [color for color in drawn if contrast(color, theme.paper) < 3] == []


def cast(*asked: str) -> list[str]:
    """Return the colours of lanes that asked for these, "" for none, in a race of their own."""
    lanes = tuple(color_of(number, color) for number, color in enumerate(asked))
    theme = cast_for(DEFAULT, lanes)
    return [theme.resolve(lane) for lane in lanes]


@pytest.mark.parametrize("number", range(len(PALETTE)))
def test_a_lane_that_asked_for_no_colour_is_told_from_one_that_asked_for_its(number: int) -> None:
    drawn = cast(*[""] * number, "", PALETTE[number])

    assert min(distance(color, drawn[-1]) for color in drawn[:-1]) >= APART


@pytest.mark.parametrize("number", range(len(PALETTE)))
def test_no_lane_that_asked_for_no_colour_has_the_red_of_failures(number: int) -> None:
    assert distance(cast(*[""] * 10)[number], DEFAULT.resolve("bad")) >= APART


def test_ten_lanes_that_asked_for_nothing_have_ten_colours() -> None:
    assert len(set(cast(*[""] * 10))) == 10


def test_who_asked_for_red_gets_it() -> None:
    assert cast("#ff6b6b", "")[0] == "#ff6b6b"
