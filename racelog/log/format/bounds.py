"""What one unit may unfold to: events, rows of columns and values inside, in proportion to its compressed bytes.

zstd folds a million equal rows into a kilobyte, so a log of a few kilobytes could ask for gigabytes and minutes. Facts do not
fold so: a chunk's arrival alone has more than a byte of noise in it, and real logs have 4 to 20 compressed bytes a row. What a
unit holds without looking at its size is well above what a writer puts into one, beyond it `PER_FRAME_BYTE` are allowed.
"""

import re
from collections.abc import Iterable
from itertools import islice

from racelog.errors import LogError
from racelog.events import AnyEvent, PackedTokens

FREE_EVENTS = 8_192
"""A sealed unit has at most 4,096; `racelog.log.write.segment` splits a larger one."""

FREE_ROWS = 32_768
"""A sealed unit has at most 16,384, which is half of it; a live one of a lane at 100,000 tokens/s has 25,000."""

FREE_VALUES = 1 << 19
"""Elements of arrays and members of objects: a unit with `FREE_ROWS` rows of all columns has 230,000."""

PER_FRAME_BYTE = 64
"""Thirty times the densest unit of a real race. Repeated text is not counted: only events, rows and values are."""

_TEXT_OR_COMMA = re.compile(rb'"(?:[^"\\]|\\.)*+"|(,)', re.DOTALL)


def check_lines(lines: int, payload: bytes, frame_bytes: int) -> None:
    """Raise `LogError` if a payload has more events or values than its frame may unfold to. Cost: none for a usual unit."""
    _check("events", lines, FREE_EVENTS, frame_bytes)
    most = max(FREE_VALUES, PER_FRAME_BYTE * frame_bytes)
    if len(payload) > 2 * most and payload.count(b",") > most:  # a value takes two bytes at least
        _check("values", _commas(payload, most + 1), FREE_VALUES, frame_bytes)


def check_rows(events: Iterable[AnyEvent | PackedTokens], frame_bytes: int) -> None:
    """Raise `LogError` if events, packed ones not yet unpacked, have more rows than their frame may unfold to."""
    rows = 0
    for event in events:
        rows += len(event.r) if isinstance(event, PackedTokens) else len(getattr(event, "d", ()))
    _check("rows", rows, FREE_ROWS, frame_bytes)


def _check(what: str, number: int, free: int, frame_bytes: int) -> None:
    if number > free and number > PER_FRAME_BYTE * frame_bytes:
        raise LogError(
            f"unit unfolds to {number:,} {what} or more from {frame_bytes:,} compressed bytes, more than {free:,} and "
            f"{PER_FRAME_BYTE} a byte"
        )


def _commas(payload: bytes, enough: int) -> int:
    """Return how many commas stand outside of texts in JSON, counted as far as ``enough``."""
    commas = (found for found in _TEXT_OR_COMMA.finditer(payload) if found[1])
    return sum(1 for _ in islice(commas, enough))
