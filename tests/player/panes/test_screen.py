"""Whole pictures of the race, compared with files that a person has looked at.

To renew them after a wanted change: ``RACELOG_GOLDEN=write pytest tests/player/panes/test_screen.py``, then look.
"""

import os
import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from racelog.display.signs import to_ascii
from racelog.events import Calibration, Mark
from racelog.replay.playhead import Playhead
from racelog.replay.race import RaceTracks
from racelog.testing.races import Plan, ScriptedRace, recorder_readings
from racelog.views.race import RaceView, StreamView
from racelog_player.controller.player import Player
from racelog_player.model.scene import Page, Scene, Stage
from racelog_player.panes.lanes import in_flight, lanes_pane
from racelog_player.panes.screen import screen
from racelog_player.panes.streams import streams_pane
from racelog_player.terminal.canvas import Depth
from racelog_player.terminal.cells import width
from racelog_player.terminal.style import Look, depth_of, lane_color, shows_unicode
from racelog_player.terminal.themes import DEFAULT, PALETTE
from tests.player.theatre import Still

GOLDEN = Path(__file__).parents[1] / "golden"
SECOND = 1_000_000_000


def scene_at(race: ScriptedRace, seconds: float) -> Scene:
    return Player(Still(RaceTracks(race.events())), Playhead(round(seconds * SECOND), 0, paused=True)).scene(
        0
    )


def text_of(scene: Scene, columns: int, rows: int, look: Look | None = None) -> str:
    look = look or Look()
    lines = ["".join(span.text for span in line) for line in screen(scene, look, columns, rows)]
    return "".join((to_ascii(line) if look.ascii_only else line).rstrip() + "\n" for line in lines)


def same_as_golden(name: str, text: str) -> None:
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("RACELOG_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def ten() -> ScriptedRace:
    return ScriptedRace(
        [Plan(f"engine-{i}", ttft_ms=100 + 17 * i, requests=20, tokens=40) for i in range(10)]
    )


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 60)])
@pytest.mark.parametrize(("name", "seconds"), [("racing", 9.3), ("result", 99)])
def test_the_race_is_drawn_as_it_was_approved(
    race: ScriptedRace, name: str, seconds: float, columns: int, rows: int
) -> None:
    same_as_golden(f"{name}-{columns}x{rows}", text_of(scene_at(race, seconds), columns, rows))


def test_ten_lanes_fit_80_by_24(race: ScriptedRace) -> None:
    same_as_golden("ten-80x24", text_of(scene_at(ten(), 9.3), 80, 24))


def test_ascii_terminals_get_the_same_picture(race: ScriptedRace) -> None:
    same_as_golden(
        "racing-ascii-80x24", text_of(scene_at(race, 9.3), 80, 24, Look(Depth.NONE, ascii_only=True))
    )


def test_help_covers_the_race(race: ScriptedRace) -> None:
    scene = replace(scene_at(race, 9.3), page=Page.HELP)
    same_as_golden("help-80x24", text_of(scene, 80, 24))


def test_the_grid_counts_down(race: ScriptedRace) -> None:
    scene = replace(scene_at(race, 0), stage=Stage.GRID, countdown_s=3)
    same_as_golden("grid-80x24", text_of(scene, 80, 24))


def test_a_small_terminal_gets_a_line_per_lane_and_the_way_out(race: ScriptedRace) -> None:
    same_as_golden("small-40x8", text_of(scene_at(race, 9.3), 40, 8))


@pytest.mark.parametrize("columns", [1, 20, 59, 60, 80, 99, 100, 133, 200])
@pytest.mark.parametrize("rows", [1, 2, 14, 15, 24, 33, 60])
@pytest.mark.parametrize("seconds", [0, 9.3, 99])
def test_every_size_is_filled_exactly(race: ScriptedRace, columns: int, rows: int, seconds: float) -> None:
    lines = screen(scene_at(race, seconds), Look(), columns, rows)
    assert len(lines) == rows
    assert max(sum(width(span.text) for span in line) for line in lines) <= columns


