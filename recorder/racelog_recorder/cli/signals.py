"""The signals that stop a recording, and what they mean as long as no race listens for them itself.

Imports nothing heavy: it is in force before trio is loaded.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_signals_interrupt() -> Iterator[None]:
    """Inside the block each of `STOP_SIGNALS` raises KeyboardInterrupt, as a Ctrl+C does. For the main thread alone."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in STOP_SIGNALS[1:]:
            signal.signal(number, _pass_on)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _pass_on(_number: int, _frame: FrameType | None) -> None:
    """Make it a SIGINT: trio knows when one may be raised and when it has to wait for a checkpoint."""
    signal.raise_signal(signal.SIGINT)
