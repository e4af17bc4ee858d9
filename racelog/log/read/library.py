"""A log as a program sees it: `racelog.open`. Reads what is asked for, when it is asked for."""

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Self, TypeVar, overload

from msgspec import Struct

from racelog.errors import InputError, LogError, RaceNotFound
from racelog.events import AnyEvent, LaneFacts, RaceFacts
from racelog.log.format.codec import MAX_T_NS, MIN_T_NS, OrderedEvent
from racelog.log.format.names import sealed_sibling
from racelog.log.format.units import Unit, decode_payload
from racelog.log.read.index import LogIndex, UnitSpan
from racelog.log.read.order import in_order
from racelog.log.read.reader import FileDamage, LogReport, RaceLog, UnitReader, open_log
from racelog.log.read.superseded import heads, superseded
from racelog.log.rows.rows import lane_of
from racelog.log.rows.window import part_between

E = TypeVar("E", bound=Struct)

_A_LANE = re.compile(rb'"k"\s*:\s*"lane"')


class Log:
    """One race's log: a file, several put together, or a running race's directory. Opening reads trailers only.

    `select` decodes the units it needs and no others; `events` and `report` read everything, once. Damage never
    raises: `report` lists all of it, `damage` what was met so far. The log is as it was when it was opened.

    Raises:
        RaceNotFound: there is nothing at ``path``.
        SeveralRaces: files of different races were put together.
        NotALog: no file there holds a single racelog unit.
        NewerLog: a unit uses a newer major format.
        LogError: a file cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path, self.index = _opened(Path(path))
        self.damage: list[FileDamage] = [
            FileDamage(file.name, found.offset, found.length, found.reason)
            for file, found in self.index.damage
        ]
        try:
            told = heads(self.index)
            gone = superseded(self.index, told)
        except BaseException:
            self.close()
            raise
        self.index.leave_out(gone)
        self.heads = [head for head in told if head.writer not in {f"{writer:016x}" for writer in gone}]
        """The heads of the segments."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files. What was read stays; nothing more can be."""
        self.index.close()

    @property
    def events(self) -> list[AnyEvent]:
        """Every event in time order, in memory."""
        return self._whole.events

    @property
    def report(self) -> LogReport:
        """What there is in the log, and what is missing. Cost: reads everything, once."""
        return self._whole.report

    @property
    def start_ns(self) -> int:
        """The earliest instant in the log, on the race's clock."""
        return self.index.start_ns

    @property
    def end_ns(self) -> int:
        """The latest instant in the log, on the race's clock."""
        return self.index.end_ns

    @cached_property
    def race(self) -> RaceFacts | None:
        """The race as it was asked for; None in a log that lost it. Cost: as a rule its first units."""
        return next(self.select(kind=RaceFacts), None)

    @cached_property
    def lanes(self) -> dict[int, LaneFacts]:
        """The lanes by number. Cost: decompresses everything once, for a lane may be told of anywhere."""
        found: dict[int, LaneFacts] = {}
        for facts in self.lane_facts():
            found.setdefault(facts.lane, facts)
        return dict(sorted(found.items()))

    def lane_facts(self) -> Iterator[LaneFacts]:
        """Yield what is told of lanes, unit by unit in time order, decompressing as far as it is asked."""
        reader = UnitReader()
        for span in self.index.spans:
            for entry in self._read(span, reader, _A_LANE):
                if isinstance(facts := entry[4], LaneFacts):
                    yield facts

    @overload
    def select(
        self,
        *,
        start_ns: int | None = ...,
        end_ns: int | None = ...,
        lane: int | str | None = ...,
        kind: type[E],
    ) -> Iterator[E]: ...

    @overload
    def select(
        self,
        *,
        start_ns: int | None = ...,
        end_ns: int | None = ...,
        lane: int | str | None = ...,
        kind: None = ...,
    ) -> Iterator[AnyEvent]: ...

    def select(
        self,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        lane: int | str | None = None,
        kind: type[E] | None = None,
    ) -> Iterator[E] | Iterator[AnyEvent]:
        """Yield the events from ``start_ns`` to before ``end_ns`` in time order, of one lane and of one kind.

        What is left out means everything. A lane is a number or an engine's name. Of an event with columns, the rows
        in the stretch are given. Cost: two binary searches, then the units that reach into the stretch, one by one;
        memory for those that overlap.

        Raises:
            InputError: there is no such lane.
            LogError: a file cannot be read.
        """
        if not (kind is None or isinstance(kind, type)):
            raise TypeError(f"kind is a type of racelog.events, such as Tokens; not {kind!r}")
        number = self._lane_number(lane)
        start = MIN_T_NS if start_ns is None else start_ns
        end = MAX_T_NS + 1 if end_ns is None else end_ns
        return (
            event for event in self._between(start, end, kind) if number is None or lane_of(event) == number
        )

    def of(self, kind: type[E]) -> Iterator[E]:
        """Yield the events of one kind in time order."""
        return self.select(kind=kind)

    def first(self, kind: type[E]) -> E | None:
        """Return the earliest event of one kind, or None."""
        return next(self.select(kind=kind), None)

    @cached_property
    def _whole(self) -> RaceLog:
        return open_log(self.path)

    def _between(self, start_ns: int, end_ns: int, kind: type[Struct] | None) -> Iterator[AnyEvent]:
        reader = UnitReader()

        def wanted(span: UnitSpan) -> Iterator[OrderedEvent]:
            for _, writer, seq, position, event in self._read(span, reader):
                if kind is not None and not isinstance(event, kind):
                    continue
                part = part_between(event, start_ns, end_ns)
                if part is not None:
                    yield part.t, writer, seq, position, part

        return (entry[4] for entry in in_order(self.index.overlapping(start_ns, end_ns), wanted))

    def _read(
        self, span: UnitSpan, reader: UnitReader, only: re.Pattern[bytes] | None = None
    ) -> list[OrderedEvent]:
        """Return the events of one unit, none where ``only`` does not occur in it; note damage met for the first time."""
        entries: list[OrderedEvent] = []
        name = self.index.files[span.file].name
        for found in self.index.read(span):
            if only is None or not isinstance(found, Unit) or _holds(found, only):
                entries += reader.read(name, found)
        for place in reader.report.damage:
            if place not in self.damage:
                self.damage.append(place)
        return entries

    def _lane_number(self, lane: int | str | None) -> int | None:
        if lane is None or isinstance(lane, int):
            return lane
        if not isinstance(lane, str):
            raise TypeError(f"a lane is its number or its engine's name; not {lane!r}")
        for number, facts in self.lanes.items():
            if facts.engine == lane:
                return number
        there = ", ".join(f"{facts.engine!r} ({number})" for number, facts in self.lanes.items()) or "none"
        raise InputError(f"no lane {lane!r} in {self.path}; there are {there}")


def _holds(unit: Unit, pattern: re.Pattern[bytes]) -> bool:
    """Return whether ``pattern`` occurs in a unit, or the unit is damaged, which its reader will say."""
    try:
        return pattern.search(decode_payload(unit)) is not None
    except LogError:
        return True


def _opened(path: Path) -> tuple[Path, LogIndex]:
    """Return the log at ``path``, or the sealed one that took its place before it could be opened."""
    sealed = sealed_sibling(path)
    if sealed is not None and sealed.exists():
        return sealed, LogIndex(sealed)
    try:
        return path, LogIndex(path)
    except (LogError, RaceNotFound):
        if sealed is None or not sealed.exists():
            raise
        return sealed, LogIndex(sealed)
