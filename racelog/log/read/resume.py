"""Reading on in a running race's directory: what was committed since a place that was noted, in another process maybe.

Only a directory as a recorder writes it is read so: every file the units of one writer, numbered from 0 without a gap, and
nothing between them. Anything else (damage, a torn tail, copies, sealed files) is for `racelog.log.read.reader`, which
says what is missing.
"""

import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from racelog.errors import LogError
from racelog.events import Finish, Head
from racelog.log.format.codec import OrderedEvent
from racelog.log.format.units import TRAILER_BYTES, Unit, UnitScanner
from racelog.log.read.reader import LogReport, UnitReader, collector_paused
from racelog.log.read.scan import log_files


class NotPlainError(LogError):
    """The directory is not as a recorder writes it, or not as it was noted."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How far one file was read: its inode, the offset, the checksum of the trailer before it, whose units, how many."""

    inode: int
    offset: int
    trailer_crc: int
    writer: int
    units: int
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Onward:
    """What was read: events with their keys, in order, and how far every file has been read now."""

    entries: list[OrderedEvent]
    places: dict[str, Place]
    report: LogReport

    @property
    def finished(self) -> bool:
        """True when every writer closed its segment properly."""
        return all(place.finished for place in self.places.values())


def read_onward(folder: Path, places: Mapping[str, Place]) -> Onward:
    """Return what is committed in the segments of ``folder`` beyond ``places``; nothing noted means all of it.

    Cost: the new bytes, and two small reads a file.

    Raises:
        NotPlainError: there is something that has to be read as a whole.
        LogError: a file cannot be read.
    """
    files = {file.name: file for file in log_files(folder)}
    if not files or (places and files.keys() != places.keys()):
        raise NotPlainError(f"{folder} has other files than before")
    reader = UnitReader()
    onward = Onward([], {}, reader.report)
    with collector_paused():
        for name, file in files.items():
            reader.report.files += 1
            onward.places[name] = _read_on(file, places.get(name), reader, onward.entries)
        onward.entries.sort()  # never compares two events: no two share writer, sequence number and position
    if len({place.writer for place in onward.places.values()}) < len(files):
        raise NotPlainError(f"a writer has two files in {folder}")
    return onward


def _read_on(file: Path, place: Place | None, reader: UnitReader, entries: list[OrderedEvent]) -> Place:
    """Append the events of one file's new units; return how far it is read then."""
    start = place.offset if place else 0
    inode, data = _bytes_from(file, start - TRAILER_BYTES if place else 0)
    if place is not None:
        if inode != place.inode or zlib.crc32(data[:TRAILER_BYTES]) != place.trailer_crc:
            raise NotPlainError(f"{file} is not what it was")
        if len(data) == TRAILER_BYTES:
            return place
    units = _units(file, start, data[TRAILER_BYTES:] if place else data)
    writer = place.writer if place else units[0].trailer.writer
    finished = place is not None and place.finished
    for number, unit in enumerate(units, place.units if place else 0):
        if (unit.trailer.writer, unit.trailer.seq) != (writer, number):
            raise NotPlainError(f"{file} does not hold one writer's units in order")
        found = reader.read(file.name, unit)
        if any(isinstance(entry[4], Head) and entry[4].role == "seal" for entry in found):
            raise NotPlainError(f"{file} was sealed")
        finished = finished or any(isinstance(entry[4], Finish) for entry in found)
        entries += found
    reader.report.bytes += len(data)
    if reader.report.damage:
        raise NotPlainError(str(reader.report.damage[0]))
    last = zlib.crc32(data[-TRAILER_BYTES:])
    return Place(
        inode=inode,
        offset=units[-1].end,
        trailer_crc=last,
        writer=writer,
        units=number + 1,
        finished=finished,
    )


def _units(file: Path, start: int, data: bytes) -> list[Unit]:
    """Return the units that ``data``, from ``start`` on, consists of."""
    scanner = UnitScanner(start)
    found = [*scanner.feed(data)]
    units = [unit for unit in found if isinstance(unit, Unit)]
    if not units or len(units) < len(found) or scanner.finish() is not None:
        raise NotPlainError(f"{file} has something that is no unit after byte {start:,}")
    return units


def _bytes_from(file: Path, start: int) -> tuple[int, bytes]:
    """Return a file's inode, and its bytes from ``start`` on."""
    try:
        with file.open("rb") as stream:
            stream.seek(start)
            return os.fstat(stream.fileno()).st_ino, stream.read()
    except OSError as error:
        raise LogError(f"cannot read {file}: {error.strerror}") from error
