"""Reading a log in order to write it anew: every event, where each unit lay, and what racelog does not know.

Beside `open_log` this tells how far it is, keeps the place of every unit, and can carry fields from the future.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Raw

from racelog.errors import NotALog, RaceNotFound, SeveralRaces
from racelog.events import AnyEvent, ClockAnchor, Finish, Head, RaceFacts, Unknown
from racelog.log.format.codec import FIELDS_OF, OrderedEvent
from racelog.log.format.progress import Progress, silent
from racelog.log.format.units import Damage, Trailer, Unit, decode_payload
from racelog.log.read.index import LogIndex, UnitSpan
from racelog.log.read.order import in_order
from racelog.log.read.reader import FileDamage, LogReport, RaceLog, UnitReader
from racelog.log.read.scan import log_files, scan_file
from racelog.log.read.superseded import heads_of_files, superseded_beside
from racelog.log.write.segment import new_writer_id

_fields = msgspec.json.Decoder(dict[str, Raw])


@dataclass(frozen=True, slots=True)
class UnitPlace:
    """Where a unit that was read lies, and what its trailer says."""

    file: str
    offset: int
    end: int
    trailer: Trailer


@dataclass(frozen=True, slots=True)
class Gathered:
    """A log that was read whole: its events and report, and the places of its units in file order."""

    log: RaceLog
    places: list[UnitPlace]

    @property
    def race_ids(self) -> list[str]:
        """The races whose facts are in the log; a log to be rewritten has one."""
        return sorted({event.race_id for event in self.log.events if isinstance(event, Head | RaceFacts)})


def gather(
    path: Path, progress: Progress = silent, *, exact: bool = False, race_id: str | None = None
) -> Gathered:
    """Return everything readable in the log at ``path``, a file or a directory of segments; of ``race_id`` alone.

    With ``exact``, an event of a known kind that has fields this racelog does not know is given as `Unknown`, so
    that writing it loses nothing. Cost: the whole log in memory; ``exact`` decompresses once more and looks at names.

    Raises:
        RaceNotFound: there is nothing at ``path``, or nothing of that race.
        SeveralRaces: it holds more than one race, and none was named.
        NotALog: no file there holds a single unit.
        NewerLog: a unit uses a newer major format.
        LogError: a file cannot be read.
    """
    files = log_files(path)
    ordered, places, report = gather_units(files, progress, exact=exact, others=_others(path, race_id))
    if report.units == 0:
        raise NotALog(f"{path} is not a racelog file: it holds no committed unit")
    return Gathered(RaceLog(path, [entry[4] for entry in ordered], report), places)


def _others(path: Path, race_id: str | None) -> frozenset[int]:
    """Return the writers of every other race than ``race_id``, and those of whom nothing tells whose they are."""
    if race_id is None:
        return frozenset()
    with LogIndex(path) as index:
        told = [head for _, head in heads_of_files(index)]
        own = {head.writer for head in told if head.race_id == race_id}
        if not own:
            there = ", ".join(sorted({head.race_id for head in told})) or "none that is told"
            raise RaceNotFound(f"no race {race_id!r} in {path}; there are {there}")
        return frozenset(span.writer for span in index.spans if f"{span.writer:016x}" not in own)


def gather_units(
    files: Sequence[Path],
    progress: Progress = silent,
    *,
    exact: bool = False,
    others: frozenset[int] = frozenset(),
) -> tuple[list[OrderedEvent], list[UnitPlace], LogReport]:
    """Return the events of ``files`` in order, where their units lie, and the report of reading them, as `gather`.

    Units of the writers in ``others`` are not read.
    """
    ordered, places, report = _gathered(files, others, progress, exact=exact)
    if superseded := superseded_beside(files, ordered):
        return _gathered(files, superseded | others, progress, exact=exact)
    return ordered, places, report


def _gathered(
    files: Sequence[Path], superseded: frozenset[int], progress: Progress, *, exact: bool
) -> tuple[list[OrderedEvent], list[UnitPlace], LogReport]:
    reader = UnitReader(superseded)
    ordered: list[OrderedEvent] = []
    places: list[UnitPlace] = []
    total = sum(file.stat().st_size for file in files)
    for file in files:
        reader.report.files += 1
        for found in scan_file(file):
            events = reader.read(file.name, found)
            ordered += _exactly(found, events) if exact else events
            if isinstance(found, Unit) and events:
                places.append(UnitPlace(file.name, found.offset, found.end, found.trailer))
            reader.report.bytes += found.end - found.offset
            progress("reading", reader.report.bytes, total)
    ordered.sort(key=lambda entry: entry[:4])
    return ordered, places, reader.report


class ExactEvents:
    """The events of ``index`` in the order of events everywhere, those with fields that racelog does not know as they stand.

    ``damage`` tells what could not be read so far. Memory: the units that overlap.

    Raises:
        NewerLog: a unit uses a newer major format.
        LogError: a file cannot be read.
    """

    def __init__(self, index: LogIndex, progress: Callable[[int, int], None]) -> None:
        self._index = index
        self._reader = UnitReader()
        self._done = 0
        self._total = sum(span.end - span.offset for span in index.spans)
        self._progress = progress

    @property
    def damage(self) -> list[FileDamage]:
        """What was met of it."""
        return self._reader.report.damage

    def __iter__(self) -> Iterator[AnyEvent]:
        return (entry[4] for entry in in_order(self._index.spans, self._read))

    def _read(self, span: UnitSpan) -> list[OrderedEvent]:
        name = self._index.files[span.file].name
        found = self._index.read(span)
        self._done += span.end - span.offset
        self._progress(self._done, self._total)
        return [entry for unit in found for entry in _exactly(unit, self._reader.read(name, unit))]


def exact_events(path: Path, progress: Progress = silent) -> Iterator[AnyEvent]:
    """Yield the events of one file unit by unit, those with fields that racelog does not know as they stand.

    Cost: one unit in memory. Damage gives nothing.

    Raises:
        NewerLog: a unit uses a newer major format.
        LogError: the file cannot be read.
    """
    reader = UnitReader()
    total = path.stat().st_size
    for found in scan_file(path):
        for entry in _exactly(found, reader.read(path.name, found)):
            yield entry[4]
        progress("reading", found.end, total)


def _exactly(found: Unit | Damage, ordered: list[OrderedEvent]) -> list[OrderedEvent]:
    """Return a unit's events, those with unknown fields as they stand in its payload."""
    if not ordered or not isinstance(found, Unit):
        return ordered
    lines = decode_payload(found).split(b"\n")
    return [(*entry[:4], _carried(lines[entry[3]], entry[4])) for entry in ordered]


