"""The user's settings: a page that turns them, a file that is theirs, flags that win for once."""

import os
from pathlib import Path
from typing import Any

import pytest

from racelog.replay.playhead import Playhead
from racelog_player.controller.player import Player
from racelog_player.film.snapshot import text_of
from racelog_player.model.scene import Page
from racelog_player.panes.screen import screen
from racelog_player.playback.source import PastRace
from racelog_player.settings.options import Options, OptionsView
from racelog_player.settings.settings import FILE, NAMES, Settings, recall, remember
from racelog_player.terminal.style import Look

SECOND = 1_000_000_000

THEIRS = """\
# mine
theme = "retro"    # easy on the eyes
unknown = [1, 2]

[somebody.elses]
mode = "teacher"
"""


@pytest.fixture
def player(log: Path) -> Player:
    return Player(PastRace(log), Playhead(10 * SECOND, 0, paused=True))


class Terminal:
    """Who shows a player, as far as settings go."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.adopted: list[str] = []

    def snapshot(self) -> str:
        return ""

    def themes(self) -> tuple[str, ...]:
        return ("default", "dark")

    def adopt(self, name: str, settings: Settings) -> str:
        self.adopted.append(name)
        return remember(self.home, name, getattr(settings, name))


def test_what_is_remembered_is_there_the_next_time(home: Path) -> None:
    for name, value in (("theme", "retro"), ("fps", 60), ("motion", False), ("theme", "dark")):
        assert remember(home, name, value) == ""
    assert recall(home) == (Settings(theme="dark", fps=60, motion=False), "")
    assert (home / FILE).read_text() == 'theme = "dark"\nfps = 60\nmotion = false\n'


def test_a_file_keeps_its_comments_its_unknown_lines_and_its_tables(home: Path) -> None:
    home.mkdir()
    (home / FILE).write_text(THEIRS)
    remember(home, "theme", "dark")
    remember(home, "mode", "expert")
    expected = THEIRS.replace('"retro"', '"dark"').replace("\n[somebody", '\nmode = "expert"\n[somebody')
    assert (home / FILE).read_text() == expected


@pytest.mark.parametrize("text", ["theme = ", "theme = 3\ntheme = 4\n", "\x00"])
def test_a_file_that_is_no_toml_is_told_of_and_never_written(home: Path, text: str) -> None:
    home.mkdir()
    (home / FILE).write_text(text)
    settings, problem = recall(home)
    told = remember(home, "theme", "dark")
    assert (settings, (home / FILE).read_text()) == (Settings(), text)
    assert ("player.toml" in problem, "no TOML" in told) == (True, True)


def test_a_key_written_over_several_lines_is_left_to_its_owner(home: Path) -> None:
    home.mkdir()
    (home / FILE).write_text('"theme" = "retro"\n')
    told = remember(home, "theme", "dark")
    assert ("player.toml" in told, (home / FILE).read_text()) == (True, '"theme" = "retro"\n')


@pytest.mark.parametrize("line", ["fps = 0", 'mode = "wizard"', "motion = 3"])
def test_a_wrong_value_costs_that_setting_and_is_told(home: Path, line: str) -> None:
    home.mkdir()
    (home / FILE).write_text(f'theme = "dark"\n{line}\n')
    settings, problem = recall(home)
    assert (settings, line.partition(" ")[0] in problem) == (Settings(theme="dark"), True)


def test_what_cannot_be_written_is_told(home: Path) -> None:
    home.write_text("a file where the folder should be")
    assert "not remembered" in remember(home, "theme", "dark")


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_comes_round_to_where_it_was(name: str) -> None:
    options = Options(Settings(theme="default"), ("default", "dark"))
    first, seen = options.settings, 0
    while not seen or options.settings != first:
        options.settings, seen = options.turned(name, 1), seen + 1
    assert seen >= 2


def test_the_page_shows_every_setting_and_keys_turn_the_one_that_is_chosen(
    player: Player, home: Path
) -> None:
    host = Terminal(home)
    player.attach(host)
    for key in ("o", "down", "right", "j", "c-m"):
        player.press(key, 0)
    view = player.scene(0).content
    assert isinstance(view, OptionsView)
    assert [row.value for row in view.rows[:3]] == ["default", "expert", "mpv"]
    assert (host.adopted, player.mode, recall(home)[0]) == (
        ["mode", "keys"],
        "expert",
        Settings(mode="expert", keys="mpv"),
    )


def test_new_keys_apply_at_once_and_the_page_keeps_its_own(player: Player) -> None:
    for key in ("o", "down", "down", "right", "escape"):
        player.press(key, 0)
    player.press("up", 0)  # mpv's: a minute on
    scene = player.scene(0)
    assert (scene.page, scene.transport.over) == (Page.RACE, True)


def test_an_idle_limit_applies_at_once_and_stays_where_one_is(player: Player) -> None:
    player.press("o", 0)
    player.press("up", 0)  # round to the last one
    player.press("right", 0)
    assert (player.playhead.squeeze.limit_ns, player.scene(0).transport.position_ns) == (
        SECOND // 2,
        10 * SECOND,
    )


def test_without_a_host_settings_change_for_this_once(player: Player) -> None:
    player.press("f2", 0)
    player.press("T", 0)
    player.press("s", 0)
    assert player.mode == "expert"


@pytest.mark.parametrize(("columns", "rows"), [(60, 15), (80, 24), (120, 40), (200, 60)])
def test_the_page_fits_and_says_what_the_chosen_setting_does(player: Player, columns: int, rows: int) -> None:
    player.press("o", 0)
    text = text_of(screen(player.scene(0), Look(), columns, rows))
    assert all(word in text for word in ("SETTINGS", "theme", "idle limit", "colours; put"))


def test_settings_are_changed_on_a_terminal_and_flags_win_for_once(
    terminal: Any, log: Path, home: Path
) -> None:
    screen = terminal("play", str(log), "--paused", "--theme", "retro")
    screen.until(lambda text: "STANDINGS" in text)
    screen.press("o")
    screen.until(lambda text: "SETTINGS" in text and "◂ retro" in text)
    screen.press("\x1b[D\x1b[D")
    screen.until(lambda text: "◂ light" in text)
    screen.press("\x1b[B\x1b[C")
    screen.until(lambda text: "◂ expert" in text)
    screen.press("\x1bq")
    screen.press("q")
    assert screen.exit_code() == 0
    assert recall(home) == (Settings(theme="light", mode="expert"), "")


def test_a_settings_file_that_is_wrong_is_told_of_and_nothing_ends(
    terminal: Any, log: Path, home: Path
) -> None:
    home.mkdir()
    (home / FILE).write_text("keys = 'nowhere.toml'\nidle_limit = 'soon'\n")
    screen = terminal("play", str(log), "--paused")
    screen.until(lambda text: "STANDINGS" in text and "soon" in text)


def test_no_motion_in_the_environment_is_heeded(terminal: Any, log: Path) -> None:
    assert "NO_MOTION" not in os.environ
    screen = terminal("play", str(log), "--paused", NO_MOTION="1")
    screen.until(lambda text: "STANDINGS" in text)
    screen.press("o")
    screen.until(
        lambda text: any("motion" in line and "off" in line.split()[1] for line in text.splitlines())
    )