@pytest.mark.parametrize("lanes", [1, 2, 5, 10])
@pytest.mark.parametrize("columns", [60, 80, 100, 200])
@pytest.mark.parametrize("per_lane", [1, 2])
def test_the_lanes_end_at_the_right_edge(lanes: int, columns: int, per_lane: int) -> None:
    race = ScriptedRace([Plan(f"engine-{i}-with-a-name", requests=20) for i in range(lanes)])
    lines = lanes_pane(scene_at(race, 2).race, Look(), columns, per_lane)
    assert {sum(width(span.text) for span in line) for line in lines} == {columns}


def test_equal_instants_give_equal_pictures_by_any_route(race: ScriptedRace) -> None:
    player = Player(Still(RaceTracks(race.events())), Playhead(0, 0))
    for now in (3 * SECOND, 20 * SECOND):
        player.scene(now)
    player.press("home", 20 * SECOND)
    player.press("space", 20 * SECOND)
    there = player.scene(29 * SECOND)
    fresh = Player(Still(RaceTracks(race.events())), Playhead(0, 20 * SECOND)).scene(29 * SECOND)
    assert there.race == fresh.race


def test_the_bar_creeps_on_between_two_finishes(race: ScriptedRace) -> None:
    shares = [in_flight(scene_at(race, seconds).race.lanes[0]) for seconds in (9.1, 9.2, 9.3)]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[2] < 1 / 20


def test_a_lane_keeps_the_colour_it_asked_for_and_an_unknown_one_gets_its_number(race: ScriptedRace) -> None:
    lanes = scene_at(race, 1).race.lanes
    odd = ScriptedRace([Plan("a", color="#f80"), Plan("b", color="\x1b[31m")])
    colors = [DEFAULT.resolve(lane_color(lane)) for lane in [*lanes[:1], *scene_at(odd, 1).race.lanes]]
    assert colors == ["#4cc9f0", "#ff8800", PALETTE[1]]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, Depth.TRUE),
        ({"TERM": "xterm-256color"}, Depth.INDEXED),
        ({"TERM": "linux"}, Depth.ANSI),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, Depth.NONE),
        ({"TERM": "dumb"}, Depth.NONE),
        ({}, Depth.NONE),
    ],
)
def test_the_environment_says_how_many_colours_there_are(
    environment: dict[str, str], expected: Depth
) -> None:
    assert depth_of(environment) == expected


def test_only_utf8_output_gets_our_signs() -> None:
    told = [shows_unicode(name, {"TERM": "xterm"}) for name in ("utf-8", "UTF8", "ascii", "iso-8859-1", None)]
    assert told == [True, True, False, False, False]


def test_a_mark_in_the_log_changes_nothing_on_the_screen(race: ScriptedRace) -> None:
    marked = [*race.events(), Mark(t=SECOND, label="\x1b[2J")]
    plain = text_of(scene_at(race, 5), 80, 24)
    player = Player(Still(RaceTracks(marked)), Playhead(5 * SECOND, 0, paused=True))
    assert text_of(player.scene(0), 80, 24) == plain


def test_of_several_answers_the_one_that_streams_longest_is_shown(race: ScriptedRace) -> None:
    view = scene_at(race, 9.3).race
    facts = [(1, "", 9.0, None), (2, "young", 5.0, 4900.0), (3, "old", 3.0, 100.0)]
    streams = [
        StreamView(req=req, prompt="", text=text, elapsed_s=s, ttft_ms=ms) for req, text, s, ms in facts
    ]
    lane = msgspec.structs.replace(view.lanes[0], streams=streams)
    lines = streams_pane(msgspec.structs.replace(view, lanes=[lane]), 80, 8)
    shown = " ".join(span.text for line in lines for span in line)
    assert ("old" in shown, "young" in shown) == (True, False)


