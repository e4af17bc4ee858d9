"""The playhead: a function of the clock, without drift, never outside the race."""

from hypothesis import given
from hypothesis import strategies as st

from racelog.replay.playhead import Playhead
from racelog.replay.speed import LADDER, MAX

HOUR = 3_600_000_000_000
TIMES = st.integers(0, HOUR)
SPEEDS = st.sampled_from(LADDER)


@given(TIMES, TIMES)
def test_at_normal_speed_an_hour_drifts_by_nothing(since: int, passed: int) -> None:
    assert Playhead(0, since).position_ns(since + passed, HOUR) == passed


@given(TIMES, SPEEDS, st.lists(TIMES, max_size=5))
def test_looking_often_or_once_gives_the_same_position(now: int, speed: float, looks: list[int]) -> None:
    head = Playhead(0, 0, speed)
    for look in looks:
        head.position_ns(look, HOUR)
    assert head.position_ns(now, HOUR) == Playhead(0, 0, speed).position_ns(now, HOUR)


@given(TIMES, TIMES, TIMES, SPEEDS)
def test_a_position_never_leaves_the_race(anchor: int, now: int, end: int, speed: float) -> None:
    assert 0 <= Playhead(anchor, 0, speed).position_ns(now, end) <= end


@given(TIMES, TIMES, SPEEDS)
def test_time_only_moves_it_forward(one: int, other: int, speed: float) -> None:
    head = Playhead(0, 0, speed)
    low, high = sorted((one, other))
    assert head.position_ns(low, HOUR) <= head.position_ns(high, HOUR)


@given(TIMES, TIMES, SPEEDS)
def test_paused_it_stays_where_it_was(now: int, later: int, speed: float) -> None:
    head = Playhead(0, 0, speed).toggle(now, HOUR)
    assert head.position_ns(now + later, HOUR) == Playhead(0, 0, speed).position_ns(now, HOUR)


@given(TIMES, st.lists(SPEEDS, min_size=1))
def test_a_change_of_speed_does_not_move_it(now: int, speeds: list[float]) -> None:
    head = Playhead(0, 0)
    before = head.position_ns(now, HOUR)
    for speed in speeds:
        head = head.at_speed(speed, now, HOUR)
    assert head.position_ns(now, HOUR) == before


@given(TIMES, TIMES)
def test_a_seek_lands_exactly(target: int, now: int) -> None:
    assert Playhead(5, 0, 4.0).seek(target, now).position_ns(now, HOUR) == target


def test_four_times_as_fast_is_four_times_as_far() -> None:
    assert Playhead(1_000, 0, 4.0).position_ns(500, HOUR) == 3_000


def test_at_max_the_whole_race_passes_in_two_seconds() -> None:
    assert Playhead(0, 0, MAX).position_ns(2_000_000_000, HOUR) == HOUR


def test_tied_to_the_live_edge_it_is_where_the_edge_is_even_when_that_goes_back() -> None:
    head = Playhead(0, 0).go_live()
    assert [head.position_ns(9, 700), head.position_ns(10, 30)] == [700, 30]
