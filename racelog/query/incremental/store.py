"""Where the settled rows of a growing race are kept, and what the next question goes on from.

    <cache>/<path>-growing/state          how far every file was read, the cut, the parts that hold for it
    <cache>/<path>-growing/<part>/        one stretch of settled rows: <table>.parquet for each table with rows

A part is written under a name of its own and never changed; the state is written beside its place and renamed into it,
so whoever reads sees one whole state, and of two processes at once the last one's holds. Parts that no state speaks of
are removed once nobody can be reading them. All of it can be deleted at any time; the race is then told from its start.
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from racelog.display.text import name_as_text
from racelog.errors import LogError
from racelog.home import own_folder
from racelog.log.read.resume import Place, read_onward
from racelog.query.cache.cache import CachedRace, Entry, join_tables, sweep, write_tables
from racelog.query.cache.checked import read_checked, write_checked
from racelog.query.contract.tables import TABLES, Batch
from racelog.query.incremental.advance import grow
from racelog.query.incremental.checkpoint import Cut
from racelog.query.incremental.state_codec import code_mark

STATE = "state"

WHOLE_PART_BYTES = 4 << 20
"""A part this large, half a million token chunks or so, is never written again; smaller ones are joined as more come."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A growing race as the last question left it; ``parts`` gives each part's files and their sizes, oldest first."""

    code: str
    race_id: str
    places: dict[str, Place]
    cut: Cut
    parts: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Answer:
    """All rows of a growing race: those in cached parts, and the others; ``refused`` is why nothing could be kept."""

    parts: list[CachedRace]
    rows: list[Batch]
    refused: OSError | None = None


class GrowingRace:
    """The kept part of one growing race. What cannot be read is not there; what cannot be written raises `OSError`."""

    def __init__(self, folder: Path, path: Path) -> None:
        self.folder = folder
        self._path = path

    def ask(self) -> Answer | None:
        """Return the race's rows as it stands; None if it has to be read as a whole, as one that grows no more.

        Cost: what is new since the last question that settled something, read and folded; the kept rows are not read.

        Raises:
            RaceNotFound: the race is gone.
            LogError: a file of it cannot be read.
        """
        state = self.state()
        try:
            return self._tell_on(state)
        except (LogError, ValueError, OverflowError):
            if state is None:
                return None
        try:
            return self._tell_on(None)
        except (LogError, ValueError, OverflowError):
            return None

    def _tell_on(self, state: State | None) -> Answer | None:
        onward = read_onward(self._path, state.places if state else {})
        if onward.finished:
            return None
        grown = grow(self._path, state.cut if state else None, onward.entries)
        if grown.cut is not None:
            try:
                kept = self.keep(state, grown.settled, onward.places, grown.cut)
                return Answer(self.parts(kept), grown.fresh)
            except OSError as error:
                return Answer(self.parts(state), [*grown.settled, *grown.fresh], refused=error)
        return Answer(self.parts(state), grown.fresh)

    def state(self) -> State | None:
        """Return the last state if it is there, whole, of this code, and all its parts are there."""
        try:
            kept = read_checked(self.folder / STATE)
            if kept is None:
                return None
            state = msgspec.msgpack.decode(kept, type=State)
            if state.code != code_mark() or not all(map(self._is_whole, state.parts.items())):
                return None
            os.utime(self.folder)  # who reads its parts now still has an hour
        except (OSError, msgspec.DecodeError):
            return None
        return state

    def _is_whole(self, part: tuple[str, dict[str, int]]) -> bool:
        name, sizes = part
        files = ((self.folder / name / f"{table}.parquet", size) for table, size in sizes.items())
        return sizes.keys() <= TABLES.keys() and all(file.stat().st_size == size for file, size in files)

    def parts(self, state: State | None) -> list[CachedRace]:
        """Return the parts of a state, as cached rows."""
        if state is None:
            return []
        return [
            CachedRace(
                self.folder / name,
                Entry(race_id=state.race_id, path=name_as_text(str(self._path)), problems=[], bytes=sizes),
            )
            for name, sizes in state.parts.items()
        ]

    def keep(
        self, before: State | None, settled: Sequence[Batch], places: dict[str, Place], cut: Cut
    ) -> State:
        """Keep ``settled`` rows behind those of ``before`` as a part, and what goes with them; return the new state.

        Cost: the rows, and now and then those of the last parts once more: each row is written a few times in all.

        Raises:
            LogError: a value does not fit its column.
            OverflowError: a number does not fit 64 bits.
            OSError: the cache cannot be written.
        """
        own_folder(self.folder)
        made: list[Path] = []
        try:
            first = self._new_part(made)
            kept = dict(before.parts) if before else {}
            sizes = {first.name: write_tables(first, settled)}
            joined = _to_join(kept, sum(sizes[first.name].values()))
            if joined:
                part = self._new_part(made)
                sizes = {part.name: join_tables(part, [*(self.folder / name for name in joined), first])}
                shutil.rmtree(made.pop(0), ignore_errors=True)
            parts = {name: kept[name] for name in kept if name not in joined} | sizes
            race_id = before.race_id if before else _race_id(settled)
            state = State(code=code_mark(), race_id=race_id, places=places, cut=cut, parts=parts)
            write_checked(self.folder / STATE, msgspec.msgpack.encode(state))
        except BaseException:
            for part in made:
                shutil.rmtree(part, ignore_errors=True)
            raise
        for name in joined:
            with suppress(OSError):
                os.utime(self.folder / name)  # who reads it still has an hour from now
        sweep(part for part in self.folder.iterdir() if part.name != STATE and part.name not in parts)
        return state

    def _new_part(self, made: list[Path]) -> Path:
        part = self.folder / f"part-{os.getpid()}-{os.urandom(6).hex()}"
        part.mkdir()
        made.append(part)
        return part


def _to_join(parts: dict[str, dict[str, int]], fresh_bytes: int) -> list[str]:
    """Return the last parts that are no larger than what comes behind them: so there are few parts, and few rewrites."""
    joined: list[str] = []
    behind = fresh_bytes
    for name in reversed(parts):
        size = sum(parts[name].values())
        if size > min(behind, WHOLE_PART_BYTES):
            break
        joined.insert(0, name)
        behind += size
    return joined


def _race_id(batches: Sequence[Batch]) -> str:
    """Return the race that rows are of."""
    return next((str(rows["race_id"][0]) for _, rows in batches if len(rows["race_id"])), "")