def many(view: RaceView, lanes: int) -> RaceView:
    """Return ``view`` with so many lanes, called e0, e1, ..."""
    first = view.lanes[0]
    several = [msgspec.structs.replace(first, lane=lane, engine=f"e{lane}") for lane in range(lanes)]
    return msgspec.structs.replace(view, lanes=several)


def test_engines_whose_answers_find_no_room_are_named_with_how_to_read_them(race: ScriptedRace) -> None:
    lines = streams_pane(many(scene_at(race, 9.3).race, 10), 120, 8)

    assert len(lines) == 8
    assert "".join(span.text for span in lines[-1]) == (
        " 5 more engines: e5, e6, e7, e8, e9 · tab picks one, enter opens its answers"
    )


@pytest.mark.parametrize("rows", range(4, 30))
@pytest.mark.parametrize("columns", [30, 80, 120])
def test_every_engine_has_a_box_or_is_counted(race: ScriptedRace, columns: int, rows: int) -> None:
    lines = streams_pane(many(scene_at(race, 9.3).race, 10), columns, rows)
    text = ["".join(span.text for span in line) for line in lines]
    boxes = sum(len(re.findall(r"\be\d\b", line)) for line in text if "more engine" not in line)
    counted = re.match(r" (?:\+(\d+)|(\d+) more)", text[-1])
    rest = int(counted[1] or counted[2]) if counted else 0

    assert len(lines) == rows
    assert boxes + rest == 10 or rows == 4, text


def test_a_title_leaves_out_whole_facts_where_room_is_short(race: ScriptedRace) -> None:
    scene = scene_at(race, 9.3)
    long = replace(scene, race=msgspec.structs.replace(scene.race, name="n" * 40))
    assert text_of(long, 80, 24).splitlines()[0] == f" 🏁 {'n' * 40}  all at once         9.3 of 25.8 s"


def limited() -> Scene:
    """Return a race half through whose recorder had no CPU to spare."""
    plan = Plan("vllm", requests=10, gap_ms=100)
    events = [
        *ScriptedRace([plan, Plan("sglang", ttft_ms=200)]).events(),
        recorder_readings("vllm", cpu_pct=100.0, loop_lag_us=9_000.0),
    ]
    return Player(Still(RaceTracks(events)), Playhead(5 * SECOND, 0, paused=True)).scene(0)


def test_a_client_that_is_the_bottleneck_is_named_in_the_title_and_explained_below() -> None:
    first, *others = text_of(limited(), 120, 40).splitlines()

    assert " measuring machine too slow " in first
    assert any(
        "measuring machine too slow - recorder too busy: its CPU was full for 100 % of vllm's race" in line
        for line in others
    )


def test_the_smallest_screen_has_room_to_say_that_the_client_is_the_bottleneck() -> None:
    assert " measuring machine too slow " in text_of(limited(), 60, 15).splitlines()[0]


def test_the_grid_tells_how_far_each_lanes_stamps_are_off(race: ScriptedRace) -> None:
    found = Calibration(
        t=0, lane=0, streams=64, tokens=3200, coalesced=0, p50_us=12.0, p99_us=31.0, max_us=400.0, stamp="kernel",
        tokens_per_s=3200.0,
    )  # fmt: skip
    still = Still(RaceTracks([*race.race_events(), found]))
    scene = replace(Player(still, Playhead(0, 0, paused=True)).scene(0), stage=Stage.GRID)

    (told,) = [line for line in text_of(scene, 80, 24).splitlines() if "clock checked, +-0.031 ms" in line]

    assert race.plans[0].engine in told


def test_a_board_without_places_says_why() -> None:
    scene = scene_at(ScriptedRace([Plan("a"), Plan("b", ttft_ms=200)]), 0.5)
    unlike = replace(
        scene, race=msgspec.structs.replace(scene.race, unlike="max_tokens is 64 for a, 128 for b")
    )
    assert " Not like for like: max_tokens is 64 for a, 128 for b" in text_of(unlike, 80, 24).splitlines()
