"""`racelog play` on a real terminal: what it draws, what keys do, and how it leaves."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from racelog.testing.races import Plan, ScriptedRace

ENTERED, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"


class Screen(Protocol):
    """The fixture `terminal` gives these; its class stands in conftest, which a test cannot import."""

    written: bytes
    process: subprocess.Popen[bytes]
    cooked: list[object]
    settings: list[object]

    def press(self, keys: str) -> None: ...
    def resize(self, columns: int, rows: int) -> None: ...
    def until(self, holds: Callable[[str], bool]) -> str: ...
    def exit_code(self) -> int: ...
    def settle(self, wait_s: float) -> int: ...


OpenTerminal = Callable[..., Screen]


def restored(terminal: Screen) -> bool:
    out = terminal.written
    return out.rfind(LEFT) > out.rfind(ENTERED) > -1 and out.rfind(b"\x1b[?25h") > out.rfind(b"\x1b[?25l")


def test_a_race_is_watched_paused_sought_and_left(terminal: OpenTerminal, log: Path) -> None:
    screen = terminal("play", str(log), "--start", "2s")
    screen.until(lambda text: "STANDINGS" in text and "rabbit" in text)
    screen.press(" ")
    paused = screen.until(lambda text: "❚❚" in text)
    screen.press("\x1b[C")
    sought = screen.until(lambda text: text.splitlines()[22] != paused.splitlines()[22])
    screen.press("q")
    assert (screen.exit_code(), restored(screen), screen.settings) == (0, True, screen.cooked)
    before, after = (text.splitlines()[22].split()[2] for text in (paused, sought))
    assert int(after[3:5]) - int(before[3:5]) == 5


def test_the_race_plays_to_its_result(terminal: OpenTerminal, log: Path) -> None:
    screen = terminal("play", str(log), "--speed", "max")
    screen.until(lambda text: "rabbit wins" in text and "q to leave" in text)
    screen.press("\x03")
    assert screen.exit_code() == 0


def test_a_resize_draws_the_race_in_the_new_size(terminal: OpenTerminal, log: Path) -> None:
    screen = terminal("play", str(log))
    screen.until(lambda text: "STANDINGS" in text)
    screen.press(" ")
    screen.until(lambda text: "❚❚" in text)
    screen.resize(120, 40)
    screen.process.send_signal(signal.SIGWINCH)
    screen.until(lambda text: "shorter is better" in text)
    screen.resize(50, 10)
    screen.process.send_signal(signal.SIGWINCH)
    assert "enlarge to 60×15" in screen.until(lambda text: "enlarge" in text)  # noqa: RUF001 - the sign we show


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 130), (signal.SIGHUP, 0), (signal.SIGINT, 0)])
def test_a_signal_gives_the_terminal_back(
    terminal: OpenTerminal, log: Path, number: signal.Signals, code: int
) -> None:
    screen = terminal("play", str(log))
    screen.until(lambda text: "STANDINGS" in text)
    screen.process.send_signal(number)
    assert (screen.exit_code(), restored(screen), screen.settings) == (code, True, screen.cooked)


def test_without_utf8_the_picture_is_ascii(terminal: OpenTerminal, log: Path) -> None:
    screen = terminal("play", str(log), PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    screen.until(lambda text: "STANDINGS" in text)
    assert screen.written.isascii()


def test_no_color_means_no_colours(terminal: OpenTerminal, log: Path) -> None:
    screen = terminal("play", str(log), NO_COLOR="1")
    screen.until(lambda text: "STANDINGS" in text)
    assert (b"38;2;" in screen.written, b"38;5;" in screen.written) == (False, False)


def test_a_dumb_terminal_gets_running_lines(terminal: OpenTerminal, log: Path) -> None:
    screen = terminal("play", str(log), "--speed", "max", TERM="dumb")
    assert screen.exit_code() == 0
    assert (b"\x1b" in screen.written, b"rabbit wins" in screen.written) == (False, True)


def test_a_hostile_log_moves_nothing_but_the_picture(terminal: OpenTerminal, tmp_path: Path) -> None:
    evil = "\x1b]0;pwned\x07\x1b[2J\x1b[?1049l"
    race = ScriptedRace([Plan(evil, color=evil, emoji=evil)], name=evil, prompts=[evil])
    screen = terminal("play", str(race.write_file(tmp_path / "evil.rlog")), "--start", "50%")
    screen.until(lambda text: "STANDINGS" in text)
    assert (b"\x1b]0;" in screen.written, LEFT in screen.written) == (False, False)


def test_a_running_race_is_followed_and_stopped_through_the_control_pipe(
    terminal: OpenTerminal, tmp_path: Path
) -> None:
    directory = ScriptedRace([Plan("a"), Plan("b")]).write_segments(tmp_path / "race.live")
    (directory / "lane-1.rlog").unlink()  # lane b has not said anything yet, so the race is on
    reader, writer = os.pipe()
    screen = terminal("play", str(directory), "--follow", "--control-fd", str(writer), pass_fds=(writer,))
    os.close(writer)
    try:
        screen.until(lambda text: "LIVE" in text)
        assert os.read(reader, 99) == b'{"do":"up"}\n'
        screen.press("q")
        screen.until(lambda text: "stop the race?" in text)
        screen.press("y")
        assert os.read(reader, 99) == b'{"do":"stop"}\n'
        screen.press("\x03")
        assert screen.exit_code() == 0
    finally:
        os.close(reader)


def test_paused_it_writes_nothing(terminal: OpenTerminal, log: Path) -> None:
    screen = terminal("play", str(log))
    screen.until(lambda text: "STANDINGS" in text)
    screen.press(" ")
    screen.until(lambda text: "❚❚" in text)
    before = screen.settle(0.3)  # what was under way when the key came
    assert screen.settle(0.5) == before


PAGES = {
    "i": "ANSWERS", "t": "TIMELINE", "c": "CHARTS", "d": "DETAILS", "e": "time to first token", "a": "ACHIEVEMENTS",
    "n": "INSIGHTS", "H": "RECORDER HEALTH", "?": "PLAYING",
}  # fmt: skip


def test_every_page_opens_on_its_key_and_escape_brings_the_race_back(
    terminal: OpenTerminal, log: Path
) -> None:
    screen = terminal("play", str(log), "--start", "9s", "--paused")
    screen.until(lambda text: "STANDINGS" in text)
    for key, shown in PAGES.items():
        screen.press(key)
        screen.until(lambda text, shown=shown: shown in text and "STANDINGS" not in text)  # type: ignore[misc]
        screen.press("\x1b")
        screen.until(lambda text: "STANDINGS" in text)
    screen.press("q")
    assert screen.exit_code() == 0


def test_go_to_is_typed_and_modes_and_themes_are_remembered(
    terminal: OpenTerminal, log: Path, home: Path
) -> None:
    screen = terminal("play", str(log), "--paused")
    screen.until(lambda text: "STANDINGS" in text)
    screen.press(":12s\r")
    screen.until(lambda text: "00:12.000" in text)
    screen.press("\x1bOQ")  # F2
    screen.until(lambda text: "expert mode" in text)
    screen.press("T")
    screen.until(lambda text: "theme dark" in text)
    screen.press("q")
    assert screen.exit_code() == 0
    assert (home / "player.toml").read_text() == 'mode = "expert"\ntheme = "dark"\n'


def test_a_resize_in_the_middle_of_a_page_draws_it_anew(terminal: OpenTerminal, log: Path) -> None:
    screen = terminal("play", str(log), "--start", "9s", "--paused")
    screen.until(lambda text: "STANDINGS" in text)
    screen.press("t")
    screen.until(lambda text: "TIMELINE" in text)
    screen.resize(120, 40)
    screen.process.send_signal(signal.SIGWINCH)
    screen.until(
        lambda text: "fox-13b-instruct" in text and "next engine" not in text and len(text.splitlines()) == 40
    )


def test_a_snapshot_lands_beside_the_player(terminal: OpenTerminal, log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    screen = terminal("play", str(log), "--paused", cwd=folder)
    screen.until(lambda text: "STANDINGS" in text)
    screen.press("s")
    screen.until(lambda text: "saved racelog-1.svg" in text)
    assert (folder / "racelog-1.svg").read_text(encoding="utf-8").startswith("<svg")
