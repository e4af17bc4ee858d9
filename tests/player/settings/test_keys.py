"""Every key on a real terminal at three sizes: after each one the screen is the picture of a player that got the same keys.

What that player shows is held by golden frames (test_pages.py, test_screen.py), so the terminal is compared with them too.
"""

import signal
from pathlib import Path
from typing import Any

import pytest

from racelog.replay.playhead import Playhead
from racelog_player.controller.player import Player
from racelog_player.film.snapshot import text_of
from racelog_player.panes.screen import screen
from racelog_player.playback.source import PastRace
from racelog_player.settings.keys import KEYS
from racelog_player.settings.settings import Settings
from racelog_player.terminal.style import Look

pytestmark = pytest.mark.timeout(240)

SECOND = 1_000_000_000
SENT = {
    "left": "\x1b[D", "right": "\x1b[C", "up": "\x1b[A", "down": "\x1b[B", "s-left": "\x1b[1;2D", "s-right": "\x1b[1;2C",
    "c-left": "\x1b[1;5D", "c-right": "\x1b[1;5C", "home": "\x1b[H", "end": "\x1b[F", "pageup": "\x1b[5~", "pagedown": "\x1b[6~",
    "c-i": "\t", "s-tab": "\x1b[Z", "c-h": "\x7f", "c-m": "\r", "escape": "\x1b", "f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR",
}  # fmt: skip
"""What a terminal sends for a key, where that is not the key's own name."""

SEEKING = [
    "right", "left", "s-right", "s-left", "c-right", "c-left", ".", ",", "]", "[", "pagedown", "pageup", "5", "0", "9", "u",
    "home", "end", "g", "G", "4", ":", "9", "s", "c-m", "up", "+", "down", "-", "}", "{", "}", "=", "}", "c-h",
    "l", "right", "l", "l", "L", "L", "A", "A", "A", "f", "9", "u", "u", "4",
]  # fmt: skip
PAGES = [
    "?", "?", "h", "j", "k", "escape", "c-i", "s-tab", "t", "c", "d", "j", "k", "e", "j", "j", "k", "a", "n", "H", "o", "j", "escape",
    "i", "c-m", "j", "k", "escape", "escape", "k", "k", "j", "c-m", "i", "x", "f2", "f3", "f1",
]  # fmt: skip
LOOSE = {" ", "p", "r", "m", "s", "T", "q", "c-c", "<sigint>"}
"""Keys that set the race going, write a file or leave: each has a test of its own."""


class Mirror:
    """A player without a terminal that gets the keys that the terminal gets."""

    def __init__(self, terminal: Any, log: Path) -> None:
        self.terminal = terminal
        self.size = 80, 24
        head = Playhead(9 * SECOND, 0, paused=True)
        self.player = Player(PastRace(log), head, settings=Settings(theme="default"))
        self.player.scene(0)

    def press(self, key: str) -> None:
        self.player.press(key, 0)
        self.terminal.press(SENT.get(key, key))
        self.agree()

    def resize(self, columns: int, rows: int) -> None:
        self.size = columns, rows
        self.terminal.resize(columns, rows)
        self.terminal.process.send_signal(signal.SIGWINCH)
        self.agree()

    def agree(self) -> None:
        """Wait until the terminal shows what this player shows. The last row has notices, which go by the clock."""
        wanted = text_of(screen(self.player.scene(0), Look(), *self.size)).splitlines()[:-1]
        self.terminal.until(lambda text: [line.rstrip() for line in text.splitlines()[:-1]] == wanted)


def test_every_key_there_is_is_driven() -> None:
    assert set(KEYS) == {key for key in (*SEEKING, *PAGES, *LOOSE) if key in KEYS}


def test_every_key_at_three_sizes_with_a_resize_in_the_middle(terminal: Any, log: Path) -> None:
    window = terminal("play", str(log), "--start", "9s", "--paused", "--mode", "novice")
    mirror = Mirror(window, log)
    mirror.agree()
    for size in ((80, 24), (120, 40), (200, 60)):
        mirror.press("t")  # the resize comes upon an open page
        mirror.resize(*size)
        mirror.press("t")
        for key in (*SEEKING, *PAGES):
            mirror.press(key)
    window.press("q")
    assert window.exit_code() == 0


def test_space_p_and_r_set_a_past_race_going_and_hold_it(terminal: Any, log: Path) -> None:
    window = terminal("play", str(log), "--start", "9s", "--paused")
    window.until(lambda text: "❚❚" in text)
    for going, held in ((" ", "p"), ("p", " ")):
        window.press(going)
        window.until(lambda text: "▶" in text and "❚❚" not in text)
        window.press(held)
        window.until(lambda text: "❚❚" in text)
    window.press("r")
    window.until(lambda text: "00:00.000" in text)


def test_a_terminal_that_closes_ends_the_player_without_a_word(terminal: Any, log: Path) -> None:
    window = terminal("play", str(log))
    window.until(lambda text: "STANDINGS" in text)
    assert window.hang_up() == 0
