"""Reading: files to verified events in time order, with an account of everything that was not readable.

A log is one file, or a directory of segments while a race runs. Damage never raises and never yields a wrong
event: it is reported. Only a file with no unit in it at all is refused.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from racelog.display.text import counted
from racelog.errors import LogError, NotALog, RaceNotFound, SeveralRaces
from racelog.events import AnyEvent, Finish, Head, RaceFacts, Tokens
from racelog.log.format.codec import OrderedEvent, decode_unit
from racelog.log.format.names import sealed_sibling
from racelog.log.format.units import Damage, Unit
from racelog.log.read.scan import log_files, scan_file
from racelog.log.read.superseded import superseded_beside

E = TypeVar("E", bound=Struct)


@dataclass(frozen=True, slots=True)
class FileDamage:
    """Bytes of one file that hold no readable unit."""

    file: str
    offset: int
    length: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {counted(self.length, 'byte')} at offset {self.offset:,}: {self.reason}"


@dataclass(slots=True)
class LogReport:
    """What a read found: counts, and everything that is missing."""

    files: int = 0
    bytes: int = 0
    units: int = 0
    duplicate_units: int = 0
    superseded_units: int = 0
    events: int = 0
    chunks: int = 0
    writers: int = 0
    finished_writers: int = 0
    damage: list[FileDamage] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """True when every writer closed its segment properly."""
        return self.writers > 0 and self.finished_writers >= self.writers


@dataclass(frozen=True, slots=True)
class RaceLog:
    """One race's events in time order, and the report of reading them.

    Events are ordered by (t, writer, seq, position in the unit), so any split or concatenation of the same
    units reads the same.
    """

    path: Path
    events: list[AnyEvent]
    report: LogReport

    def of(self, kind: type[E]) -> Iterator[E]:
        """Yield the events of one kind in time order."""
        return (event for event in self.events if isinstance(event, kind))

    def first(self, kind: type[E]) -> E | None:
        """Return the earliest event of one kind, or None."""
        return next(self.of(kind), None)


class UnitReader:
    """Turns scanned units into ordered events: decodes, drops repeated units, keeps the report, refuses a second race.

    Units of the writers in ``superseded`` are not read: their facts are in a sealed file that is there too
    (`racelog.log.read.superseded`). Who reads a stream cannot know them, and leaves this out.
    """

    def __init__(self, superseded: frozenset[int] = frozenset()) -> None:
        self.report = LogReport()
        self._superseded = superseded
        self._seen: set[tuple[int, int]] = set()
        self._races: dict[str, str] = {}
        self._headed: set[int] = set()

    def read(self, file: str, found: Unit | Damage) -> list[OrderedEvent]:
        """Return the events of ``found``; damage, repeated and superseded units give none and are counted.

        Raises:
            SeveralRaces: ``found`` tells of another race than what was read before.
        """
        if isinstance(found, Damage):
            self.report.damage.append(FileDamage(file, found.offset, found.length, found.reason))
            return []
        key = writer, seq = found.trailer.writer, found.trailer.seq
        if writer in self._superseded:
            self.report.superseded_units += 1
            return []
        if key in self._seen:
            self.report.duplicate_units += 1
            return []
        try:
            events = decode_unit(found)
        except LogError as error:
            self.report.damage.append(FileDamage(file, found.offset, found.end - found.offset, str(error)))
            return []
        self._seen.add(key)
        self._count(events, file, writer)
        return [(event.t, writer, seq, position, event) for position, event in enumerate(events)]

    def _count(self, events: list[AnyEvent], file: str, writer: int) -> None:
        """Add one unit's events to the report."""
        report = self.report
        report.units += 1
        report.events += len(events)
        for event in events:
            if isinstance(event, Tokens):
                report.chunks += len(event.r)
            elif isinstance(event, Head):
                report.writers += 1
                self._headed.add(writer)
                self._is_of(event.race_id, file)
            elif isinstance(event, RaceFacts) and writer not in self._headed:  # a head says it better
                self._is_of(event.race_id, file)
            elif isinstance(event, Finish):
                report.finished_writers += 1

    def _is_of(self, race_id: str, file: str) -> None:
        self._races.setdefault(race_id, file)
        if len(self._races) > 1:
            raise SeveralRaces.of(self._races)


def open_log(path: str | Path) -> RaceLog:
    """Return everything readable in the log at ``path``, a file or a directory of segments.

    A running race may be sealed while it is read: its segments then go away, and the sealed file beside them, which
    holds the same facts, is read instead. Cost: the whole log in memory.

    Raises:
        RaceNotFound: there is nothing at ``path``.
        SeveralRaces: files of different races were put together.
        NotALog: no file there holds a single racelog unit.
        NewerLog: a unit uses a newer major format.
    """
    root = Path(path)
    sealed = sealed_sibling(root)
    try:
        log = _read(root)
    except (LogError, RaceNotFound):
        if sealed is None or not sealed.exists():
            raise
        return _read(sealed)
    return _read(sealed) if sealed is not None and sealed.exists() else log


def _read(root: Path, superseded: frozenset[int] = frozenset()) -> RaceLog:
    """Read one file or one directory as it is now, without the units of the writers named."""
    files = log_files(root)
    reader = UnitReader(superseded)
    ordered: list[OrderedEvent] = []
    with collector_paused():
        for file in files:
            reader.report.files += 1
            for found in scan_file(file):
                ordered += reader.read(file.name, found)
                reader.report.bytes += found.end - found.offset
        ordered.sort()  # never compares two events: no two share writer, sequence number and position
    if not superseded and (superseded := superseded_beside(files, ordered)):
        return _read(root, superseded)
    if reader.report.units == 0:
        raise NotALog(f"{root} is not a racelog file: it holds no committed unit")
    return RaceLog(root, [entry[4] for entry in ordered], reader.report)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the cyclic collector from walking every event read so far again and again: a fifth of the time, no garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
