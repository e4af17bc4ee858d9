"""How far a long command is: on a terminal, after a second, and gone at the end."""

import io
import sys

import pytest

from racelog.console.progress import ProgressLine


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Watched:
    """A command that works for so many seconds between two reports, and what standard error then shows."""

    def __init__(self, monkeypatch):
        self.now_s = 100.0
        self.monkeypatch = monkeypatch
        monkeypatch.setattr("time.monotonic", lambda: self.now_s)

    def shown(self, *steps_s, to=Terminal, total=3):
        stderr = to()
        self.monkeypatch.setattr(sys, "stderr", stderr)
        with ProgressLine() as line:
            for step_s in steps_s:
                self.now_s += step_s
                line("reading", 1, total)
        return stderr.getvalue()


@pytest.fixture
def watched(monkeypatch):
    return Watched(monkeypatch)


def test_nothing_is_shown_for_the_first_second(watched):
    assert watched.shown(0.5, 0.4) == ""


def test_after_a_second_a_percentage_is_shown_and_erased_at_the_end(watched):
    assert watched.shown(1.5) == "\r\x1b[2Kracelog: reading 33 %\r\x1b[2K"


def test_at_most_ten_lines_a_second_are_drawn(watched):
    assert watched.shown(*[0.015625] * 128).count("reading") == 10


def test_nothing_is_written_where_nobody_watches(watched):
    assert watched.shown(5.0, to=io.StringIO) == ""


def test_an_empty_log_is_no_division_by_zero(watched):
    assert "reading 100 %" in watched.shown(5.0, total=0)
