"""A lane's clock stands still while the race is paused, and CPUs are given out in turn."""

import time
from collections.abc import Awaitable, Callable

import pytest
import trio

from racelog.errors import InputError
from racelog_recorder.machine.affinity import lane_cpus
from racelog_recorder.plan.flags import plan_from_flags
from racelog_recorder.plan.model import RacePlan
from racelog_recorder.timing.alarm import Alarm
from racelog_recorder.timing.raceclock import RaceClock


def plan(*engines: str, **flags: object) -> RacePlan:
    return plan_from_flags(engines or ("a=http://h/v1", "b=http://h/v1"), **flags)


def test_a_pause_moves_what_is_to_come_by_its_length() -> None:
    clock = RaceClock()
    clock.start(1_000)
    clock.pause(5_000)
    clock.resume(7_500)

    assert clock.mono_ns(100) == 1_000 + 100 + 2_500


def test_a_paused_clock_shows_the_instant_of_the_pause() -> None:
    clock = RaceClock()
    clock.start(1_000)
    clock.pause(5_000)
    clock.pause(6_000)

    assert clock.elapsed_ns() == 4_000


def test_a_resume_without_a_pause_changes_nothing() -> None:
    clock = RaceClock()
    clock.start(1_000)
    clock.resume(9_000)

    assert clock.mono_ns(0) == 1_000


def waits(script: Callable[[RaceClock, list[str]], Awaitable[None]]) -> list[str]:
    """Wait for 100 ns on a clock that started long ago while ``script`` gives orders; return what happened."""
    happened: list[str] = []

    async def main() -> None:
        clock = RaceClock()

        async def sleep(_mono_ns: int) -> None:
            await script(clock, happened)

        await clock.wait_until(100, sleep)
        happened.append("come")

    trio.run(main)
    return happened


def test_a_pause_while_it_sleeps_makes_it_sleep_again() -> None:
    async def pause_once(clock: RaceClock, happened: list[str]) -> None:
        if not happened:
            clock.pause(10)
            clock.resume(30)
        happened.append("slept")
        await trio.lowlevel.checkpoint()

    assert waits(pause_once) == ["slept", "slept", "come"]


def test_what_was_due_before_a_pause_does_not_wait_for_its_end() -> None:
    async def pause_after_it_was_due(clock: RaceClock, happened: list[str]) -> None:
        clock.pause(101)
        happened.append("slept")
        await trio.lowlevel.checkpoint()

    assert waits(pause_after_it_was_due) == ["slept", "come"]


def test_an_alarm_never_rings_early() -> None:
    async def main() -> list[bool]:
        early = []
        with Alarm() as alarm:
            for _ in range(20):
                due_ns = time.monotonic_ns() + 500_000
                await alarm.wait_until(due_ns)
                early.append(time.monotonic_ns() < due_ns)
        return early

    assert trio.run(main) == [False] * 20


def test_lanes_get_a_cpu_each_in_turn() -> None:
    three = plan("a=http://h", "b=http://h", "c=http://h", pin="4,5")

    assert lane_cpus(three, [4, 5, 6]) == [(4,), (5,), (4,)]


def test_auto_leaves_the_first_cpu_to_the_others() -> None:
    assert lane_cpus(plan(pin="auto"), [0, 1, 2]) == [(1,), (2,)]
    assert lane_cpus(plan(pin="auto"), [3]) == [(3,), (3,)]


def test_nothing_is_pinned_unless_asked() -> None:
    assert lane_cpus(plan(), [0, 1]) == [(), ()]


def test_a_cpu_that_is_not_allowed_is_named_with_those_that_are() -> None:
    with pytest.raises(InputError, match=r"CPU 7 is not among those this process may use \(0-2, 5\)"):
        lane_cpus(plan(pin="7"), [0, 1, 2, 5])


def test_a_system_that_cannot_pin_says_so() -> None:
    with pytest.raises(InputError, match="this system cannot pin"):
        lane_cpus(plan(pin="auto"), [])
