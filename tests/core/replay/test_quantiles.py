"""Quantiles agree with numpy's default and the standard library's inclusive method."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.replay.quantiles import median, quantile

samples = st.lists(st.floats(0, 1e9), min_size=1, max_size=50).map(sorted)


@given(samples, st.floats(0, 1))
def test_any_quantile_is_numpy_s(values: list[float], q: float) -> None:
    assert quantile(values, q) == pytest.approx(float(np.quantile(values, q)), rel=1e-9, abs=1e-9)


@given(samples.filter(lambda values: len(values) > 1))
def test_the_percentiles_are_the_standard_library_s_inclusive_ones(values: list[float]) -> None:
    expected = statistics.quantiles(values, n=100, method="inclusive")

    assert [quantile(values, k / 100) for k in range(1, 100)] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(samples)
def test_the_median_is_the_standard_library_s(values: list[float]) -> None:
    assert median(values) == pytest.approx(statistics.median(values))


@given(samples, st.floats(0, 1))
def test_a_quantile_lies_within_the_sample(values: list[float], q: float) -> None:
    middle = quantile(values, q)

    assert middle is not None
    assert values[0] <= middle <= values[-1]


def test_no_values_have_no_quantile() -> None:
    assert quantile([], 0.5) is None
    assert median([]) is None


@pytest.mark.parametrize(("q", "expected"), [(0, 1.0), (0.25, 1.75), (0.5, 2.5), (0.9, 3.7), (1, 4.0)])
def test_between_ranks_it_is_a_straight_line(q: float, expected: float) -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0], q) == pytest.approx(expected)
