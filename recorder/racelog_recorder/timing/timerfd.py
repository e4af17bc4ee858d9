"""A Linux timer as a file descriptor: it becomes readable at an instant of ``CLOCK_MONOTONIC``, to the microsecond.

An event loop's own timeout is rounded up to a whole millisecond by epoll, which is most of the gap between two
tokens of a fast engine. ``os.timerfd_create`` exists from Python 3.13 on; libc has it since 2008.
"""

import ctypes
import os
import sys
import time

_TFD_TIMER_ABSTIME = 1
_NS_PER_S = 1_000_000_000


class _ITimerSpec(ctypes.Structure):
    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


def available() -> bool:
    """Return True where this machine has such timers."""
    return sys.platform == "linux" and ctypes.sizeof(ctypes.c_long) == 8  # noqa: PLR2004 - 64-bit time


class Timer:
    """One timer; close it when done.

    Raises:
        OSError: no descriptor is left.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = self._libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise _last_error()

    def set(self, deadline_ns: int) -> None:
        """Make the descriptor readable at ``deadline_ns`` of ``CLOCK_MONOTONIC``; at once if that has passed."""
        # An all-zero value would disarm the timer instead.
        seconds, ns = divmod(max(1, deadline_ns), _NS_PER_S)
        spec = _ITimerSpec(0, 0, seconds, ns)
        if self._libc.timerfd_settime(self.fd, _TFD_TIMER_ABSTIME, ctypes.byref(spec), None) < 0:
            raise _last_error()

    def clear(self) -> None:
        """Take the descriptor's readiness away."""
        try:
            os.read(self.fd, 8)
        except BlockingIOError:
            return  # set anew since it fired

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.fd)


def _last_error() -> OSError:
    code = ctypes.get_errno()
    return OSError(code, os.strerror(code))
