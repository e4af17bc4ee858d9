"""How a lane fares: each rule at its threshold, and the count of slow requests the same by any way to an instant."""

from collections.abc import Sequence

import msgspec
import pytest

from racelog.events import AnyEvent, LaneEnd, RequestEnd
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.condition import LAST, Condition, Conditions

SECOND = 1_000_000_000
REQUEST_NS = 240_000_000
"""A request of the plan below: 100 ms to the first token and seven gaps of 20 ms."""


def racing(plan: Plan) -> list[AnyEvent]:
    """Return a lane's events without its end: it still races."""
    return [event for event in ScriptedRace([plan]).events() if not isinstance(event, LaneEnd)]


def at(events: Sequence[AnyEvent], position_ns: int | None = None) -> Condition:
    replay = Replay(RaceTracks(events))
    replay.seek_end() if position_ns is None else replay.seek(position_ns)
    return Conditions().of(replay.lanes[0])


def with_failures(failed: int, of: int) -> Condition:
    return at(racing(Plan("a", requests=of, fail=tuple(range(of - failed, of)))))


@pytest.mark.parametrize(
    ("failed", "of", "state"),
    [
        (0, 20, "good"), (1, 20, "good"), (2, 20, "warning"), (9, 20, "warning"), (10, 20, "failing"), (20, 20, "failing"),
        (1, 1, "warning"), (2, 2, "warning"), (3, 3, "failing"), (1, 19, "warning"), (3, 6, "failing"),
    ],
)  # fmt: skip
def test_a_lane_is_failing_when_half_of_its_last_requests_failed_and_warned_of_above_one_in_twenty(
    failed: int, of: int, state: str
) -> None:
    assert with_failures(failed, of).state == state


def test_the_reason_has_the_numbers() -> None:
    assert with_failures(12, 20).reason == "12 of the last 20 requests failed"


def test_a_lane_that_was_refused_from_some_instant_on_is_failing() -> None:
    assert with_failures(LAST, 300) == Condition(
        state="failing", word="failing", reason="20 of the last 20 requests failed"
    )


def test_a_lane_whose_engine_came_back_is_good_again() -> None:
    assert at(racing(Plan("a", requests=30, fail=tuple(range(10))))).state == "good"


def test_a_lane_that_is_over_is_judged_by_all_of_its_requests() -> None:
    over = ScriptedRace([Plan("a", requests=40, fail=tuple(range(3)))]).events()

    assert at(over) == Condition(state="warning", word="errors", reason="3 of 40 requests failed")


@pytest.mark.parametrize(("quiet_s", "state"), [(9.9, "good"), (10.0, "warning")])
def test_ten_seconds_without_a_token_are_a_warning_while_a_request_is_open(
    quiet_s: float, state: str
) -> None:
    events = [event for event in racing(Plan("a", requests=1)) if not isinstance(event, RequestEnd)]
    last_token_ns = REQUEST_NS

    assert at(events, last_token_ns + round(quiet_s * SECOND)).state == state


def test_a_request_without_any_token_is_silent_from_its_send_on() -> None:
    asked = ScriptedRace([Plan("a", requests=1)]).events()
    events = [event for event in asked if event.t <= SECOND]

    assert at(events, 12 * SECOND).reason == "no token for 12 s"


def test_an_engine_that_is_always_slow_to_start_is_not_silent() -> None:
    events = racing(Plan("a", requests=10, ttft_ms=8_000))
    events = [one for one in events if not (isinstance(one, RequestEnd) and one.req == 9)]
    last_token_ns = 10 * 8_140_000_000

    assert at(events, last_token_ns + 15 * SECOND).state == "good"


def drawn_out(plan: Plan, slow: set[int], times: int) -> list[AnyEvent]:
    """Return a lane's events with the ends of some requests put off by so many times what each takes."""
    return sorted(
        (
            msgspec.structs.replace(event, t=event.t + times * REQUEST_NS)
            if isinstance(event, RequestEnd) and event.req in slow
            else event
            for event in racing(plan)
        ),
        key=lambda event: event.t,
    )


@pytest.mark.parametrize(("slow", "state"), [({15, 16, 17, 18}, "good"), ({15, 16, 17, 18, 19}, "warning")])
def test_a_quarter_of_slow_requests_is_a_warning(slow: set[int], state: str) -> None:
    found = at(drawn_out(Plan("a", requests=20), slow, 2))

    assert (found.slow, found.state) == (len(slow), state)


def test_nothing_is_slow_before_there_is_a_usual_time() -> None:
    assert at(drawn_out(Plan("a", requests=5), {0, 4}, 9)).slow == 0


def test_the_count_of_slow_requests_is_the_same_by_any_way_to_an_instant() -> None:
    events = drawn_out(Plan("a", requests=60), {9, 20, 33, 47}, 3)
    replay, one = Replay(RaceTracks(events)), Conditions()
    found = []
    for position_ns in (3 * SECOND, 14 * SECOND, 6 * SECOND, 9 * SECOND, 8 * SECOND, 15 * SECOND):
        replay.seek(position_ns)
        found.append(one.of(replay.lanes[0]) == at(events, position_ns))

    assert found == [True] * 6


def test_what_is_usual_follows_the_last_two_hundred_requests() -> None:
    """From the 211th on all take four times as long: that is unusual until it is half of the last 200."""
    assert at(drawn_out(Plan("a", requests=450), set(range(210, 450)), 3)).slow == 100
