"""The schedule of an open loop: seeded, endless, the same for all, spaced as asked."""

from itertools import islice, pairwise
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog_recorder.plan.arrivals import OpenLoop, due_ns, due_until

loads = st.builds(
    OpenLoop,
    rate_per_s=st.floats(1e-3, 1e5),
    arrival=st.sampled_from(["poisson", "constant", "gamma"]),
    burstiness=st.floats(0.01, 100),
)


def gaps_ms(load: OpenLoop, count: int = 20_000) -> list[float]:
    return [(later - earlier) / 1e6 for earlier, later in pairwise(islice(due_ns(load, 7), count))]


@given(loads, st.integers(0, 2**63 - 1))
def test_a_schedule_begins_at_once_and_never_goes_back(load: OpenLoop, seed: int) -> None:
    due = list(islice(due_ns(load, seed), 50))

    assert due[0] == 0
    assert due == sorted(due)


@given(loads, st.integers(0, 1000))
def test_every_lane_makes_the_same_schedule(load: OpenLoop, seed: int) -> None:
    assert list(islice(due_ns(load, seed), 50)) == list(islice(due_ns(load, seed), 50))


def test_another_seed_is_another_schedule() -> None:
    load = OpenLoop(rate_per_s=10)

    assert list(islice(due_ns(load, 1), 5)) != list(islice(due_ns(load, 2), 5))


def test_a_schedule_is_the_same_for_ever() -> None:
    assert list(islice(due_ns(OpenLoop(rate_per_s=50), 3), 3)) == [0, 23_570_345, 47_511_343]


def test_a_constant_rate_does_not_drift() -> None:
    assert next(islice(due_ns(OpenLoop(rate_per_s=3, arrival="constant"), 0), 3_000_000, None)) == 10**15


@pytest.mark.parametrize(
    ("arrival", "burstiness", "variation"),
    [("poisson", 1, 1), ("gamma", 1, 1), ("gamma", 4, 0.5), ("gamma", 0.25, 2)],
)
def test_gaps_have_the_mean_and_the_variation_that_was_asked(
    arrival: str, burstiness: float, variation: float
) -> None:
    """The coefficient of variation of gamma gaps is 1 / sqrt(shape); seeded, so the tolerance is no luck."""
    gaps = gaps_ms(OpenLoop(rate_per_s=50, arrival=arrival, burstiness=burstiness))  # type: ignore[arg-type]

    assert fmean(gaps) == pytest.approx(20, rel=0.03)
    assert stdev(gaps) / fmean(gaps) == pytest.approx(variation, rel=0.03)


def test_a_race_sends_what_is_due_before_its_time_is_up() -> None:
    load = OpenLoop(rate_per_s=10, arrival="constant")

    assert due_until(load, 0, requests=None, duration_ns=1_000_000_000) == 10
    assert due_until(load, 0, requests=4, duration_ns=1_000_000_000) == 4
    assert due_until(load, 0, requests=4, duration_ns=None) == 4


def test_a_race_without_an_end_has_no_number() -> None:
    with pytest.raises(ValueError, match="has no end"):
        due_until(OpenLoop(rate_per_s=1), 0, requests=None, duration_ns=None)
