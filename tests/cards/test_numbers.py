"""Numbers are written for people and never claim more than was measured."""

import pytest

from racelog_cards.numbers import day, duration, round_steps, share, three_digits


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.4219, "0.422"), (38.21, "38.2"), (61.0, "61"), (184.4, "184"), (999.6, "1,000"), (12345.0, "12,300")],
)
def test_numbers_keep_three_digits(value: float, text: str) -> None:
    assert three_digits(value) == text


@pytest.mark.parametrize(
    ("ms", "text"), [(0.0, "0 ms"), (184.2, "184 ms"), (999.7, "1 s"), (1234.0, "1.23 s"), (90_000.0, "90 s")]
)
def test_a_time_takes_the_unit_that_fits(ms: float, text: str) -> None:
    assert duration(ms) == text


@pytest.mark.parametrize(("fraction", "text"), [(1.0, "100%"), (0.9999, "99.9%"), (0.29, "29%"), (0.0, "0%")])
def test_only_a_whole_success_is_a_hundred_percent(fraction: float, text: str) -> None:
    assert share(fraction) == text


def test_a_start_is_written_as_a_day_and_a_time_of_utc() -> None:
    assert day("2026-11-21T03:30:00.000+02:00") == "21 Nov 2026, 01:30 UTC"


def test_a_start_that_is_no_time_is_left_out() -> None:
    assert day("last Tuesday") == ""


@pytest.mark.parametrize("top", [0.003, 1.0, 7.0, 1150.0, 99_999.0])
def test_steps_are_few_and_reach_the_top(top: float) -> None:
    steps = round_steps(top, 4)
    assert len(steps) <= 5
    assert steps[-1] >= top
