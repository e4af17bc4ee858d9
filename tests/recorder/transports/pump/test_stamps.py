"""Kernel stamps made monotonic: believed within their window, never beyond it."""

import socket
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog_recorder.transports.pump.stamps import (
    KERNEL,
    SLACK_NS,
    SO_TIMESTAMPNS,
    USER,
    Arrival,
    arrival,
    probe,
    stamp_of,
)

OFFSET_NS = 1_700_000_000_000_000_000


def test_a_stamp_between_the_last_read_and_now_is_the_arrival() -> None:
    assert arrival(OFFSET_NS + 150, OFFSET_NS, 100, 200) == Arrival(150, KERNEL)


def test_without_a_stamp_the_read_itself_is_the_arrival() -> None:
    assert arrival(None, OFFSET_NS, 100, 200) == Arrival(200, USER)


@pytest.mark.parametrize("step_ns", [-3_600_000_000_000, -2 * SLACK_NS, 2 * SLACK_NS, 3_600_000_000_000])
def test_a_clock_step_between_stamp_and_read_is_not_believed(step_ns: int) -> None:
    assert arrival(OFFSET_NS + 150 + step_ns, OFFSET_NS, 100, 200) == Arrival(200, USER)


@given(st.integers(-(10**13), 10**13), st.integers(0, 10**9), st.integers(0, 10**9))
def test_no_stamp_leaves_the_window_between_the_last_read_and_now(
    step_ns: int, earliest: int, width: int
) -> None:
    now = earliest + width

    assert earliest <= arrival(OFFSET_NS + earliest + step_ns, OFFSET_NS, earliest, now).t_ns <= now


def test_a_timespec_in_the_control_data_is_read_as_nanoseconds() -> None:
    control = [(socket.SOL_SOCKET, SO_TIMESTAMPNS, struct.pack("@ll", 12, 34))]

    assert stamp_of(control) == 12_000_000_034


def test_other_control_data_is_no_stamp() -> None:
    assert stamp_of([(socket.SOL_SOCKET, socket.SO_RCVBUF, b"\0" * 16)]) is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux stamps TCP data")
def test_this_kernel_stamps_what_arrives() -> None:
    assert probe() == KERNEL
