"""The mouse: what a report says, what lies under the pointer, and what pressing it does."""

from pathlib import Path
from typing import Any

import pytest

from racelog.replay.playhead import Playhead
from racelog_player.app.mouse import OFF, ON, mouse_of, pointed_at
from racelog_player.controller.player import Player
from racelog_player.model.pointer import Mouse, Pointed
from racelog_player.model.scene import Page
from racelog_player.panes.screen import screen
from racelog_player.playback.source import PastRace
from racelog_player.terminal.style import Look

SECOND = 1_000_000_000
SIZE = 80, 24


@pytest.fixture
def player(log: Path) -> Player:
    return Player(PastRace(log), Playhead(10 * SECOND, 0, paused=True))


def pointed(player: Player, column: int, row: int, size: tuple[int, int] = SIZE) -> Pointed:
    scene = player.scene(0)
    return pointed_at(scene, screen(scene, Look(), *size), size[0], Mouse("press", column, row))


def press(player: Player, column: int, row: int, kind: str = "press") -> None:
    player.point(pointed(player, column, row), kind, 0)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ("\x1b[<0;11;5M", Mouse("press", 10, 4)), ("\x1b[<32;1;1M", Mouse("drag", 0, 0)),
        ("\x1b[<64;2;2M", Mouse("wheel-up", 1, 1)), ("\x1b[<81;2;2M", Mouse("wheel-down", 1, 1)),
        ("\x1b[<0;11;5m", None), ("\x1b[<2;1;1M", None), ("\x1b[M !!", None), ("\x1b[<9999;1;1M", None), ("", None),
    ],
)  # fmt: skip
def test_a_report_is_a_press_a_drag_a_turn_of_the_wheel_or_nothing(
    report: str, expected: Mouse | None
) -> None:
    assert mouse_of(report) == expected


def test_both_ends_of_the_time_line_are_both_ends_of_the_race(player: Player) -> None:
    line = "".join(span.text for span in screen(player.scene(0), Look(), *SIZE)[22])
    first, last = line.index("━"), line.rindex("─")
    ends = [pointed(player, column, 22).share for column in (first - 1, first, last, last + 1)]
    assert ends == [None, 0.0, 1.0, None]


def test_a_press_on_the_time_line_seeks_and_a_drag_after_it_is_the_same_seek(player: Player) -> None:
    press(player, 60, 22)
    press(player, 70, 22, "drag")
    there = player.scene(0).transport.position_ns
    player.press("u", 0)
    assert (there > 20 * SECOND, player.scene(0).transport.position_ns) == (True, 10 * SECOND)


@pytest.mark.parametrize(
    ("row", "name"), [(2, "rabbit"), (5, "turtle"), (7, "fox"), (11, "fox"), (12, "turtle")]
)
def test_a_press_on_a_lane_or_its_place_chooses_it(player: Player, row: int, name: str) -> None:
    press(player, 5, row)
    scene = player.scene(0)
    assert scene.race.lanes[scene.focus].engine.startswith(name)
    assert scene.notice.startswith(name)


def test_of_two_lanes_side_by_side_the_one_under_the_pointer_is_meant(player: Player) -> None:
    row = next(
        number
        for number, line in enumerate(screen(player.scene(0), Look(), 200, 60))
        if sum(span.text.strip() == "▎" for span in line) > 1
    )
    assert [pointed(player, column, row, (200, 60)).lane for column in (5, 80, 190)] == [0, 1, 2]


def test_the_chosen_lane_has_a_sign_and_a_second_press_shows_its_details(player: Player) -> None:
    press(player, 5, 4)
    lines = screen(player.scene(0), Look(), *SIZE)
    press(player, 5, 4)
    assert ([line[0].text for line in lines[2:8:2]], player.scene(0).page) == ([" ", "▸", " "], Page.DETAILS)


def test_the_wheel_scrolls_a_list_by_three_lines_and_not_above_its_top(player: Player) -> None:
    player.press("?", 0)
    for kind in ("wheel-down", "wheel-down", "wheel-up", "wheel-up", "wheel-up"):
        player.point(Pointed(), kind, 0)
        assert player.scene(0).scroll in (0, 3, 6)
    assert player.scene(0).scroll == 0


def test_where_nothing_is_nothing_happens(player: Player) -> None:
    before = player.scene(0)
    for column, row in ((0, 0), (5, 1), (79, 23), (5, 99)):
        press(player, column, row)
    assert player.scene(0) == before


def test_a_terminals_mouse_seeks_and_is_given_back(terminal: Any, log: Path) -> None:
    screen = terminal("play", str(log), "--paused")
    screen.until(lambda text: "STANDINGS" in text)
    screen.press("\x1b[<0;70;23M\x1b[<0;70;23m")
    screen.until(lambda text: "00:00.000" not in text)
    screen.press("q")
    assert (screen.exit_code(), screen.written.count(ON.encode())) == (0, 1)
    assert screen.written.rfind(OFF.encode()) > screen.written.rfind(ON.encode())


def test_no_mouse_leaves_it_to_the_terminal(terminal: Any, log: Path) -> None:
    screen = terminal("play", str(log), "--paused", "--no-mouse")
    screen.until(lambda text: "STANDINGS" in text)
    assert ON.encode() not in screen.written
