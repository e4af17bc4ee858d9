"""A terminal that can be read back, and small races to play on it."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

from racelog.testing.races import Plan, ScriptedRace

PROGRAM = [sys.executable, "-c", "from racelog.cli import main; main()"]
DEADLINE_S = 30


class Terminal:
    """A program on a pseudo-terminal of 80x24, and the screen it has drawn so far."""

    def __init__(
        self,
        arguments: list[str],
        pass_fds: tuple[int, ...] = (),
        cwd: Path | None = None,
        program: list[str] | None = None,
        **environment: str,
    ) -> None:
        self.screen = pyte.Screen(80, 24)
        self.written = b""
        self._stream = pyte.ByteStream(self.screen)
        self._master, self._slave = pty.openpty()
        self.resize(80, 24)
        self.cooked = termios.tcgetattr(self._slave)
        known = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1", "LANG": "C.UTF-8"}
        inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self.process = subprocess.Popen(
            [*(program or PROGRAM), *arguments], stdin=self._slave, stdout=self._slave, stderr=self._slave,
            env={**inherited, **known, **environment}, start_new_session=True, pass_fds=pass_fds, cwd=cwd,
        )  # fmt: skip

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    @property
    def settings(self) -> list[object]:
        return termios.tcgetattr(self._slave)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def until(self, holds: Callable[[str], bool]) -> str:
        """Read what the program writes until ``holds`` is true of the screen; return the screen."""
        deadline = time.monotonic() + DEADLINE_S
        while not holds(self.text):
            assert time.monotonic() < deadline, f"not in {DEADLINE_S} s; the screen is\n{self.text}"
            self._read(0.2)
        return self.text

    def exit_code(self) -> int:
        """Read on until the program ends; return its exit code."""
        deadline = time.monotonic() + DEADLINE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"still running; the screen is\n{self.text}"
            self._read(0.2)
        while self._read(0):
            pass
        return self.process.returncode

    def settle(self, wait_s: float) -> int:
        """Read until nothing has come for ``wait_s``; return how many bytes were written in all."""
        while self._read(wait_s):
            pass
        return len(self.written)

    def hang_up(self, *, told: bool = False) -> int:
        """Take the terminal away, as closing its window does; return the program's exit code.

        ``told``: with the signal that the program gets where this is the terminal that controls it.
        """
        os.close(self._master)
        self._master = -1
        if told:
            self.process.send_signal(signal.SIGHUP)
        return self.process.wait(DEADLINE_S)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._slave)
        if self._master >= 0:
            os.close(self._master)

    def _read(self, wait_s: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], wait_s)
        if ready:
            data = os.read(self._master, 65536)
            self.written += data
            self._stream.feed(data)
        return bool(ready)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(
        *arguments: str,
        pass_fds: tuple[int, ...] = (),
        cwd: Path | None = None,
        program: list[str] | None = None,
        **environment: str,
    ) -> Terminal:
        opened.append(Terminal(list(arguments), pass_fds, cwd, program, **environment))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def animals() -> ScriptedRace:
    """Three lanes of plain virtues: quick to start, quick to write, and one that fails now and then."""
    return ScriptedRace(
        [
            Plan("rabbit", ttft_ms=81, gap_ms=11.3, requests=20, tokens=60, emoji="🐇", color="#4cc9f0"),
            Plan("turtle", ttft_ms=242, gap_ms=19.7, requests=20, tokens=60, emoji="🐢", color="green", fail=(3, 5)),
            Plan("fox-13b-instruct", ttft_ms=130, gap_ms=9, requests=20, tokens=90, color="orange"),
        ],
        name="animals",
        finish=0.9,
    )  # fmt: skip


@pytest.fixture
def race() -> ScriptedRace:
    return animals()


@pytest.fixture
def log(race: ScriptedRace, tmp_path: Path) -> Path:
    return race.write_file(tmp_path / "animals.rlog")
