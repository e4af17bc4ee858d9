"""Instants on the command line: the ways people write them, exact to the nanosecond."""

import click
import pytest

from racelog.console.instants import INSTANT

S = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("10", 10 * S),
        ("10s", 10 * S),
        ("12.5", 12_500_000_000),
        ("1500ms", 1_500_000_000),
        ("1m30s", 90 * S),
        ("1h2m3.5s", 3723 * S + S // 2),
        ("250us", 250_000),
        ("7ns", 7),
        ("1:30", 90 * S),
        ("1:02:03.25", 3723 * S + S // 4),
        ("1.440000001", 1_440_000_001),
        ("0.1", 100_000_000),
    ],
)
def test_an_instant_is_read_exactly(text, nanoseconds):
    assert INSTANT.convert(text, None, None) == nanoseconds


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "1s2", "s", "1:", "1.5.2", "10 s", "9" * 25, "1e9", "\u0661"]
)
def test_what_is_no_instant_is_refused_with_how_to_write_one(text):
    with pytest.raises(click.BadParameter, match=r"is not an instant; write seconds \(12.5\)"):
        INSTANT.convert(text, None, None)
