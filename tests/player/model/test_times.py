"""What users may write for a speed or a position, and what they are told when it is neither."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.errors import InputError
from racelog.replay.speed import LADDER, MAX, faster, parse_speed, slower, speed_text
from racelog_player.model.times import clock_text, parse_position

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4x", 4.0), ("4×", 4.0), ("0.25", 0.25), ("200%", 2.0), ("max", MAX), (" MAX ", MAX), ("1e1", 10.0)],  # noqa: RUF001 - the sign we print
)
def test_a_speed_is_read_in_every_form_people_write(text: str, expected: float) -> None:
    assert parse_speed(text) == expected


@pytest.mark.parametrize("text", ["", "x", "fast", "0", "-1", "nan", "inf", "4xx", "1001x", "%"])
def test_what_is_no_speed_is_refused_with_the_text_at_fault(text: str) -> None:
    with pytest.raises(InputError, match=r"max"):
        parse_speed(text)


@pytest.mark.parametrize("speed", LADDER[:-1])
def test_one_step_up_and_one_down_is_exactly_where_it_was(speed: float) -> None:
    assert slower(faster(speed)) == speed


def test_the_ladder_ends_at_both_ends() -> None:
    assert (slower(LADDER[0]), faster(MAX)) == (LADDER[0], MAX)


def test_a_speed_off_the_ladder_steps_onto_it() -> None:
    assert (slower(3.0), faster(3.0)) == (2.0, 4.0)


@pytest.mark.parametrize("speed", LADDER)
def test_a_shown_speed_is_read_back(speed: float) -> None:
    assert parse_speed(speed_text(speed)) == speed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10s", 10 * SECOND),
        ("1m23.4s", 83_400_000_000),
        ("01:23", 83 * SECOND),
        ("1:02:03.5", 3_723_500_000_000),
        ("250ms", 250_000_000),
        ("1h", 3600 * SECOND),
        ("7", 7 * SECOND),
        ("50%", 2000 * SECOND),
        ("start", 0),
        ("end", 4000 * SECOND),
    ],
)
def test_a_position_is_read_in_every_form_people_write(text: str, expected: float) -> None:
    assert parse_position(text).within(4000 * SECOND) == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "10 parsecs", "1s1m", "-5s", "1:99", "101%", "ms", "nan", "1..2s"]
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="position"):
        parse_position(text)


def test_a_position_after_the_end_is_refused_and_the_end_is_named() -> None:
    with pytest.raises(InputError, match=r"99h.*00:30\.000"):
        parse_position("99h").within(30 * SECOND)


@given(st.integers(0, 10**15))
def test_a_shown_position_is_read_back_to_the_millisecond(ns: int) -> None:
    assert parse_position(clock_text(ns)).within(10**16) == ns // 1_000_000 * 1_000_000
