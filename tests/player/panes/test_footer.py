"""The bottom row: at 80 columns it names every page and the help; and what is awaited before the start."""

from dataclasses import replace
from typing import Any

import pytest

from racelog.events import AnyEvent, Calibration
from racelog.replay.playhead import Playhead
from racelog.replay.race import RaceTracks
from racelog.testing.races import Plan, ScriptedRace
from racelog_player.controller.player import Player
from racelog_player.model.scene import Scene
from racelog_player.panes.frame import getting_ready, keys_line
from tests.player.theatre import SECOND, Still

RACE = ScriptedRace([Plan("vLLM", requests=40), Plan("SGLang", requests=40)])


def scene_of(*more: AnyEvent, before: bool = False) -> Scene:
    events = [*(RACE.race_events() if before else RACE.events()), *more]
    return Player(Still(RaceTracks(events)), Playhead(2 * SECOND, 0, paused=True)).scene(0)


def footer(scene: Scene, columns: int, **transport: Any) -> str:
    return "".join(
        text
        for text, _ in keys_line(replace(scene, transport=replace(scene.transport, **transport)), columns)
    )


LIVE = {"live": True, "at_edge": True, "controls": True}
FOLLOWED = {"live": True, "at_edge": True}
OVER = {"over": True, "controls": True}


@pytest.mark.parametrize("transport", [LIVE, FOLLOWED, OVER, {}], ids=["live", "followed", "over", "replay"])
@pytest.mark.parametrize("columns", [80, 100, 140])
def test_every_page_and_the_help_are_named_from_80_columns_on(
    transport: dict[str, Any], columns: int
) -> None:
    told = footer(scene_of(), columns, **transport)

    assert ("? all keys" in told, "i t c d e a n pages" in told) == (True, True)


def test_a_wide_footer_names_each_page_by_its_word() -> None:
    told = footer(scene_of(), 200, **LIVE)

    assert [
        word
        for word in ("i answers", "t timeline", "c charts", "d details", "n insights")
        if word not in told
    ] == []


@pytest.mark.parametrize("columns", range(60, 200, 7))
def test_a_footer_leaves_keys_out_whole(columns: int) -> None:
    whole, told = footer(scene_of(), 400, **LIVE), footer(scene_of(), columns, **LIVE).rstrip()

    assert (
        len(told) <= columns,
        set(told.split("   ")) <= {*whole.rstrip().split("   "), "i t c d e a n pages"},
    ) == (
        True,
        True,
    )


def checked(lane: int) -> Calibration:
    return Calibration(
        t=0, lane=lane, streams=4, tokens=100, coalesced=0, p50_us=12.0, p99_us=31.0, max_us=90.0, stamp="kernel",
        tokens_per_s=100.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lanes", "told"),
    [
        (
            (),
            "getting ready: clock check (about one second), warm-up, then the start",
        ),
        ((0,), "checking clocks: 1 of 2 done, about one second each"),
        ((0, 1), "all clocks checked; next: warm-up, then the start"),
    ],
)
def test_what_is_awaited_before_the_start_is_told(lanes: tuple[int, ...], told: str) -> None:
    assert getting_ready(scene_of(*(checked(lane) for lane in lanes), before=True)) == told
