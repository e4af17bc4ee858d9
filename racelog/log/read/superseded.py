"""Segments beside the sealed file made of them: the same facts, to be read once.

A sealed file names in its head the writers whose facts it holds. Where it is whole, and units of those writers are there
as well (put together by hand, or kept beside it), theirs are superseded and not read. A sealed file that lost its end
or a unit supersedes nothing. A live segment's ``sources`` name the writer it goes on for: both are read.

Which writers these are is known only once all is there, so who reads a stream, or follows a growing log, reads both.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from racelog.errors import LogError, NotALog, SeveralRaces
from racelog.events import AnyEvent, Finish, Head
from racelog.log.format.codec import OrderedEvent, decode_unit
from racelog.log.format.units import Unit
from racelog.log.read.index import LogIndex, UnitSpan


def superseded(index: LogIndex, told: Iterable[Head] | None = None) -> frozenset[int]:
    """Return the writers in ``index`` whose facts a whole sealed file, there too, holds; ``told`` are its `heads`.

    Cost: each writer's first unit; all of a sealed file where it and what it was made of are both there.
    """
    writers = {f"{writer:016x}": writer for writer in {span.writer for span in index.spans}}
    gone: set[int] = set()
    for head in heads(index) if told is None else told:
        sources = {writers[name] for name in head.sources if name in writers and name != head.writer}
        if head.role == "seal" and sources and _is_whole(index, head):
            gone |= sources
    # Sealed files that name each other in a circle were not made by sealing: none of them is believed.
    return frozenset(gone) if len(gone) < len(writers) else frozenset()


def superseded_beside(files: Iterable[Path], ordered: Iterable[OrderedEvent]) -> frozenset[int]:
    """Return what `superseded_in` does for ``files`` whose events were read: rare, so their heads are asked first.

    Cost: a look at every event; only where a sealed file stands beside a writer it names, that of `superseded_in`.
    """
    heads: list[Head] = []
    writers: set[int] = set()
    for _, writer, _, _, event in ordered:
        writers.add(writer)
        if isinstance(event, Head):
            heads.append(event)
    names = {f"{writer:016x}" for writer in writers}
    doubted = any(head.role == "seal" and not names.isdisjoint(head.sources) for head in heads)
    return superseded_in(files) if doubted else frozenset()


def superseded_in(files: Iterable[Path]) -> frozenset[int]:
    """Return the writers in ``files`` whose facts a whole sealed file, there too, holds.

    Raises:
        NewerLog: a unit uses a newer major format.
        LogError: a file cannot be read.
    """
    try:
        index = LogIndex(*files)
    except NotALog:
        return frozenset()
    try:
        # Whose races they are is for others to judge: sealed files name the writers of their own alone.
        return superseded(index, [head for _, head in heads_of_files(index)])
    finally:
        index.close()


def heads(index: LogIndex) -> list[Head]:
    """Return the heads of the writers in ``index``. Cost: each one's first unit.

    Raises:
        SeveralRaces: they are of different races.
    """
    told: list[Head] = []
    races: dict[str, str] = {}
    for file, head in heads_of_files(index):
        told.append(head)
        races.setdefault(head.race_id, file.name)
    if len(races) > 1:
        raise SeveralRaces.of(races)
    return told


def heads_of_files(index: LogIndex) -> Iterator[tuple[Path, Head]]:
    """Yield the head of every writer in ``index``, with the file it lies in, whatever race it is of."""
    first = {span.writer: span for span in index.spans if span.seq == 0}
    for span in first.values():
        for event in _events(index, span):
            if isinstance(event, Head):
                yield index.files[span.file], event


def races_in(path: Path) -> dict[str, list[Path]]:
    """Return the files of every race that the log at ``path`` holds, as their heads tell. Cost: each one's first unit.

    Raises:
        RaceNotFound: there is nothing at ``path``.
        NotALog: no file there holds a unit.
        NewerLog: a unit uses a newer major format.
        LogError: a file cannot be read.
    """
    races: dict[str, list[Path]] = {}
    with LogIndex(path) as index:
        for file, head in heads_of_files(index):
            files = races.setdefault(head.race_id, [])
            if file not in files:
                files.append(file)
    return races


def _is_whole(index: LogIndex, head: Head) -> bool:
    """Tell whether a segment has its end, and every event that this counts."""
    units: dict[int, int] = {}
    promised: int | None = None
    for span in index.spans:
        if f"{span.writer:016x}" != head.writer or span.seq in units:
            continue
        events = _events(index, span)
        if not events:
            continue
        units[span.seq] = len(events)
        promised = next((event.events for event in events if isinstance(event, Finish)), promised)
    return promised is not None and promised == sum(units.values()) - 1


def _events(index: LogIndex, span: UnitSpan) -> list[AnyEvent]:
    """Return the events of one unit, none if it is damaged."""
    try:
        return [event for unit in index.read(span) if isinstance(unit, Unit) for event in decode_unit(unit)]
    except LogError:
        return []
