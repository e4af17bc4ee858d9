"""Reading a file from its end: a trailer says how long its frame is, and the unit before ends where that begins."""

import mmap
from collections.abc import Iterator
from pathlib import Path

from racelog.errors import LogError
from racelog.log.format.units import (
    MAX_FRAME_BYTES,
    TRAILER_BYTES,
    TRAILER_PREFIX,
    Trailer,
    Unit,
    UnitScanner,
)


def walk_back(path: Path) -> Iterator[Unit]:
    """Yield the verified units of a file, last first: those that a walk from the front finds.

    Cost: each unit is read and summed as it is yielded, so the newest facts of a long race cost nothing but
    themselves. Damage is stepped over by searching backwards for the next trailer.

    Raises:
        NewerLog: a unit uses a newer major format.
        LogError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            if not file.seek(0, 2):
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield from _units_back(data)
    except OSError as error:
        raise LogError(f"cannot read {path}: {error.strerror}") from error


def _units_back(data: mmap.mmap) -> Iterator[Unit]:
    end = len(data)
    while (at := data.rfind(TRAILER_PREFIX, 0, end)) >= 0:
        unit = _unit_ending_with_trailer(data, at, end)
        if unit is None:
            end = at + len(TRAILER_PREFIX) - 1  # anything that begins before this one
        else:
            yield unit
            end = unit.offset


def _unit_ending_with_trailer(data: mmap.mmap, at: int, end: int) -> Unit | None:
    """Return the unit whose trailer begins at ``at``, or None if there is none or its checksums do not hold."""
    stop = at + TRAILER_BYTES
    trailer = Trailer.unpack(data[at:stop]) if stop <= end else None
    if trailer is None or trailer.frame_bytes > min(at, MAX_FRAME_BYTES):
        return None
    start = at - trailer.frame_bytes
    found = next(iter(UnitScanner(start).feed(data[start:stop])))
    return found if isinstance(found, Unit) and found.end == stop else None
