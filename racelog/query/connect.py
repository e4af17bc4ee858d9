"""Opening races for SQL: rows from the cache where it has them, else folded from the log, behind a read-only door."""

import glob
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from racelog.errors import LogError, RacelogError, RaceNotFound
from racelog.home import find_race, home_folder, stored_races
from racelog.log.names import LIVE_SUFFIX, SEGMENT_SUFFIX
from racelog.log.reader import RaceLog, open_log
from racelog.log.verify import lost_stretches
from racelog.query.cache import Cache, CachedRace, is_settled
from racelog.query.catalog import Catalog
from racelog.query.project import Batch, race_batches

Home = str | Path | Sequence[str | Path | None] | None
"""One home, several, or the usual one; the first keeps the cache."""


class RaceWarning(UserWarning):
    """A race could not be read, or not all of it; the rest is there."""


@dataclass(slots=True)
class LoadedRaces:
    """A connection over the races that could be read, and a line for each thing that could not."""

    connection: duckdb.DuckDBPyConnection
    races: int = 0
    problems: list[str] = field(default_factory=list)


def connect(
    *races: str | Path, home: Home = None, cache: bool = True, unsafe: bool = False
) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection over ``races`` (path, pattern, id, prefix or ``latest``), or over every race there is.

    A pattern such as ``runs/*/*.rlog`` stands for all logs that match; ``home`` may be several.

    Its tables are `racelog.query.tables.TABLES`, read-only; it has no access to files, network or extensions unless
    ``unsafe``, which gives it all that DuckDB can do, short of changing a race. What could not be read is told by a
    `RaceWarning` and left out. Cost: a log is folded the first time it is seen, a few seconds per million token
    chunks, and kept as Parquet in the home's ``cache`` folder unless ``cache`` is False.

    Raises:
        RaceNotFound: nothing answers to one of the names.
        LogError: races were named and none of them can be read.
    """
    loaded = load_races(*races, home=home, cache=cache, unsafe=unsafe)
    for problem in loaded.problems:
        warnings.warn(problem, RaceWarning, stacklevel=2)
    return loaded.connection


def load_races(
    *races: str | Path, home: Home = None, cache: bool = True, unsafe: bool = False
) -> LoadedRaces:
    """Do as `connect` does, but return what could not be read instead of warning of it.

    Raises:
        RaceNotFound: nothing answers to one of the names.
        LogError: races were named and none of them can be read.
    """
    several = [home] if home is None or isinstance(home, str | Path) else home
    folders = [home_folder(one) for one in several or [None]]
    named = [path for race in races for path in named_races(str(race), folders)]
    paths = named or [stored.path for folder in folders for stored in stored_races(folder)]
    loading = _Loading(Catalog(), Cache(folders[0]) if cache else None)
    try:
        loading.take_all(dict.fromkeys(path.absolute() for path in paths))
        if named and loading.first_error and not loading.races:
            raise loading.first_error
        connection = loading.catalog.open(loading.cache.folder if loading.cache else None, unsafe=unsafe)
    finally:
        loading.catalog.close()
    return LoadedRaces(connection, loading.races, loading.problems)


def named_races(race: str, homes: Sequence[Path]) -> list[Path]:
    """Return the logs that ``race`` names: all that match a pattern, else the one that `find_race` finds.

    Of several homes the first that has it counts, and ``latest`` is the latest of all.

    Raises:
        RaceNotFound: nothing answers to it.
        InputError: a prefix fits several races.
    """
    if any(sign in race for sign in "*?[") and not Path(race).exists():
        matching = [Path(found) for found in sorted(glob.glob(race, recursive=True))]  # noqa: PTH207 - absolute patterns too
        logs = [path for path in matching if path.suffix in (SEGMENT_SUFFIX, LIVE_SUFFIX)]
        if not logs:
            raise RaceNotFound(f"no log matches {race!r}")
        return logs
    if race == "latest" and (stored := [found for home in homes for found in stored_races(home)]):
        return [max(stored, key=lambda found: found.race_id).path]
    for home in homes[:-1]:
        with suppress(RaceNotFound):
            return [find_race(race, home)]
    return [find_race(race, homes[-1])]


class _Loading:
    """Brings races into a catalogue, one by one; what cannot be brought is told in ``problems``."""

    def __init__(self, catalog: Catalog, cache: Cache | None) -> None:
        self.catalog = catalog
        self.cache = cache
        self.races = 0
        self.problems: list[str] = []
        self.first_error: RacelogError | None = None
        self._homes: dict[str, Path] = {}

    def take_all(self, paths: Iterable[Path]) -> None:
        for path in paths:
            try:
                self._take(path)
            except RacelogError as error:
                self.first_error = self.first_error or error
                self.problems.append(f"{path} was skipped: {error}")

    def _take(self, path: Path) -> None:
        name, cached = self._look_up(path)
        if cached is not None:
            if self._is_new(cached.entry.race_id, path):
                self._add(cached)
            return
        log, batches = _read(path)
        if not self._is_new(race_id := batches[0][1]["race_id"][0], path):
            return
        lost = [f"{path} is damaged: {stretch}" for stretch in lost_stretches(log)]
        kept = self._keep(name, path, log, batches, lost)
        if kept is not None:
            self._add(kept)
            return
        try:
            self.catalog.add_rows(batches)
        except RacelogError:
            del self._homes[race_id]
            raise
        self.races += 1
        self.problems += lost

    def _look_up(self, path: Path) -> tuple[str | None, CachedRace | None]:
        """Return the race's name in the cache, and the race if it is there."""
        if self.cache is None:
            return None, None
        try:
            name = self.cache.name(path)
        except OSError as error:
            raise LogError(f"cannot read {path}: {error.strerror}") from error
        return name, self.cache.find(name)

    def _keep(
        self, name: str | None, path: Path, log: RaceLog, batches: list[Batch], lost: list[str]
    ) -> CachedRace | None:
        """Cache a race that grows no more; None where it cannot be, once with a line that says so."""
        if self.cache is None or name is None:
            return None
        try:
            return self.cache.keep(name, path, batches, lost) if is_settled(log) else None
        except OSError as error:
            reason = error.strerror or str(error)
            self.problems.append(
                f"nothing is cached, so every question reads the logs again: cannot write {self.cache.folder}: {reason}"
            )
            self.cache = None
            return None

    def _add(self, cached: CachedRace) -> None:
        self.catalog.add_cached(cached)
        self.races += 1
        self.problems += cached.entry.problems

    def _is_new(self, race_id: str, path: Path) -> bool:
        """Return whether this race is not there yet; a copy of one that is, is told."""
        other = self._homes.setdefault(race_id, path)
        if other != path:
            self.problems.append(f"{path} was skipped: it is race {race_id}, as {other} is")
        return other == path


def _read(path: Path) -> tuple[RaceLog, list[Batch]]:
    """Return one race's log and rows.

    Raises:
        LogError: the log cannot be read, or its facts cannot be folded.
    """
    try:
        log = open_log(path)
        return log, race_batches(log)
    except OSError as error:
        raise LogError(f"cannot read {path}: {error.strerror}") from error
    except (OverflowError, ValueError) as error:
        raise LogError(f"its events cannot be folded: {error}. Look closer: racelog verify {path}") from error
