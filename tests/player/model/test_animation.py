"""Motion: what glides gets there, what rests is as it was approved, and one history gives one picture."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.replay.playhead import Playhead
from racelog.replay.race import RaceTracks
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.race import RaceView
from racelog.views.story.rows import Comment
from racelog_player.controller.player import Player
from racelog_player.model.animation import (
    AT_REST,
    GLIDE_NS,
    RAISED_NS,
    SLIDE_NS,
    TOAST_NS,
    Motion,
    Moved,
    Toast,
)
from racelog_player.panes.screen import screen
from racelog_player.settings.settings import Settings
from racelog_player.terminal.cells import width
from racelog_player.terminal.style import Look
from tests.player.theatre import Still

SECOND = 1_000_000_000


@cache
def still() -> RaceView:
    """Return three lanes at one instant."""
    race = ScriptedRace([Plan(name, requests=20) for name in "abc"])
    return Player(Still(RaceTracks(race.events())), Playhead(5 * SECOND, 0, paused=True)).scene(0).race


def view(done: int = 4, standings: Sequence[int] = (0, 1, 2), position_s: float = 5.0) -> RaceView:
    """Return three lanes at one instant, ``done`` of 20 requests done on each."""
    lanes = [
        msgspec.structs.replace(lane, requests_done=done, ok=done, progress=done / 20)
        for lane in still().lanes
    ]
    return msgspec.structs.replace(still(), lanes=lanes, standings=list(standings), position_s=position_s)


def comment(position_s: float, key: str = "lead") -> Comment:
    return Comment(
        position_ns=round(position_s * SECOND), t_ns=0, lane=0, key=key, tone="good", level="quiet", text=f"{key} at {position_s}"
    )  # fmt: skip


def moved(motion: Motion, race: RaceView, now_ns: int, comments: Sequence[Comment] = ()) -> Moved:
    return motion.frame(race, comments, now_ns, speed=1.0, moves=True)


def test_a_bar_and_its_count_glide_to_where_they_are_going_and_stay_there() -> None:
    motion = Motion(on=True)
    moved(motion, view(4), 0)
    at = [moved(motion, view(12), SECOND + part * GLIDE_NS // 4) for part in range(6)]
    shares = [one.shares[0] for one in at]
    assert (shares[0], shares[4:]) == (0.2, [0.6, 0.6])
    assert shares == sorted(shares)
    assert [one.done[0] for one in at] == [4, 8, 11, 11, 12, 12]


def test_a_glide_that_is_sent_elsewhere_goes_on_from_where_it_is() -> None:
    motion = Motion(on=True)
    moved(motion, view(0), 0)
    moved(motion, view(10), 0)
    half = moved(motion, view(10), GLIDE_NS // 2).shares[0]
    assert moved(motion, view(20), GLIDE_NS // 2).shares[0] == half


def test_a_lane_slides_past_every_place_between_and_stands_out_for_a_moment() -> None:
    motion = Motion(on=True)
    moved(motion, view(), 0)
    orders = [moved(motion, view(standings=(2, 0, 1)), 1 + part * SLIDE_NS // 20) for part in range(21)]
    seen = list(dict.fromkeys(one.order for one in orders))
    later = moved(motion, view(standings=(2, 0, 1)), 1 + RAISED_NS)
    assert (seen[0], seen[-1], len(seen)) == ((0, 1, 2), (2, 0, 1), 3)
    assert (orders[0].raised, later.raised) == (frozenset({2}), frozenset())


def test_a_toast_stays_two_seconds_of_the_clock() -> None:
    motion = Motion(on=True)
    told = [comment(4.9)]
    shown = [[t.text for t in moved(motion, view(), now, told).toasts] for now in (0, TOAST_NS - 1, TOAST_NS)]
    assert shown == [["lead at 4.9"], ["lead at 4.9"], []]


def test_of_many_toasts_the_newest_three_are_shown_newest_first() -> None:
    told = [comment(4 + tenth / 10) for tenth in range(6)]
    toasts = moved(Motion(on=True), view(), 0, told).toasts
    assert [toast.text for toast in toasts] == ["lead at 4.5", "lead at 4.4", "lead at 4.3"]


def test_what_is_no_news_gets_no_toast() -> None:
    motion = Motion(on=True)
    before_a_seek = moved(motion, view(position_s=60.0), 0, [comment(5.0)])
    plain_words = moved(motion, view(position_s=60.1), 1, [comment(60.05, "milestone")])
    told_before = [moved(motion, view(position_s=61.0), at, [comment(60.9)]) for at in (2, 3 + TOAST_NS)]
    assert [len(one.toasts) for one in (before_a_seek, plain_words, *told_before)] == [0, 0, 1, 0]


def test_going_back_takes_the_toasts_of_the_future_away() -> None:
    motion = Motion(on=True)
    moved(motion, view(), 0, [comment(4.9)])
    assert moved(motion, view(position_s=1.0), 1).toasts == ()


def test_off_or_where_nothing_moves_the_picture_is_at_rest() -> None:
    for motion, moves in ((Motion(on=False), True), (Motion(on=True), False)):
        motion.frame(view(4), [], 0, speed=1.0, moves=moves)
        assert motion.frame(view(12, (2, 1, 0)), [comment(4.9)], 1, speed=1.0, moves=moves) == AT_REST


@given(
    st.lists(st.tuples(st.integers(0, SECOND), st.integers(0, 20), st.permutations([0, 1, 2])), max_size=12)
)
def test_one_history_gives_one_picture_and_settles_on_the_truth(
    history: list[tuple[int, int, list[int]]],
) -> None:
    one, other = Motion(on=True), Motion(on=True)
    now = 0
    for step, done, standings in history:
        now += step
        race = view(done, standings)
        assert moved(one, race, now) == moved(other, race, now)
    last = view(history[-1][1], history[-1][2]) if history else view()
    settled = [moved(one, last, now + at) for at in (0, 2 * SECOND)][1]
    assert settled.order == tuple(last.standings)
    assert (settled.shares, settled.done, settled.raised) == (
        {lane.lane: lane.progress for lane in last.lanes},
        {lane.lane: lane.requests_done for lane in last.lanes},
        frozenset(),
    )


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
def test_a_settled_picture_is_the_same_with_motion_and_without(
    race: ScriptedRace, size: tuple[int, int]
) -> None:
    tracks = RaceTracks(race.events())
    players = [
        Player(Still(tracks), Playhead(9 * SECOND, 0), settings=Settings(motion=on)) for on in (True, False)
    ]
    for player in players:
        player.scene(0)
        player.press(" ", SECOND // 3)
    pictures = [screen(player.scene(SECOND), Look(), *size) for player in players]
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_toasts_share_one_row_and_those_that_do_not_fit_wait(race: ScriptedRace, columns: int) -> None:
    scene = Player(Still(RaceTracks(race.events())), Playhead(9 * SECOND, 0, paused=True)).scene(0)
    toasts = tuple(Toast(f"{word} " * 6, "good", "lead") for word in ("first", "second", "third"))
    lines = screen(replace(scene, moved=Moved(toasts=toasts)), Look(), columns, 24)
    row = "".join(span.text for span in lines[1])
    assert width(row) == columns
    assert ("first" in row, "third" in row) == (True, columns == 200)
    assert (
        lines[:1] + lines[2:]
        == screen(scene, Look(), columns, 24)[:1] + screen(scene, Look(), columns, 24)[2:]
    )
