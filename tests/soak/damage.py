"""Every way a file is damaged, as copies of its bytes: cut off, flipped, shifted, overwritten."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

FILL_BYTES = [1, 2, 3, 7, 12, 13, 60, 67, 68, 69, 100, 256, 511, 512, 513, 1000, 4096]
"""Lengths of holes: around the search's 12 bytes, a trailer's 68 and a disk's sectors and pages."""

FILL_STRIDE = 11
"""A fill begins at every 11th byte: overlapping ones differ little."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A damaged copy of a log, and the bytes of the original, from ``start`` to ``stop``, that it changes."""

    data: bytes
    start: int
    stop: int


def cuts(data: bytes, stride: int, _chance: random.Random) -> Iterator[Trial]:
    """Yield the log cut off at every byte."""
    for at in range(0, len(data), stride):
        yield Trial(data[:at], at, len(data))


def flips(data: bytes, stride: int, _chance: random.Random) -> Iterator[Trial]:
    """Yield the log with each bit of every byte flipped alone."""
    for at in range(0, len(data), stride):
        for bit in range(8):
            yield Trial(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :], at, at + 1)


def removals(data: bytes, stride: int, _chance: random.Random) -> Iterator[Trial]:
    """Yield the log with every byte taken out alone."""
    for at in range(0, len(data), stride):
        yield Trial(data[:at] + data[at + 1 :], at, at + 1)


def insertions(data: bytes, stride: int, chance: random.Random) -> Iterator[Trial]:
    """Yield the log with a byte put in before every byte."""
    for at in range(0, len(data), stride):
        yield Trial(data[:at] + chance.randbytes(1) + data[at:], at, at)


def _fills(
    fill: Callable[[bytes, int, random.Random], bytes],
) -> Callable[[bytes, int, random.Random], Iterator[Trial]]:
    """Return a sweep that writes what ``fill`` gives over holes of every length."""

    def trials(data: bytes, stride: int, chance: random.Random) -> Iterator[Trial]:
        for length in FILL_BYTES:
            for at in range(0, len(data), stride * FILL_STRIDE):
                stop = min(at + length, len(data))
                yield Trial(data[:at] + fill(data, stop - at, chance) + data[stop:], at, stop)

    return trials


def _zeros(_data: bytes, length: int, _chance: random.Random) -> bytes:
    return bytes(length)


def _noise(_data: bytes, length: int, chance: random.Random) -> bytes:
    return chance.randbytes(length)


def _elsewhere(data: bytes, length: int, chance: random.Random) -> bytes:
    """Return bytes from another place in the log: real trailers, real frames, where they do not belong."""
    begin = chance.randrange(len(data) - length + 1)
    return data[begin : begin + length]


@dataclass(frozen=True, slots=True)
class Sweep:
    """One kind of damage, done everywhere; ``most`` is how many units it may cost, where it does not say itself."""

    name: str
    trials: Callable[[bytes, int, random.Random], Iterator[Trial]]
    most: int | None = None


SWEEPS = [
    Sweep("cut off at every byte", cuts),
    Sweep("each bit of every byte flipped", flips, most=1),
    Sweep("every byte taken out", removals, most=1),
    Sweep("a byte put in at every byte", insertions, most=1),
    Sweep("holes of zeros", _fills(_zeros)),
    Sweep("holes of noise", _fills(_noise)),
    Sweep("holes of the log's own bytes", _fills(_elsewhere)),
]
