"""Readings joined: fewer and longer columns, and not one reading more, less or moved."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.events import EngineSamples, GpuSamples, HostSamples
from racelog.log.format.codec import encode_events
from racelog.log.rows import samples
from racelog.log.rows.samples import SampleRuns, Samples, rows_alone
from tests.core.strategies import columns


def facts(events: list[Samples]) -> Counter[bytes]:
    return Counter(
        fact for event in events for fact in (rows_alone(event) if event.d else [encode_events([event])])
    )


def join_samples(events: Sequence[Samples]) -> list[Samples]:
    runs = SampleRuns()
    done = [column for event in sorted(events, key=lambda event: event.t) for column in runs.take(event)]
    return [*done, *runs.finish()]


def host(t: int, rows: int = 1, **fields: Any) -> HostSamples:
    deltas = [0] + [10] * (rows - 1)
    plain = {"process": "host", "d": deltas, "cpu_pct": deltas, "rss_mib": deltas, **fields}
    return HostSamples(t=t, **plain)


@given(st.lists(columns(HostSamples) | columns(GpuSamples) | columns(EngineSamples), max_size=6))
def test_joined_readings_hold_the_same_rows(events: list[Samples]) -> None:
    assert facts(events) == facts(join_samples(events))


def test_readings_of_one_source_become_one_column() -> None:
    assert [host(0, d=[0, 10, 90, 10], cpu_pct=[0, 10, 0, 10], rss_mib=[0, 10, 0, 10])] == join_samples(
        [host(0, 2), host(100, 2)]
    )


@pytest.mark.parametrize("other", [{"process": "lane:a"}, {"loop_lag_us": [1.0]}])
def test_readings_of_another_source_or_with_other_columns_stay_apart(other: dict[str, Any]) -> None:
    events = [host(0), host(10, **other)]

    assert events == join_samples(events)


def test_no_joined_column_is_longer_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "SAMPLES_PER_BATCH", 4)

    assert [len(event.d) for event in join_samples([host(t) for t in range(9)])] == [4, 4, 1]


def test_readings_that_overlap_are_not_joined() -> None:
    events = [host(0, 3), host(5, 3)]

    assert events == join_samples(events)
