"""A race steered from its own screen: a real `racelog record` of scripted engines on a terminal, and its log afterwards."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from racelog.events import Control, Head, LaneEnd, Mark, RaceFacts
from racelog.home import stored_races
from racelog.log.read.reader import open_log
from racelog.replay.playhead import Playhead
from racelog_player.controller.player import Player
from racelog_player.playback.source import PastRace
from tests.recorder.scripted import ScriptedServer, Wire

pytestmark = pytest.mark.timeout(120)

ENTERED = b"\x1b[?1049h"
FOR_EVER = ("--rate", "20/s", "--requests", "100000")
"""An open loop of quick answers: the race goes on for as long as the keys need."""


def answer_at_once(connection: Any, _number: int) -> None:
    while Wire.read_request(connection):
        answer = Wire.chunked(Wire.content("hi"), Wire.content(" there"), Wire.FINISH, Wire.USAGE, Wire.DONE)
        connection.sendall(Wire.HEAD + answer)


@pytest.fixture
def engines() -> Iterator[list[str]]:
    servers = [ScriptedServer(answer_at_once), ScriptedServer(answer_at_once)]
    yield [f"--engine={name}={server.url},model=m" for name, server in zip("ab", servers, strict=True)]
    for server in servers:
        server.close()


@pytest.fixture
def record(terminal: Callable[..., Any], engines: list[str]) -> Callable[..., Any]:
    """Give a function that records a race of two engines on a terminal, without warming up to it."""

    def start(*arguments: str) -> Any:
        return terminal("record", *engines, "--no-calibrate", "--countdown", "0", *arguments)

    return start


def orders(path: Path) -> list[tuple[str, str]]:
    return [(order.what, order.by) for order in open_log(path).of(Control)]


def ended(home: Path) -> dict[int, tuple[str, str]]:
    (race,) = stored_races(home)
    return {end.lane: (end.status, end.reason) for end in open_log(race.path).of(LaneEnd)}


def plan_of(path: Path) -> object:
    (facts,) = open_log(path).of(RaceFacts)
    return facts.plan


def live(screen: Any, players: int = 1) -> None:
    """Wait until the view has been opened so many times and shows a race that runs."""
    screen.until(
        lambda text: screen.written.count(ENTERED) == players and "LIVE" in text and "STANDINGS" in text
    )


def declined(screen: Any, keys: str, question: str) -> None:
    """Press what makes the view ask, and say no."""
    screen.press(keys)
    screen.until(lambda text: question in text)
    screen.press("n")
    screen.until(lambda text: question not in text)


def test_a_race_is_paused_resumed_marked_and_stopped_by_keys_and_the_log_has_it_all(
    record: Callable[..., Any], home: Path
) -> None:
    screen = record(*FOR_EVER)
    live(screen)
    screen.press("p")
    screen.until(lambda text: "RACE PAUSED" in text and "p race on" in text)
    screen.press("p")
    screen.until(lambda text: "RACE PAUSED" not in text and "p pause race" in text)
    declined(screen, "mq", "stop the race?")
    screen.press("qy")
    screen.until(lambda text: "race again" in text)
    screen.press("q")
    assert screen.exit_code() == 130

    (race,) = stored_races(home)
    log = open_log(race.path)
    assert orders(race.path) == [("go", "plan"), ("pause", "user"), ("resume", "user"), ("stop", "user")]
    assert [mark.label for mark in log.of(Mark) if mark.by == "user"] == ["user"]


def test_a_terminal_that_closes_stops_the_race_and_seals_it(record: Callable[..., Any], home: Path) -> None:
    screen = record(*FOR_EVER, "--grace", "0s")
    live(screen)

    assert screen.hang_up(told=True) == 130
    (race,) = stored_races(home)
    assert race.sealed


def test_a_restart_is_asked_for_and_keeps_the_interrupted_log_whole(
    record: Callable[..., Any], home: Path
) -> None:
    screen = record(*FOR_EVER)
    live(screen)
    declined(screen, "r", "start over?")
    screen.press("ry")
    live(screen, players=2)
    assert b"racing again; the race before is kept" in screen.written
    screen.press("\x03\x03")
    assert screen.exit_code() == 130

    second, first = stored_races(home)
    assert (first.sealed, second.sealed) == (True, True)
    assert orders(first.path)[-2:] == [("stop", "user"), ("cancel", "user")]
    assert {(e.status, e.reason) for e in open_log(first.path).of(LaneEnd)} == {("stopped", "restarted")}
    assert plan_of(first.path) == plan_of(second.path)


def test_an_engine_is_taken_out_by_keys_and_the_others_race_on(
    record: Callable[..., Any], home: Path
) -> None:
    screen = record(*FOR_EVER)
    live(screen)
    screen.press("x")
    screen.until(lambda text: "take a out of the race?" in text)
    screen.press("\t")
    screen.until(lambda text: "take b out of the race?" in text)
    screen.press("n")
    screen.until(lambda text: "out of the race?" not in text)
    screen.press("xy")
    screen.until(lambda text: "eliminated" in text)
    assert ended(home) == {1: ("stopped", "eliminated")}
    screen.press("x")
    screen.until(lambda text: "take a out of the race?" in text)
    screen.press("\x03")
    screen.until(lambda text: "stop the race?" in text)
    screen.press("y")
    screen.until(lambda text: "race again" in text)
    screen.press("q")
    assert screen.exit_code() == 130

    (race,) = stored_races(home)
    out = [(order.lane, order.by) for order in open_log(race.path).of(Control) if order.what == "eliminate"]
    assert out == [(1, "user")]
    assert ended(home) == {0: ("stopped", ""), 1: ("stopped", "eliminated")}


@contextmanager
def lanes_held(home: Path) -> Iterator[None]:
    """Keep every lane's process from going on, so that nothing of a race can end meanwhile."""
    (race,) = stored_races(home)
    pids = [head.pid for head in open_log(race.path).of(Head) if head.role == "lane" and head.pid]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_a_view_that_is_left_before_the_race_has_ended_is_followed_by_words_about_its_end(
    record: Callable[..., Any], home: Path
) -> None:
    screen = record(*FOR_EVER)
    live(screen)
    with lanes_held(home):
        screen.press("q")
        screen.until(lambda text: "stop the race?" in text)
        screen.press("\x03")
        screen.until(
            lambda _text: b"stopping: nothing more is sent, open requests have 5 s" in screen.written
        )
        screen.process.send_signal(signal.SIGINT)
        screen.until(lambda _text: b"open requests are cancelled and recorded as such" in screen.written)
    assert screen.exit_code() == 130
    left = screen.written.rpartition(b"\x1b[?1049l")[2]
    assert (
        left.index(b"stopping: ")
        < left.index(b"open requests are cancelled")
        < left.index(b"sealing the log")
    )


