"""Monotonic time and the calendar."""

import pytest

from racelog.clock import MonotonicClock, read_clocks, rfc3339


def test_the_clock_never_goes_backwards() -> None:
    clock = MonotonicClock()
    readings = [clock.now_ns() for _ in range(1000)]

    assert sorted(readings) == readings


def test_clocks_read_together_lie_between_readings_around_them() -> None:
    clock = MonotonicClock()
    before = clock.now_ns()
    reading = read_clocks()
    after = clock.now_ns()

    assert before <= reading.mono_ns <= after


@pytest.mark.parametrize(
    ("wall_ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_224_600_000_000_000, "2026-11-21T01:30:00.000Z"),
        (1_795_224_600_123_000_000, "2026-11-21T01:30:00.123Z"),
        (1_795_224_600_999_000_000, "2026-11-21T01:30:00.999Z"),
    ],
)
def test_a_wall_time_is_written_in_utc_with_milliseconds(wall_ns: int, text: str) -> None:
    assert text == rfc3339(wall_ns)
