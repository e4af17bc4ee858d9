"""Opening races for SQL: rows from the cache where it has them, else folded from the log, behind a read-only door."""

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import duckdb

from racelog.display.text import name_as_text
from racelog.errors import InputError, LogError, RacelogError, RaceNotFound, StorageError
from racelog.log.format.names import sealed_sibling
from racelog.log.read.lost import loss_told, lost_facts
from racelog.log.read.reader import RaceLog, open_log
from racelog.log.rewrite.verify import lost_stretches
from racelog.log.write.os_errors import refusal
from racelog.opening import race_name
from racelog.query.cache.cache import Cache, CachedRace, is_quiet, is_settled
from racelog.query.connection.catalog import Catalog
from racelog.query.connection.memory import spill_folder
from racelog.query.contract.tables import Batch
from racelog.query.sources.homes import Home, Homes
from racelog.query.sources.remote import RemoteLog, local_copy

if TYPE_CHECKING:
    from racelog.query.incremental.store import Answer


class RaceWarning(UserWarning):
    """A race could not be read, or not all of it; the rest is there."""


@dataclass(slots=True)
class LoadedRaces:
    """A connection over the races that could be read, and a line for each thing that could not.

    ``lossy``: a race, or a part of one, is missing.
    """

    connection: duckdb.DuckDBPyConnection
    races: int = 0
    problems: list[str] = field(default_factory=list)
    lossy: bool = False


