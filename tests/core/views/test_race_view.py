"""The race at one instant, by hand."""

from dataclasses import replace

import pytest
from msgspec import structs

from racelog.clock import NS_PER_MS, NS_PER_S
from racelog.events import LaneEnd, RequestEnd
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.race import RaceView, race_view

FAST = Plan("fast", ttft_ms=100, gap_ms=20, requests=4, tokens=8)
SLOW = Plan("slow", ttft_ms=300, gap_ms=40, requests=4, tokens=8)


def at(race: ScriptedRace, milliseconds: float) -> RaceView:
    """Return the view of ``race`` at a position after each lane's start."""
    replay = Replay(RaceTracks(race.events()))
    replay.seek(round(milliseconds * NS_PER_MS))
    return race_view(replay)


def with_death(race: ScriptedRace, lane: int) -> RaceView:
    """Return the race's view at its end, with ``lane`` dying instead of finishing."""
    events = [
        LaneEnd(t=event.t, lane=lane, status="died", reason="killed")
        if isinstance(event, LaneEnd) and event.lane == lane
        else event
        for event in race.events()
    ]
    replay = Replay(RaceTracks(events))
    replay.seek_end()
    return race_view(replay)


def test_before_the_first_token_nobody_has_a_place() -> None:
    view = at(ScriptedRace([SLOW, FAST]), 50)

    assert [lane.place for lane in view.lanes] == [None, None]
    assert view.standings == [0, 1]


def test_places_go_by_median_ttft() -> None:
    view = at(ScriptedRace([SLOW, FAST]), 400)

    assert (view.standings, [lane.place for lane in view.lanes]) == ([1, 0], [2, 1])
    assert [lane.ttft_p50_ms for lane in view.lanes] == [300.0, 100.0]


def test_a_lane_with_a_token_is_ahead_of_one_without() -> None:
    view = at(ScriptedRace([SLOW, FAST]), 200)

    assert (view.standings, [lane.place for lane in view.lanes]) == ([1, 0], [None, 1])


def test_equal_lanes_stand_in_lane_order() -> None:
    assert at(ScriptedRace([FAST, FAST, FAST]), 5000).standings == [0, 1, 2]


def test_a_lane_that_died_ranks_behind_slower_ones_that_did_not() -> None:
    view = with_death(ScriptedRace([FAST, SLOW]), lane=0)

    assert view.standings == [1, 0]
    assert (view.lanes[0].status, view.lanes[0].reason, view.lanes[0].ttft_p50_ms) == (
        "died",
        "killed",
        100.0,
    )


def test_failed_requests_leave_the_ranking_and_are_counted_by_error() -> None:
    lane = at(ScriptedRace([replace(FAST, fail=(0, 2))]), 9000).lanes[0]

    assert (lane.ok, lane.failed, lane.errors, lane.ttft_p50_ms) == (2, 2, {"http": 2}, 100.0)


def test_a_lane_of_nothing_but_failures_has_no_place() -> None:
    view = at(ScriptedRace([replace(FAST, fail=(0, 1, 2, 3)), SLOW]), 9000)

    assert (view.standings, [lane.place for lane in view.lanes]) == ([1, 0], [None, 1])


def test_a_lane_that_only_fails_leads_nobody_with_the_first_token_of_its_next_request() -> None:
    race = ScriptedRace([Plan("a", ttft_ms=10, gap_ms=40), Plan("b", ttft_ms=200)])
    stalls = [
        structs.replace(event, status="failed", error="stalled")
        if isinstance(event, RequestEnd) and event.lane == 0
        else event
        for event in race.events()
    ]
    replay = Replay(RaceTracks(stalls))
    replay.seek(500 * NS_PER_MS)
    view = race_view(replay)

    assert (view.lanes[0].failed, view.lanes[0].ttft_p50_ms, view.lanes[1].ok) == (1, 10.0, 1)
    assert (view.standings, [lane.place for lane in view.lanes]) == ([1, 0], [None, 1])
    assert view.lanes[0].dnf == "1 of 4 requests failed already; the bound is 95 %"


@pytest.mark.parametrize("grid", ["together", "time-trial"])
def test_lanes_are_aligned_at_their_own_start(grid: str) -> None:
    late = replace(FAST, start_ms=60_000)
    view = at(ScriptedRace([FAST, late], grid=grid), 500)

    first, second = view.lanes
    assert (first.elapsed_s, first.ok, first.output_tokens) == (
        second.elapsed_s,
        second.ok,
        second.output_tokens,
    )
    assert first.output_tokens > 0


def test_a_position_in_the_middle_by_hand() -> None:
    lane = at(ScriptedRace([FAST]), 390).lanes[0]  # one request takes 100 + 7 x 20 = 240 ms

    assert (lane.ok, lane.active, lane.requests_done, lane.progress) == (1, 1, 1, 0.25)
    assert lane.output_tokens == 8 + 3  # the second request's tokens at 340, 360 and 380 ms
    assert lane.tokens_per_s == 11
    assert lane.elapsed_s == pytest.approx(0.39)


def test_an_open_request_shows_what_has_come_so_far() -> None:
    (stream,) = at(ScriptedRace([FAST]), 150).lanes[0].streams

    assert (stream.req, stream.prompt, stream.text) == (0, "Name a colour.", " w0 w1 w2")
    assert (stream.elapsed_s, stream.ttft_ms) == (0.15, 100.0)


def test_the_history_is_token_chunks_per_whole_second() -> None:
    steady = Plan("steady", ttft_ms=100, gap_ms=250, requests=1, tokens=12)

    lane = at(ScriptedRace([steady]), 2400).lanes[0]

    assert lane.token_history == [
        4,
        4,
    ]  # at 100, 350, 600, 850; 1100, 1350, 1600, 1850; the third second has begun


def test_the_rate_looks_back_one_second() -> None:
    slow = Plan("slow", ttft_ms=2000, gap_ms=500, requests=1, tokens=5)

    assert [at(ScriptedRace([slow]), ms).lanes[0].tokens_per_s for ms in (1999, 2000, 2500, 3000)] == [
        0,
        1,
        2,
        2,
    ]


def test_a_finished_race_says_so_and_its_clock_stops() -> None:
    view = at(ScriptedRace([FAST]), 60_000)

    assert (view.finished, view.lanes[0].status, view.lanes[0].progress) == (True, "finished", 1.0)
    assert view.lanes[0].elapsed_s == view.duration_s == pytest.approx(0.96)


def test_a_race_is_not_finished_while_one_lane_runs() -> None:
    assert not at(ScriptedRace([FAST, SLOW]), 1000).finished


def test_the_duration_is_that_of_the_longest_lane() -> None:
    race = ScriptedRace([FAST, replace(SLOW, start_ms=7000)])

    assert RaceTracks(race.events()).duration_ns() == round(4 * (0.3 + 7 * 0.04) * NS_PER_S)


def test_a_dead_lane_has_nothing_in_flight() -> None:
    events = [
        LaneEnd(t=event.t, lane=0, status="died") if isinstance(event, LaneEnd) and event.lane == 0 else event
        for event in ScriptedRace([Plan("a", requests=3)]).events()
        if not (isinstance(event, RequestEnd) and event.req == 2)
    ]
    replay = Replay(RaceTracks(events))
    replay.seek_end()
    (lane,) = race_view(replay).lanes

    assert (lane.requests_done, lane.active, lane.streams) == (2, 0, [])
