"""A request that its lane left open when it ended: every view says so, and nothing streams there any more."""

import pytest

from racelog.clock import NS_PER_MS
from racelog.events import LaneEnd, LaneStart
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.inspector import LEFT_OPEN, inspector_view, reading_view
from racelog.views.race import race_view
from racelog.views.timeline import Timeline

CUT_MS = 250.0
"""In the middle of lane 0's first answer, whose tokens come from 100 ms on."""


@pytest.fixture(params=["died", "stopped"])
def replay(request: pytest.FixtureRequest) -> Replay:
    """A race at its end, long after lane 0 ended in the middle of an answer."""
    events = ScriptedRace(
        [Plan("cut", ttft_ms=100, gap_ms=20, requests=1, tokens=20), Plan("whole", requests=8)]
    ).events()
    start = next(event.t for event in events if isinstance(event, LaneStart) and event.lane == 0)
    cut = start + round(CUT_MS * NS_PER_MS)
    kept = [event for event in events if getattr(event, "lane", None) != 0 or event.t < cut]
    tracks = RaceTracks(
        sorted([*kept, LaneEnd(t=cut, lane=0, status=request.param)], key=lambda event: event.t)
    )
    replay = Replay(tracks)
    replay.seek_end()
    return replay


def test_the_inspector_says_that_it_was_left_open(replay: Replay) -> None:
    (request,) = inspector_view(replay, 0).requests

    assert (request.status, request.fresh) == (LEFT_OPEN, "")


def test_the_page_of_the_one_answer_says_so_too(replay: Replay) -> None:
    req = inspector_view(replay, 0).requests[0].req
    reading = reading_view(replay, 0, req)

    assert reading is not None
    assert reading.request.status == LEFT_OPEN


def test_its_clock_stands_where_the_lane_ended(replay: Replay) -> None:
    (request,) = inspector_view(replay, 0).requests

    assert 0 < request.elapsed_ms <= CUT_MS


def test_the_timeline_draws_a_bar_that_was_stopped_and_ends_with_the_lane(replay: Replay) -> None:
    (bar,) = Timeline().view(replay).lanes[0].bars

    assert (bar.outcome, bar.end_s) == ("cancelled", CUT_MS / 1000)


def test_the_lane_has_nothing_in_flight(replay: Replay) -> None:
    lane = race_view(replay).lanes[0]

    assert (lane.active, lane.streams) == (0, [])


def test_before_the_lane_ended_it_streams(replay: Replay) -> None:
    replay.seek(round(200 * NS_PER_MS))

    assert [request.status for request in inspector_view(replay, 0).requests] == ["open"]