def connect(
    *races: str | Path | Sequence[str | Path], home: Home = None, cache: bool = True, unsafe: bool = False
) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection over ``races`` (path, pattern, id, prefix or ``latest``), or over every race there is.

    A list of races is as good as the races themselves. A pattern such as ``runs/*/*.rlog`` stands for all logs that match; ``home`` may be several. Both may be URLs:
    ``https://`` as it is, ``s3://`` and what else fsspec reaches; a log is copied once into the cache.

    Its tables are `racelog.query.contract.tables.TABLES`, read-only; it has no access to files, network or extensions unless
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
    *races: str | Path | Sequence[str | Path],
    home: Home = None,
    cache: bool = True,
    unsafe: bool = False,
    spill: bool = False,
) -> LoadedRaces:
    """Do as `connect` does, but return what could not be read instead of warning of it; ``spill`` into the cache at need.

    Raises:
        RaceNotFound: nothing answers to one of the names.
        LogError: races were named and none of them can be read.
        StorageError: a cached file is broken and cannot be removed.
    """
    several = [home] if home is None or isinstance(home, str | Path) else home
    homes = Homes.of(several or [None])
    names = [name for race in races for name in _names(race)]
    wanted = [one for name in names for one in homes.find(name)] or homes.all()
    return _load(wanted, homes, named=bool(races), cache=cache, unsafe=unsafe, spill=spill)


def _names(race: str | Path | Sequence[str | Path]) -> list[str]:
    """Return what names races: one, or those in a list, of which there must be some.

    Raises:
        InputError: the list is empty, which must not mean every race there is.
        TypeError: one is no name.
    """
    if not isinstance(race, list | tuple | set | frozenset):
        return [race_name(race)]
    if not race:
        raise InputError("the list of races is empty; for every race there is, name none")
    return [race_name(one) for one in race]


def _load(
    wanted: Sequence[Path | RemoteLog], homes: Homes, *, named: bool, cache: bool, unsafe: bool, spill: bool
) -> LoadedRaces:
    """Load the races; what is broken of the cache is removed and made anew."""
    kept = Cache(homes.cache) if cache else None
    loading = _Loading(Catalog(kept.folder if kept else None), kept)
    with ExitStack() as ending:
        ending.callback(loading.catalog.close)
        copies = homes.cache / "cache" / "remote" if cache else None
        loading.take_all(loading.local(wanted, copies, ending))
        if named and loading.first_error and not loading.races:
            raise loading.first_error
        try:
            connection = loading.catalog.open(
                loading.cache.folder if loading.cache else None,
                unsafe=unsafe,
                latest=homes.latest(loading.ids),
                spill=spill_folder(homes.cache / "cache") if spill and cache else None,
            )
        except duckdb.Error as error:
            if loading.cache is None or not loading.cache.drop_broken(
                [*loading.catalog.cached, *loading.catalog.parts]
            ):
                raise StorageError(
                    f"the cached rows cannot be read ({error}); do without: --no-cache"
                ) from error
            return _load(wanted, homes, named=named, cache=cache, unsafe=unsafe, spill=spill)
    return LoadedRaces(connection, loading.races, loading.problems, loading.lossy)


class _Loading:
    """Brings races into a catalogue, one by one; what cannot be brought is told in ``problems``."""

    def __init__(self, catalog: Catalog, cache: Cache | None) -> None:
        self.catalog = catalog
        self.cache = cache
        self.races = 0
        self.problems: list[str] = []
        self.lossy = False
        self.first_error: RacelogError | None = None
        self.shown: dict[Path, str] = {}
        self._homes: dict[str, Path] = {}

    @property
    def ids(self) -> Iterable[str]:
        """The ids of the races that were brought in."""
        return self._homes

    def local(
        self, wanted: Iterable[Path | RemoteLog], copies: Path | None, ending: ExitStack
    ) -> Iterator[Path]:
        """Yield each log's path here, once; what lies elsewhere is copied into ``copies``, or for now only."""
        for one in dict.fromkeys(wanted):
            if isinstance(one, Path):
                yield one.absolute()
                continue
            try:
                if copies is None:
                    copies = Path(ending.enter_context(TemporaryDirectory(prefix="racelog-")))
                path = local_copy(one, copies)
            except (RacelogError, OSError) as error:
                why = (
                    error
                    if isinstance(error, RacelogError)
                    else LogError(f"cannot copy it: {error.strerror}")
                )
                self._skip(one.shown, why)
                continue
            self.shown[path] = one.shown
            yield path

    def take_all(self, paths: Iterable[Path]) -> None:
        for path in dict.fromkeys(paths):
            try:
                self._take_wherever(path)
            except RacelogError as error:
                self._skip(self._name(path), self._renamed(error, path))

    def _skip(self, name: str, error: RacelogError) -> None:
        self.first_error = self.first_error or error
        self.lossy = True
        told = re.sub(rf"^(cannot read )?{re.escape(name)}(?=[ :])", r"\1it", str(error))
        self.problems.append(f"{name} was skipped: {told}")

    def _renamed(self, error: RacelogError, path: Path) -> RacelogError:
        """Return an error that names a log from elsewhere as the user did, not its copy here."""
        return type(error)(str(error).replace(str(path), self._name(path)))

    def _name(self, path: Path) -> str:
        """Return what a log is called: where it came from, if that was elsewhere."""
        return self.shown.get(path, str(path))

    def _take_wherever(self, path: Path) -> None:
        """Take a race that may end, and be sealed elsewhere, while we look."""
        try:
            self._take(path)
        except (LogError, RaceNotFound):
            sealed = sealed_sibling(path)
            if sealed is None or not sealed.exists():
                raise
            self._take(sealed)

    def _take(self, path: Path) -> None:
        name, cached = self._look_up(path)
        if cached is not None:
            if self._is_new(cached.entry.race_id, path):
                self._add(cached)
            return
        if self._take_growing(path):
            return
        log, batches = _read(path)
        batches[0][1]["path"] = [name_as_text(self._name(path))]
        if not self._is_new(race_id := batches[0][1]["race_id"][0], path):
            return
        stretches = lost_stretches(log)
        lost = [loss_told(self.shown.get(path, path), stretches, lost_facts(log.events))] if stretches else []
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
        self.lossy = self.lossy or bool(lost)

    def _take_growing(self, path: Path) -> bool:
        """Take a race under way, told on from the last question; False if it has to be read as a whole."""
        answer = self._ask_growing(path)
        if answer is None:
            return False
        race_id = next(rows["race_id"][0] for table, rows in answer.rows if table == "races")
        if not self._is_new(race_id, path):
            return True
        try:
            self.catalog.add_rows(answer.rows)
        except RacelogError:
            del self._homes[race_id]
            raise
        self.catalog.add_parts(answer.parts)
        self.races += 1
        if answer.refused:
            self._without_cache(answer.refused)
        return True

    def _ask_growing(self, path: Path) -> "Answer | None":
        sealed = sealed_sibling(path)
        if self.cache is None or not path.is_dir() or (sealed and sealed.exists()):
            return None
        try:
            if is_quiet(path):
                return None
            from racelog.query.incremental.store import GrowingRace  # noqa: PLC0415 - loads numpy and every fold

            return GrowingRace(self.cache.growing(path), path).ask()
        except (OSError, RaceNotFound):
            return None  # sealed meanwhile, or unreadable: who reads it as a whole knows which

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
            self._without_cache(error)
            return None

    def _without_cache(self, error: OSError) -> None:
        """Go on without the cache, and say so."""
        if self.cache is not None:
            self.problems.append(
                "nothing is cached, so every question reads the logs again: "
                f"cannot write {self.cache.folder}: {refusal(error)}"
            )
            self.cache = None

    def _add(self, cached: CachedRace) -> None:
        self.catalog.add_cached(cached)
        self.races += 1
        self.problems += cached.entry.problems
        self.lossy = self.lossy or bool(cached.entry.problems)

    def _is_new(self, race_id: str, path: Path) -> bool:
        """Return whether this race is not there yet; a copy of one that is, is told."""
        other = self._homes.setdefault(race_id, path)
        if other != path:
            self.problems.append(
                f"{self._name(path)} was skipped: it is race {race_id}, as {self._name(other)} is"
            )
        return other == path


def _read(path: Path) -> tuple[RaceLog, list[Batch]]:
    """Return one race's log and rows.

    Raises:
        LogError: the log cannot be read, or its facts cannot be folded.
    """
    from racelog.query.project.project import race_batches  # noqa: PLC0415 - loads numpy and every fold: cached races need none

    try:
        log = open_log(path)
        return log, race_batches(log)
    except OSError as error:
        raise LogError(f"cannot read {path}: {error.strerror}") from error
    except (OverflowError, ValueError) as error:
        raise LogError(f"its events cannot be folded: {error}. Look closer: racelog verify {path}") from error
