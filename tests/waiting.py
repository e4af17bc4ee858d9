"""Waiting for what another process does, with the processor left to that process."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

_ASKS_S = 0.01
"""Between two looks. A look without a pause took a core from the processes that it waited for."""


def awaited(look: Callable[[], Found], limit_s: float, why_not: Callable[[], object]) -> Found:
    """Return what ``look`` found as soon as it is true.

    Raises:
        AssertionError: it was not within ``limit_s``; the message has what ``why_not`` says then.
    """
    deadline = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {limit_s} s: {why_not()}"
        time.sleep(_ASKS_S)
    return found
