"""A job of a real shell: what Ctrl-Z, a stop and a signal do to the terminal, read back from a pty."""

import os
import shlex
import signal
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from racelog.events import LaneEnd
from racelog.log.read.reader import open_log
from racelog.testing.races import Plan, ScriptedRace
from tests.recorder.scripted import ScriptedServer, Wire

SHELL = [
    sys.executable, "-c",
    "import fcntl, os, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp('bash', ['bash', '--norc', '--noediting', '-i'])",
]  # fmt: skip
"""An interactive bash with job control: the pty is its controlling terminal."""

ENTERED, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"
MOUSE_ON = b"\x1b[?1002h"


def racelog(*arguments: str) -> str:
    return shlex.join([sys.executable, "-m", "racelog", *arguments])


@pytest.fixture
def shell(terminal):
    """A bash that waits for a command; ``job`` starts one in the foreground and gives its process id."""
    screen = terminal(program=SHELL, PS1="READY> ", HISTFILE="/dev/null")
    screen.until(lambda text: "READY>" in text)
    return screen


def start(shell, tmp_path: Path, *arguments: str) -> int:
    """Run racelog as the foreground job; return its process id."""
    told = tmp_path / "pid"
    shell.press(f"sh -c 'echo $$ > {told}; exec {racelog(*arguments)}'\n")
    shell.until(lambda _: told.exists() and told.read_text().strip() != "")
    return int(told.read_text())


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def cooked(shell) -> bool:
    """Whether what is typed is echoed, edited and makes signals, as before any program ran."""
    wanted = termios.ECHO | termios.ICANON | termios.ISIG
    return bool(shell.settings[3] & wanted == wanted)


def at_prompt(text: str) -> bool:
    return text.rstrip().endswith("READY>")


def test_ctrl_z_stops_the_player_and_fg_draws_it_anew_with_its_keys(shell, log, tmp_path):
    pid = start(shell, tmp_path, "play", str(log), "--paused")
    shell.until(lambda text: "STANDINGS" in text)

    shell.press("\x1a")
    shell.until(lambda text: "Stopped" in text and at_prompt(text))
    stopped, left = state(pid), shell.written.rfind(LEFT) > shell.written.rfind(ENTERED)
    shell.press("fg\n")
    shell.until(lambda text: "STANDINGS" in text and "READY>" not in text)
    shell.press("?")
    shell.until(lambda text: "PLAYING" in text)
    shell.press("q")
    shell.until(lambda text: at_prompt(text) and "STANDINGS" not in text)

    assert (stopped, left, cooked(shell)) == ("T", True, True)


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_a_player_stopped_from_outside_has_its_screen_keys_and_mouse_back_after_fg(
    shell, log, tmp_path, number
):
    pid = start(shell, tmp_path, "play", str(log), "--paused")
    shell.until(lambda text: "STANDINGS" in text)

    os.kill(pid, number)
    shell.until(lambda text: "Stopped" in text)
    before = len(shell.written)
    shell.press("fg\n")
    shell.until(lambda text: "STANDINGS" in text and "READY>" not in text and "Stopped" not in text)
    shell.press("?")
    shell.until(lambda text: "PLAYING" in text)

    assert (ENTERED in shell.written[before:], MOUSE_ON in shell.written[before:]) == (True, True)


@pytest.fixture
def engine() -> Iterator[str]:
    def answer(connection: Any, _number: int) -> None:
        while Wire.read_request(connection):
            chunks = (Wire.content("hi"), Wire.content(" there"), Wire.FINISH, Wire.USAGE, Wire.DONE)
            connection.sendall(Wire.HEAD + Wire.chunked(*chunks))

    server = ScriptedServer(answer)
    yield f"--engine=a={server.url},model=m"
    server.close()


