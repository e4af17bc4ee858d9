"""Idle limit, loops and waits: each map alone, then what they promise together."""

import math
from threading import Condition

from hypothesis import example, given
from hypothesis import strategies as st

from racelog.replay.idle import Squeeze, squeezed
from racelog.replay.pace import Pace
from racelog.replay.playhead import Loop, Playhead

SECOND = 1_000_000_000
END = 100 * SECOND
instants = st.lists(st.integers(0, END), max_size=12)
limits = st.integers(1, 20 * SECOND)


@given(instants, limits, st.integers(0, END), st.integers(0, END))
def test_a_squeeze_keeps_the_order_of_time(busy: list[int], limit: int, one: int, other: int) -> None:
    squeeze = squeezed(busy, limit, END)
    low, high = sorted((squeeze.played_ns(one), squeeze.played_ns(other)))
    assert [low, high] == [squeeze.played_ns(t) for t in sorted((one, other))]


@given(instants, limits, st.integers(0, END))
@example([25_283], 8_823_527_181, 25_362)  # a played nanosecond holds 11.3, so 12 instants can fall into one
def test_there_and_back_loses_no_more_than_a_squeezed_nanosecond_holds(
    busy: list[int], limit: int, position: int
) -> None:
    squeeze = squeezed(busy, limit, END)
    back = squeeze.position_ns(squeeze.played_ns(position))
    assert 0 <= position - back <= math.ceil(END / limit)


@given(instants, limits)
def test_what_happens_is_played_at_an_exact_instant(busy: list[int], limit: int) -> None:
    squeeze = squeezed(busy, limit, END)
    assert [squeeze.position_ns(squeeze.played_ns(t)) for t in busy] == busy


def test_an_idle_minute_is_played_in_the_limit() -> None:
    squeeze = squeezed([10 * SECOND, 70 * SECOND], 2 * SECOND, 71 * SECOND)
    told = [squeeze.played_ns(t * SECOND) // SECOND for t in (0, 5, 10, 40, 70, 71)]
    assert told == [0, 1, 2, 3, 4, 5]


def test_a_limit_of_nothing_jumps() -> None:
    squeeze = squeezed([10, 70], 0, 71)
    assert (squeeze.played_ns(71), squeeze.position_ns(0)) == (0, 71)


@given(st.integers(0, END))
def test_without_idle_time_both_scales_are_one(position: int) -> None:
    assert (Squeeze().played_ns(position), Squeeze().position_ns(position)) == (position, position)


def test_a_loop_comes_back_to_a_for_ever() -> None:
    head = Playhead(3 * SECOND, 0, loop=Loop(2 * SECOND, 5 * SECOND))
    assert [head.position_ns(t * SECOND, END) // SECOND for t in range(8)] == [3, 4, 2, 3, 4, 2, 3, 4]


def test_a_loop_of_one_more_round_then_holds_its_end() -> None:
    head = Playhead(0, 0, loop=Loop(0, 3, rounds=1))
    assert [head.position_ns(t, 3) for t in range(8)] == [0, 1, 2, 0, 1, 2, 3, 3]


def test_a_playhead_sought_beyond_a_loop_plays_on() -> None:
    head = Playhead(0, 0, loop=Loop(2 * SECOND, 5 * SECOND)).seek(6 * SECOND, 0)
    assert head.position_ns(2 * SECOND, END) == 8 * SECOND


@given(st.integers(0, END), st.sampled_from([0.1, 0.25, 1.0, 4.0, 16.0]), instants, limits)
def test_a_deadline_is_the_first_instant_the_position_is_reached(
    target: int, speed: float, busy: list[int], limit: int
) -> None:
    head = Playhead(0, 7, speed, squeeze=squeezed(busy, limit, END))
    due = head.due_ns(target, END)
    assert due is not None
    assert head.squeeze.played_ns(head.position_ns(due, END)) >= head.squeeze.played_ns(target) - 1


class Hours:
    """A clock that moves when somebody sleeps on it, always a little too long."""

    def __init__(self) -> None:
        self.now = 0
        self.slept: list[float | None] = []

    def __call__(self) -> int:
        return self.now

    def sleep(self, _: Condition, seconds: float | None) -> None:
        self.slept.append(seconds)
        self.now += round((seconds or 0) * SECOND) + 3_000_000


def test_an_hour_of_late_wake_ups_adds_up_to_the_last_one() -> None:
    hours = Hours()
    pace = Pace(Playhead(), hours, hours.sleep)
    for tick in range(36_000):
        pace.wait_until(tick * SECOND // 10, 3_600 * SECOND)
    assert hours.now - 35_999 * SECOND // 10 == 3_000_000


def test_a_jump_ends_a_wait_at_once() -> None:
    def jump(_: Condition, seconds: float | None) -> None:
        pace.change(lambda head, now: head.seek(50 * SECOND, now))

    pace = Pace(Playhead(), lambda: 0, jump)
    assert (pace.wait_until(90 * SECOND, END), pace.playhead.anchor_ns) == (False, 50 * SECOND)


def test_paused_a_wait_has_no_deadline() -> None:
    waits: list[float | None] = []

    def resume(_: Condition, seconds: float | None) -> None:
        waits.append(seconds)
        pace.change(lambda head, now: head.toggle(now, END))

    pace = Pace(Playhead(paused=True), lambda: 0, resume)
    assert (pace.wait_until(SECOND, END), waits) == (False, [None])
