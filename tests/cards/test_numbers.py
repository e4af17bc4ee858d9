"""A card's day is UTC, and its axes have few round steps."""

import pytest

from racelog_cards.numbers import day, round_steps


def test_a_start_is_written_as_a_day_and_a_time_of_utc() -> None:
    assert day("2026-11-21T03:30:00.000+02:00") == "21 Nov 2026, 01:30 UTC"


def test_a_start_that_is_no_time_is_left_out() -> None:
    assert day("last Tuesday") == ""


@pytest.mark.parametrize("top", [0.003, 1.0, 7.0, 1150.0, 99_999.0])
def test_steps_are_few_and_reach_the_top(top: float) -> None:
    steps = round_steps(top, 4)
    assert len(steps) <= 5
    assert steps[-1] >= top