def _carried(line: bytes, event: AnyEvent) -> AnyEvent:
    """Return ``event``, or its line as it stands if that says more than ``event`` holds."""
    if isinstance(event, Unknown | Head | Finish):
        return event
    said = _fields.decode(line)
    kind = msgspec.json.decode(said["k"], type=str)
    return event if said.keys() <= FIELDS_OF[kind] else Unknown(t=event.t, k=kind, raw=Raw(line))


def fresh_head(gathered: Gathered, *, name_sources: bool = True) -> Head:
    """Return the head of a new sealed segment that continues the race, from its heads or what else tells of it.

    ``name_sources`` where the segment will hold every fact of the log: it then supersedes the units it is made of.

    Raises:
        SeveralRaces: the log holds more than one.
    """
    log, races = gathered.log, gathered.race_ids
    if len(races) > 1:
        raise SeveralRaces.of(dict.fromkeys(races, str(log.path)))
    old = log.first(Head)
    anchor = log.first(ClockAnchor)
    origin_ns = old.mono_origin_ns if old else anchor.mono_ns - anchor.t if anchor else 0
    return Head(
        t=0,
        race_id=races[0] if races else log.path.stem,
        writer=f"{new_writer_id():016x}",
        role="seal",
        mono_origin_ns=origin_ns,
        racelog_version=old.racelog_version if old else "",
        sources=_sources(gathered) if name_sources else [],
    )


def _sources(gathered: Gathered) -> list[str]:
    """Return the writers whose facts were gathered, those that were sealed before among them."""
    read = {f"{place.trailer.writer:016x}" for place in gathered.places}
    sealed = (head.sources for head in gathered.log.of(Head) if head.role == "seal")
    return sorted(read.union(*sealed))
