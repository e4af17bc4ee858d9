"""Teacher mode: callouts that this race's own numbers bear out, and quizzes that wait with their answer."""

from functools import cache
from typing import Any

import msgspec
import pytest

from racelog.replay.playhead import Playhead
from racelog.replay.race import RaceTracks
from racelog.views.race import RaceView
from racelog_player.controller.player import Player
from racelog_player.film.snapshot import text_of
from racelog_player.model.scene import Mode
from racelog_player.panes.lessons import EACH_S, callout
from racelog_player.panes.screen import screen
from racelog_player.terminal.style import Look
from tests.player.theatre import SECOND, Still, theatre


def player(mode: Mode = "teacher", seconds: float = 17.4) -> Player:
    head = Playhead(round(seconds * SECOND), 0, paused=True)
    return Player(Still(RaceTracks(theatre())), head, mode=mode)


@cache
def view(seconds: float = 12.0) -> RaceView:
    return player(seconds=seconds).scene(0).race


def with_lanes(*changes: dict[str, Any]) -> RaceView:
    lanes = [
        msgspec.structs.replace(lane, **change) for lane, change in zip(view().lanes, changes, strict=True)
    ]
    return msgspec.structs.replace(view(), lanes=lanes)


def words(race: RaceView) -> list[str]:
    """Return what is pointed at in ten turns."""
    turns = [callout(msgspec.structs.replace(race, position_s=turn * EACH_S)) for turn in range(10)]
    return sorted({told.word for told in turns if told is not None})


def test_before_the_first_token_the_silence_is_named() -> None:
    assert callout(view(0.1)) is not None
    assert "this silence is the time to first token" in str(callout(view(0.1)))


def test_what_applies_takes_turns_by_the_races_clock() -> None:
    race = view()
    first, again = (msgspec.structs.replace(race, position_s=at) for at in (0.0, 7.9))
    assert callout(first) == callout(again)
    assert words(race) == ["TPOT p50", "TTFT p50", "failed", "tok/s"]


def test_a_tail_needs_a_hundred_answers_to_be_one() -> None:
    slow = {"ttft_p50_ms": 100.0, "ttft_p99_ms": 900.0}
    few, many = (with_lanes({**slow, "ok": ok}, {}, {}) for ok in (99, 100))
    assert ["TTFT p99" in words(few), "TTFT p99" in words(many)] == [False, True]


def test_nothing_is_said_of_failures_where_there_are_none() -> None:
    assert "failed" not in words(with_lanes({}, {"failed": 0}, {}))


def test_one_engine_that_is_first_at_both_is_no_trade() -> None:
    assert "TPOT p50" not in words(with_lanes({"tpot_p50_ms": 1.0}, {}, {}))


def test_before_anything_was_asked_nothing_is_pointed_at() -> None:
    idle = {"ttft_p50_ms": None, "active": 0}
    assert callout(with_lanes(idle, idle, idle)) is None


@pytest.mark.parametrize("mode", ["novice", "expert"])
def test_only_a_teacher_points(mode: Mode) -> None:
    taught, untaught = (text_of(screen(player(one).scene(0), Look(), 120, 40)) for one in ("teacher", mode))
    told = callout(player().scene(0).race)
    assert told is not None
    assert [f" ▌ {told.word} " in text for text in (taught, untaught)] == [True, False]


def test_a_quiz_keeps_its_answer_until_enter_and_the_next_one_keeps_its_own() -> None:
    looking, shown = player(), []
    looking.scene(0)
    for key in ("e", "c-m", "j", "c-m", "e", "e"):
        looking.press(key, 0)
        shown.append("enter tells" in text_of(screen(looking.scene(0), Look(), 120, 40)))
    assert shown == [True, False, True, False, False, True]