def test_a_race_that_is_over_can_be_run_again_under_a_free_name(
    record: Callable[..., Any], tmp_path: Path
) -> None:
    screen = record("--requests", "3", "-o", str(tmp_path / "one.rlog"))
    screen.until(lambda text: "r race again" in text)
    screen.press("ry")
    screen.until(lambda text: screen.written.count(ENTERED) == 2 and "r race again" in text)
    screen.press("q")
    assert screen.exit_code() == 0
    assert sorted(path.name for path in tmp_path.glob("*.rlog")) == ["one-2.rlog", "one.rlog"]


def test_a_replay_shows_the_pause_where_it_was(record: Callable[..., Any], home: Path) -> None:
    screen = record(*FOR_EVER)
    live(screen)
    screen.press("p")
    screen.until(lambda text: "RACE PAUSED" in text)
    screen.press("qy")
    screen.until(lambda text: "race again" in text)
    screen.press("q")
    screen.exit_code()

    (race,) = stored_races(home)
    source = PastRace(race.path)
    player = Player(source, Playhead(0, 0, paused=True))
    ((begin, end),) = player.playback.pauses()
    player.playback.seek(begin, 0)
    shown = player.scene(0)
    player.playback.seek(begin - 1, 0)
    assert (shown.held, player.scene(0).held, begin < end) == (True, False, True)
    assert [one.text for one in player.playback.moments() if one.kind == "pause"] == ["the race is paused"]


def test_the_view_of_a_recording_has_the_theme_the_mode_and_the_commentary_asked_for(
    record: Callable[..., Any],
) -> None:
    screen = record(*FOR_EVER, "--theme", "light", "--mode", "teacher", "--commentary", "quiet")
    live(screen)
    screen.press("o")
    shown = screen.until(lambda text: "light" in text and "teacher" in text and "quiet" in text)
    assert b"48;2;251;250;247" in screen.written, shown  # the paper of the theme light
