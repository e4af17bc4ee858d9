"""The least a log of given chunks can take: their text, and the noise of their gaps."""

import math
from itertools import pairwise

import zstandard

from racelog.events import Tokens
from racelog.log.rows.chunks import chunk_rows


def text_bytes(batches: list[Tokens]) -> int:
    """Return the size of the answers' text alone, one after another, in one frame at level 19."""
    answers: dict[tuple[int, int], list[str]] = {}
    for batch in batches:
        for request, text in zip(batch.r, batch.x, strict=True):
            answers.setdefault((batch.lane, request), []).append(text)
    text = "".join("".join(answer) for answer in answers.values())
    return len(zstandard.ZstdCompressor(level=19).compress(text.encode()))


def gap_bytes(batches: list[Tokens]) -> float:
    """Return the entropy of the nanoseconds between the chunks of a lane, in bytes in all.

    Each gap is taken for itself, by the m-spacing estimate (Vasicek 1976) with m the root of their number; a gap known to
    the nanosecond has at least no entropy.
    """
    lanes: dict[int, list[int]] = {}
    for batch in batches:
        lanes.setdefault(batch.lane, []).extend(row[0] for row in chunk_rows(batch))
    return sum(_entropy_bytes(sorted(times)) for times in lanes.values())


def _entropy_bytes(times: list[int]) -> float:
    gaps = sorted(later - earlier for earlier, later in pairwise(times))
    count = len(gaps)
    m = max(1, math.isqrt(count))
    bits = 0.0
    for i in range(count):
        low, high = max(0, i - m), min(count - 1, i + m)
        bits += math.log2(max(1.0, (gaps[high] - gaps[low]) * count / (high - low)))
    return bits / 8