def test_ctrl_z_in_the_view_of_a_recording_stops_the_view_and_the_lanes_record_on(shell, engine, tmp_path):
    load = ("--no-calibrate", "--countdown", "0", "--rate", "50/s", "--requests", "100000")
    pid = start(shell, tmp_path, "record", engine, *load, "-o", str(tmp_path / "race.rlog"))
    shell.until(lambda text: "LIVE" in text and "STANDINGS" in text)

    shell.press("\x1a")
    shell.until(lambda text: "Stopped" in text and at_prompt(text))
    stopped, sizes = state(pid), recorded(tmp_path)
    shell.until(lambda _: recorded(tmp_path) > sizes + 2000)  # the lane writes on
    shell.press("fg\n")
    shell.until(lambda text: "LIVE" in text and "STANDINGS" in text and "READY>" not in text)
    shell.press("q")
    shell.until(lambda text: "stop the race?" in text)
    shell.press("y")
    shell.until(lambda text: "leave" in text and "stop the race?" not in text)
    shell.press("q")
    shell.until(at_prompt)

    ends = open_log(tmp_path / "race.rlog").of(LaneEnd)
    assert (stopped, [end.status for end in ends], cooked(shell)) == ("T", ["stopped"], True)


def recorded(folder: Path) -> int:
    """Return how many bytes the lanes have written."""
    return sum(path.stat().st_size for path in folder.glob("race*/lane-*"))


def test_a_view_whose_recorder_was_killed_gives_the_terminal_back(shell, engine, tmp_path):
    load = ("--no-calibrate", "--countdown", "0", "--rate", "50/s", "--requests", "100000")
    pid = start(shell, tmp_path, "record", engine, *load, "-o", str(tmp_path / "race.rlog"))
    shell.until(lambda text: "LIVE" in text and "STANDINGS" in text)

    os.kill(pid, signal.SIGKILL)
    shell.until(lambda _: shell.written.rfind(LEFT) > shell.written.rfind(ENTERED))
    shell.press("echo $((41 + 1))\n")
    shell.until(lambda text: "\n42" in text)

    assert cooked(shell)


def test_ctrl_z_at_the_sql_prompt_stops_it_and_fg_brings_the_prompt_back(shell, tmp_path):
    path = ScriptedRace([Plan("fast")]).write_file(tmp_path / "race.rlog")
    pid = start(shell, tmp_path, "shell", str(path))
    shell.until(lambda text: "racelog>" in text)

    shell.press("\x1a")
    shell.until(lambda text: "Stopped" in text and at_prompt(text))
    stopped = state(pid)
    shell.press("fg\n")
    shell.until(lambda text: text.rstrip().endswith("racelog>"))
    shell.press("select 41 + 1 as answer;\r")
    shell.until(lambda text: "42" in text)

    assert stopped == "T"


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_an_sql_prompt_stopped_from_outside_takes_keys_after_fg(shell, tmp_path, number):
    path = ScriptedRace([Plan("fast")]).write_file(tmp_path / "race.rlog")
    pid = start(shell, tmp_path, "shell", str(path))
    shell.until(lambda text: "racelog>" in text)

    os.kill(pid, number)
    shell.until(lambda text: "Stopped" in text)
    shell.press("fg\n")
    shell.until(lambda text: text.rstrip().endswith("racelog>"))
    shell.press("select 41 + 1 as answer;\r")

    assert "42" in shell.until(lambda text: "42" in text)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 130), (signal.SIGHUP, 0), (signal.SIGQUIT, 130)]
)
def test_a_signal_at_the_sql_prompt_gives_the_terminal_back(terminal, tmp_path, number, code):
    path = ScriptedRace([Plan("fast")]).write_file(tmp_path / "race.rlog")
    screen = terminal("shell", str(path))
    screen.until(lambda text: "racelog>" in text)
    screen.process.send_signal(number)

    assert (screen.exit_code(), screen.settings) == (code, screen.cooked)


def test_a_terminal_that_closes_ends_the_sql_prompt_without_a_word(terminal, tmp_path):
    path = ScriptedRace([Plan("fast")]).write_file(tmp_path / "race.rlog")
    screen = terminal("shell", str(path))
    screen.until(lambda text: "racelog>" in text)

    assert screen.hang_up() == 0
