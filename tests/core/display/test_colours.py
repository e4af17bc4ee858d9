"""An engine has one colour: on the card, on the page, in the player and in a plot."""

import colorsys
from itertools import combinations

import pytest

from racelog.clock import NS_PER_S
from racelog.display.colours import (
    APART,
    ON_DARK,
    ON_LIGHT,
    TEXT_LEAST,
    asked_color,
    colors_of,
    contrast,
    distance,
)
from racelog.export.page import data
from racelog.export.source import Source
from racelog.replay.playhead import Playhead
from racelog.testing.races import Plan, ScriptedRace
from racelog_cards.theme import DARK, LIGHT, lane_colors
from racelog_player.controller.player import Player
from racelog_player.playback.source import PastRace
from racelog_player.terminal.style import color_of
from racelog_player.terminal.themes import BUILT_IN, DEFAULT, cast_for

WISHES = ["", "tomato", "#4cc9f0", "purple", "", "tomato", "Navy", "#fff", "", "no colour"]
LANES = list(enumerate(WISHES))


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    race = ScriptedRace([Plan(f"e{lane}", requests=1, color=wish) for lane, wish in LANES])
    return race.write_file(tmp_path_factory.mktemp("race") / "race.rlog")


def test_the_card_the_page_and_the_player_colour_every_engine_alike(log) -> None:
    lanes = tuple(color_of(lane, wish) for lane, wish in LANES)
    theme = cast_for(DEFAULT, lanes)
    player = [theme.resolve(lane) for lane in lanes]
    page = {lane: dark for lane, (_, dark) in data(Source.read(log))["colors"].items()}
    assert page == lane_colors(LANES, DARK) == dict(enumerate(player))


def test_a_light_card_and_a_light_page_colour_every_engine_alike(log) -> None:
    page = {lane: light for lane, (light, _) in data(Source.read(log))["colors"].items()}
    assert page == lane_colors(LANES, LIGHT)


def test_the_player_shows_a_race_in_these_colours(log) -> None:
    race = Player(PastRace(log), Playhead(NS_PER_S, 0, paused=True)).scene(0).race
    assert [color_of(lane.lane, lane.color) for lane in race.lanes] == [color_of(*lane) for lane in LANES]


@pytest.mark.parametrize("ground", [ON_DARK, ON_LIGHT], ids=["dark", "light"])
def test_no_two_engines_share_a_colour_and_each_is_read_and_is_not_the_red_of_failures(ground) -> None:
    found = list(colors_of([(lane, "") for lane in range(10)], ground).values())
    assert min(distance(one, other) for one, other in combinations([*found, ground.red], 2)) >= APART
    assert [color for color in found if contrast(color, ground.paper) < TEXT_LEAST] == []


@pytest.mark.parametrize(
    ("wish", "color"),
    [("#ABC", "#aabbcc"), ("#4CC9F0", "#4cc9f0"), ("Green", "#51cf66"), ("bright-red", "#ff6b6b"), ("Tomato", "#ff6347"), ("", ""), ("url(x)", "")],
)  # fmt: skip
def test_a_wish_is_a_hex_colour_or_a_name_of_ours_or_of_css(wish: str, color: str) -> None:
    assert asked_color(wish) == color


def test_the_first_who_asks_for_a_colour_has_it() -> None:
    first, second = colors_of([(0, "tomato"), (1, "tomato")]).values()
    assert (first, first != second) == ("#ff6347", True)


def test_an_engines_hue_is_the_same_on_dark_and_on_light() -> None:
    def hue(color: str) -> float:
        return colorsys.rgb_to_hsv(*(int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)))[0]

    turns = [abs(hue(one) - hue(other)) for one, other in zip(ON_DARK.lanes, ON_LIGHT.lanes, strict=True)]
    assert max(min(turn, 1 - turn) for turn in turns) < 0.11


def test_the_light_theme_gives_lanes_without_a_wish_the_colours_of_a_light_card() -> None:
    theme = cast_for(BUILT_IN["light"], tuple(color_of(lane, "") for lane in range(10)))
    player = {lane: theme.resolve(color_of(lane, "")) for lane in range(10)}
    assert player == lane_colors([(lane, "") for lane in range(10)], LIGHT)
