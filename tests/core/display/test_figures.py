"""One rule says how a number reads: three digits, halves up, nothing that is there as none, no part as the whole."""

import math

import pytest

from racelog.display.figures import change, duration, instant, number, percent, progress, rate, tick, times


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.0004, "<0.001"), (-0.0004, "-<0.001"), (0.0005, "0.001"), (0.0384, "0.038"), (0.0999, "0.10"), (0.4219, "0.42"), (0.9996, "1.00"),
        (8.2, "8.20"), (9.994, "9.99"), (9.996, "10.0"), (38.21, "38.2"), (99.95, "100"), (184.4, "184"), (999.5, "1,000"),
        (12_345.0, "12,345"), (-3.456, "-3.46"),
    ],
)  # fmt: skip
def test_a_figure_has_three_digits_and_all_its_whole_ones(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0625, "0.063"), (1.005, "1.01"), (12.25, "12.3"), (412.5, "413")]
)
def test_a_half_is_rounded_up_as_it_is_read(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 ms"), (0.0384, "0.038 ms"), (8.213, "8.21 ms"), (184.2, "184 ms"), (999.4, "999 ms"), (999.6, "1.00 s"),
        (1234, "1.23 s"), (90_000, "90.0 s"), (3_723_400, "3,723 s"), (-412.2, "-412 ms"),
    ],
)  # fmt: skip
def test_a_duration_takes_the_unit_that_fits(ms: float, text: str) -> None:
    assert duration(ms) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"), (1, "100 %"), (43 / 60, "71.7 %"), (0.7166, "71.7 %"), (249 / 250, "99.6 %"), (1 / 1000, "0.1 %"),
        (0.5, "50.0 %"), (0.276, "27.6 %"), (0.1125, "11.3 %"), (0.0005, "0.1 %"), (1.5, "150.0 %"),
    ],
)  # fmt: skip
def test_a_share_reads_as_percent_with_one_decimal(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(("share", "text"), [(1 / 10_000, "<0.1 %"), (9_999 / 10_000, ">99.9 %")])
def test_only_none_is_0_percent_and_only_all_are_100(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(("share", "text"), [(0.999, "99 %"), (1.0, "100 %"), (0.29, "29 %"), (0.0, "0 %")])
def test_progress_says_100_when_all_is_done_and_not_before(share: float, text: str) -> None:
    assert progress(share) == text


@pytest.mark.parametrize(
    ("ratio", "text"), [(1.999, "1.99x"), (2.3, "2.30x"), (12.39, "12.3x"), (120.9, "120x"), (1, "1.00x")]
)
def test_a_ratio_is_never_rounded_up(ratio: float, text: str) -> None:
    assert times(ratio) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_dash(value: float) -> None:
    assert [write(value) for write in (number, duration, percent, progress, times)] == ["-"] * 5


@pytest.mark.parametrize("value", [1e15, 1e300, -1e300])
def test_a_number_beyond_all_reason_is_still_a_text(value: float) -> None:
    assert all(len(write(value)) < 24 for write in (number, duration, percent, progress, times))


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.5, "2.5"), (20.0, "20"), (12_000.0, "12,000"), (0.0025, "0.0025"), (250_000, "250,000")],
)
def test_an_axis_is_labelled_without_zeros_at_the_end(value: float, text: str) -> None:
    assert tick(value) == text


def test_a_rate_a_change_and_an_instant_have_their_units() -> None:
    assert [rate(41.24, "tok/s"), change(0.412), change(-0.08), instant(12_345_678_900)] == [
        "41.2 tok/s", "+41.2 %", "-8.0 %", "12.346 s",
    ]  # fmt: skip
