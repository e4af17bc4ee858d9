"""On terminals of 16 and 8 colours the states of a lane stay apart, in every theme, and colours keep their hue."""

from itertools import combinations

import pytest

from racelog_player.terminal.canvas import Canvas, Depth, Span, Style
from racelog_player.terminal.style import BAD, FAINT, GOOD, SOFT, WARN, depth_of
from racelog_player.terminal.themes import BUILT_IN, Theme

STATES = {"good": GOOD, "bad": BAD, "warn": WARN, "soft": SOFT}
FEW = [Depth.ANSI, Depth.EIGHT]


def ink(style: Style, theme: Theme, depth: Depth) -> str:
    """Return the SGR parameters of a style's foreground."""
    drawn = Canvas(depth, theme=theme).encoded([Span("x", Style(style.fg))], 10)
    codes = drawn.split("x")[0].rsplit("\x1b[", 1)[1].removesuffix("m").split(";")
    return next((code for code in reversed(codes) if code[0] in "39" and len(code) == 2), "")


@pytest.mark.parametrize("depth", FEW)
@pytest.mark.parametrize("theme", BUILT_IN.values(), ids=lambda theme: theme.name)
def test_no_two_states_look_alike_in_few_colours(theme: Theme, depth: Depth) -> None:
    alike = [
        (one, other) for (one, a), (other, b) in combinations(STATES.items(), 2)
        if ink(a, theme, depth) == ink(b, theme, depth) and {one, other} <= {"good", "bad", "warn"}
    ]  # fmt: skip
    assert alike == []


@pytest.mark.parametrize("depth", FEW)
def test_failed_is_red_racing_green_and_small_print_grey(depth: Depth) -> None:
    theme = BUILT_IN["default"]
    assert [ink(style, theme, depth) for style in (BAD, GOOD, WARN)] == ["31", "32", "33"]
    assert ink(SOFT, theme, depth) in ("37", "90")
    assert ink(FAINT, theme, depth) in ("37", "90")


@pytest.mark.parametrize(
    ("color", "code"), [("#ff6b6b", "91"), ("#da77f2", "95"), ("#1d7f3b", "32"), ("#0a7aa5", "36")]
)
def test_a_pale_colour_keeps_its_hue_in_sixteen(color: str, code: str) -> None:
    assert ink(Style(color), BUILT_IN["default"], Depth.ANSI) == code


@pytest.mark.parametrize("term", ["ansi", "vt220", "cons25", "putty-8color"])
def test_terminals_of_eight_colours_are_known_by_name(term: str) -> None:
    assert depth_of({"TERM": term}) is Depth.EIGHT


@pytest.mark.parametrize("theme", BUILT_IN.values(), ids=lambda theme: theme.name)
def test_eight_colours_need_no_codes_beyond_eight(theme: Theme) -> None:
    styles = [*STATES.values(), FAINT, *(Style(f"lane:{n}:") for n in range(10))]
    assert [code for style in styles if (code := ink(style, theme, Depth.EIGHT)).startswith("9")] == []
