"""Merging: the verified units of several files, each once, byte for byte, in one file.

Nothing is decoded and encoded again, so kinds and fields of a newer racelog pass untouched, and reading the result
is reading all the files at once. Units are ordered by writer and number: the order of the files makes no difference.

Cuts are the exception: neighbours both hold the requests under way at their common edge, in units of different names. They
are put together fact by fact (`racelog.log.rewrite.union`) and written anew as one sealed file.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from racelog.errors import InputError, LogError, NotALog, SeveralRaces, StorageError
from racelog.events import Finish, Head, RaceFacts
from racelog.log.format.codec import decode_unit
from racelog.log.format.progress import Progress, silent
from racelog.log.format.units import Unit, UnitScanner
from racelog.log.read.exact import Gathered, fresh_head, gather_units
from racelog.log.read.reader import FileDamage, RaceLog
from racelog.log.read.scan import log_files, scan_file
from racelog.log.read.superseded import superseded_in
from racelog.log.rewrite.cut import CUT_REASONS
from racelog.log.rewrite.rewrite import compacted, write_race
from racelog.log.rewrite.union import union
from racelog.log.write.atomic import check_target, new_file
from racelog.log.write.os_errors import refusal

UnitKey = tuple[int, int]
"""(writer, seq): what names a unit for ever."""


@dataclass(frozen=True, slots=True)
class _Place:
    file: Path
    offset: int
    length: int
    crc: int


@dataclass(slots=True)
class Merge:
    """What `merge` found and wrote. ``origins`` are the zeroes of the clocks that the writers counted from."""

    target: str
    files: int = 0
    units: int = 0
    duplicate_units: int = 0
    superseded_units: int = 0
    repeated_facts: int = 0
    events: int = 0
    race_ids: dict[str, str] = field(default_factory=dict)
    origins: set[int] = field(default_factory=set)
    damage: list[FileDamage] = field(default_factory=list)


def merge(paths: Iterable[Path], target: Path, *, force: bool = False, progress: Progress = silent) -> Merge:
    """Write every verified unit of the logs at ``paths`` to ``target``, each once.

    Of segments that are there beside the whole file they were sealed into, nothing is written. Damaged stretches are left out and told; the gaps in their writers' numbers stay, so `verify_log` still finds them.
    Cost: every byte is read twice; memory holds the units' places, not the units. With cuts, memory holds all of it.

    Raises:
        RaceNotFound, NotALog, NewerLog, LogError: a log cannot be read, or two units of one name differ.
        InputError: the logs are of different races, one that is not whole was sealed from another, or ``target`` is in
            the way.
        StorageError: ``target`` cannot be written.
    """
    check_target(target, force=force)
    files = [file for path in paths for file in log_files(path)]
    index = _Index(Merge(str(target)), superseded_in(files))
    total = sum(file.stat().st_size for file in files)
    before = 0
    for file in files:
        for end in index.take_file(file):
            progress("reading", before + end, total)
        before += file.stat().st_size
    index.check()
    with new_file(target, force=force) as partial:
        if index.has_facts_in_common:
            index.done.repeated_facts = _write_facts(files, index.cuts, partial, progress)
        else:
            _copy([index.places[key] for key in sorted(index.places)], partial, progress)
    return index.done


class _Index:
    """Where every unit lies, and whether they can all be of one race."""

    def __init__(self, done: Merge, superseded: frozenset[int]) -> None:
        self.done = done
        self._superseded = superseded
        self.places: dict[UnitKey, _Place] = {}
        self.cuts: set[int] = set()
        self._writer_file: dict[str, Path] = {}
        self._sealed_from: dict[str, Path] = {}
        self._differ: list[str] = []

    @property
    def has_facts_in_common(self) -> bool:
        """True when a cut is there beside anything else of its race."""
        return bool(self.cuts) and len(self._writer_file) > 1

    def take_file(self, file: Path) -> Iterable[int]:
        """Note the units of one file, yielding the offset reached."""
        self.done.files += 1
        for found in scan_file(file):
            if isinstance(found, Unit):
                self._take(file, found)
            else:
                self._damaged(file, found.offset, found.length, found.reason)
            yield found.end

    def _take(self, file: Path, unit: Unit) -> None:
        key = (unit.trailer.writer, unit.trailer.seq)
        if key[0] in self._superseded:
            self.done.superseded_units += 1
            return
        known = self.places.get(key)
        if known is not None:
            self.done.duplicate_units += 1
            if known.crc != unit.trailer.frame_crc:
                self._differ.append(
                    f"unit {key[1]} of writer {key[0]:016x} differs between {known.file} (offset {known.offset}) and "
                    f"{file} (offset {unit.offset})"
                )
            return
        try:
            events = decode_unit(unit)
        except LogError as error:
            self._damaged(file, unit.offset, unit.end - unit.offset, str(error))
            return
        self.places[key] = _Place(file, unit.offset, unit.end - unit.offset, unit.trailer.frame_crc)
        self.done.units += 1
        self.done.events += len(events)
        self._writer_file.setdefault(f"{key[0]:016x}", file)
        for event in events:
            if isinstance(event, Head | RaceFacts):
                self.done.race_ids.setdefault(event.race_id, str(file))
            if isinstance(event, Finish) and event.reason in CUT_REASONS:
                self.cuts.add(key[0])
            if isinstance(event, Head):
                self.done.origins.add(event.mono_origin_ns)
                if event.role == "seal":
                    self._sealed_from.update(dict.fromkeys(event.sources, file))

    def _damaged(self, file: Path, offset: int, length: int, reason: str) -> None:
        self.done.damage.append(FileDamage(str(file), offset, length, reason))

    def check(self) -> None:
        """Refuse what does not belong in one file."""
        if not self.places:
            raise NotALog("nothing to merge: no file holds a single committed unit")
        if len(self.done.race_ids) > 1:
            raise SeveralRaces.of(self.done.race_ids)
        if self._differ:
            raise LogError(f"{self._differ[0]}; see which file is sound: racelog verify")
        for writer in sorted(self._writer_file.keys() & self._sealed_from.keys()):
            file, sealed = self._writer_file[writer], self._sealed_from[writer]
            raise InputError(
                f"{sealed} was sealed from writer {writer}, whose units are in {file} too, and is no longer whole; merged, "
                f"facts would be there twice. Merge without {sealed}"
            )


def _write_facts(files: list[Path], cuts: set[int], target: Path, progress: Progress) -> int:
    """Write the facts of ``files`` to ``target``, those that several cuts hold once; return how many were left out."""
    ordered, places, report = gather_units(files, progress, exact=True)
    whole = [event for _, writer, _, _, event in ordered if writer not in cuts]
    parts = [[event for _, writer, _, _, event in ordered if writer == cut] for cut in sorted(cuts)]
    events, repeated = union([whole, *parts])
    found = Gathered(RaceLog(target, [entry[4] for entry in ordered], report), places)
    head = fresh_head(found, name_sources=not report.damage)
    write_race(target, head, compacted(events), reason="put together from cuts", progress=progress)
    return repeated


def _copy(places: list[_Place], target: Path, progress: Progress) -> None:
    """Write the units at ``places`` to ``target`` in that order, checking each once more."""
    opened: dict[Path, BinaryIO] = {}  # one at a time: units of a file come together
    try:
        with target.open("xb") as out:
            for number, place in enumerate(places):
                if place.file not in opened:
                    while opened:
                        opened.popitem()[1].close()
                    opened[place.file] = place.file.open("rb")
                out.write(_again(opened[place.file], place))
                progress("writing", number, len(places))
    except OSError as error:
        raise StorageError(f"cannot write {target}: {refusal(error)}") from error
    finally:
        for stream in opened.values():
            stream.close()


def _again(stream: BinaryIO, place: _Place) -> bytes:
    """Return the bytes of a unit that was verified before, verified once more: a file may change meanwhile."""
    stream.seek(place.offset)
    data = stream.read(place.length)
    found = [unit for unit in UnitScanner(place.offset).feed(data) if isinstance(unit, Unit)]
    if [unit.trailer.frame_crc for unit in found] != [place.crc]:
        raise LogError(f"{place.file} changed while it was merged; try again when nobody writes to it")
    return data
