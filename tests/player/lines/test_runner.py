"""Running lines by the flags that the screen has too: until, loop, a stretch, pauses at moments."""

from pathlib import Path
from typing import Any

import pytest

from racelog.cli import run
from racelog.testing.races import Plan, ScriptedRace


def lines(log: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert run(["play", str(log), "--plain", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_until_ends_with_the_standings_there(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = lines(log, capsys, "--until", "5s")
    at = told.index("")
    assert all(line < "00:05.001" for line in told[:at])
    assert (told[at + 1], len(told) - at) == ("animals  00:05.000 / 00:25.761", 7)


def test_a_stretch_until_somewhere_is_played_once_and_from_its_start(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = lines(log, capsys, "--ab", "2s..9s", "--until", "9s")
    assert (told[0] > "00:02", told[-6]) == (True, "animals  00:09.000 / 00:25.761")


def test_a_loop_is_played_so_many_times_more_and_tells_the_same_again(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once = lines(log, capsys)
    told = lines(log, capsys, "--loop", "2")
    rounds = [line for line in told if "again, round" in line]
    assert rounds == ["00:00.000  again, round 2", "00:00.000  again, round 3"]
    story = once[: once.index("")]
    assert told == [*story, "", rounds[0], *story, "", rounds[1], *once]


def test_a_stretch_beyond_its_until_never_stops_by_itself_so_a_later_round_may(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = lines(log, capsys, "--ab", "2s..9s", "--start", "5s", "--until", "3s")
    assert ("00:02.000  again, round 2" in told, told[-6][:18]) == (True, "animals  00:03.000")


def test_pausing_in_a_pipe_is_refused_before_a_line_is_printed(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["play", str(log), "--plain", "--pause-on-marks"]) == 2
    out, told = capsys.readouterr()
    assert (out, "needs a terminal" in told) == ("", True)


@pytest.mark.parametrize("flags", [["--loop"], ["--ab", "1s..2s"]])
def test_a_race_that_runs_cannot_be_looped(tmp_path: Path, flags: list[str]) -> None:
    directory = ScriptedRace([Plan("a")]).write_segments(tmp_path / "race.live")
    assert run(["play", str(directory), "--follow", "--plain", *flags]) == 2


def test_following_until_somewhere_ends_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = ScriptedRace([Plan("a"), Plan("b")], name="two").write_segments(tmp_path / "race.live")
    told = lines(directory, capsys, "--follow", "--until", "500ms")
    assert told[-5].startswith("two  00:00.500")


def test_on_a_terminal_a_moment_waits_for_enter(terminal: Any, log: Path) -> None:
    screen = terminal("play", str(log), "--plain", "--speed", "max", "--pause-on-marks")
    screen.until(lambda text: "rabbit: first token  (enter goes on)" in text)
    screen.press("\n")
    screen.until(lambda text: "fox-13b-instruct: first token  (enter goes on)" in text)
    screen.press("\x04")
    assert screen.exit_code() == 0
