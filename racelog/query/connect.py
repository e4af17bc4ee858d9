"""Opening races for SQL: one in-memory DuckDB connection, filled from the logs and then locked up.

The logs themselves are never handed to DuckDB, so nothing a query does can change a race; once the tables are
filled, the connection may touch no file, no network and no extension, and cannot be told otherwise.
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np

from racelog.errors import LogError, RacelogError
from racelog.home import find_race, home_folder, stored_races
from racelog.log.reader import RaceLog, open_log
from racelog.log.verify import lost_stretches
from racelog.query.project import Batch, Columns, number_column, race_batches
from racelog.query.tables import TABLES, create_tables

LOCKDOWN = (
    "SET TimeZone = 'UTC'",
    "SET temp_directory = ''",  # spilling would write to the user's working directory
    "SET python_enable_replacements = false",  # a table name must never reach a variable of the caller
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",  # last: from here nothing of the above can be undone
)

_DTYPES = {"BIGINT": np.int64, "INTEGER": np.int64, "DOUBLE": np.float64, "BOOLEAN": np.bool_}


class RaceWarning(UserWarning):
    """A race could not be read, or not all of it; the rest is there."""


@dataclass(slots=True)
class LoadedRaces:
    """A connection over the races that could be read, and a line for each thing that could not."""

    connection: duckdb.DuckDBPyConnection
    races: int = 0
    problems: list[str] = field(default_factory=list)


def connect(*races: str | Path, home: str | Path | None = None) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection over ``races`` (path, id, prefix or ``latest``), or over every race there is.

    Its tables are `racelog.query.tables.TABLES`, in memory: changing them changes no race. It has no access to
    files, network or extensions. What could not be read is told by a `RaceWarning` and left out. Cost: reads the
    logs whole, a few seconds per million token chunks.

    Raises:
        RaceNotFound: nothing answers to one of the names.
        LogError: races were named and none of them can be read.
    """
    loaded = load_races(*races, home=home)
    for problem in loaded.problems:
        warnings.warn(problem, RaceWarning, stacklevel=2)
    return loaded.connection


def load_races(*races: str | Path, home: str | Path | None = None) -> LoadedRaces:
    """Do as `connect` does, but return what could not be read instead of warning of it.

    Raises:
        RaceNotFound: nothing answers to one of the names.
        LogError: races were named and none of them can be read.
    """
    folder = home_folder(home)
    named = [find_race(str(race), folder) for race in races]
    paths = named or [stored.path for stored in stored_races(folder)]
    loaded = LoadedRaces(duckdb.connect(":memory:"))
    create_tables(loaded.connection)
    first_error = _load_all(loaded, dict.fromkeys(path.absolute() for path in paths))
    if named and first_error and not loaded.races:
        raise first_error
    for setting in LOCKDOWN:
        loaded.connection.execute(setting)
    return loaded


def _load_all(loaded: LoadedRaces, paths: Iterable[Path]) -> RacelogError | None:
    """Append every race to the tables; return the first error, with a line for each in ``loaded.problems``."""
    first_error: RacelogError | None = None
    homes: dict[str, Path] = {}
    for path in paths:
        try:
            log, batches = _read(path)
            race_id = batches[0][1]["race_id"][0]
            if (other := homes.setdefault(race_id, path)) != path:
                loaded.problems.append(f"{path} was skipped: it is race {race_id}, as {other} is")
                continue
            append_batches(loaded.connection, batches)
        except RacelogError as error:
            first_error = first_error or error
            loaded.problems.append(f"{path} was skipped: {error}")
            continue
        loaded.races += 1
        loaded.problems += [f"{path} is damaged: {lost}" for lost in lost_stretches(log)]
    return first_error


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


def append_batches(connection: duckdb.DuckDBPyConnection, batches: Iterable[Batch]) -> None:
    """Append rows to the tables, all or none of them. Cost: under a second per million token rows.

    Raises:
        LogError: a value does not fit its column; nothing was appended.
    """
    connection.begin()
    try:
        for table, columns in batches:
            _append(connection, table, columns)
    except (duckdb.Error, OverflowError) as error:
        connection.rollback()
        raise LogError(f"a value does not fit its column: {error}") from error
    connection.commit()


def _append(connection: duckdb.DuckDBPyConnection, table: str, columns: Columns) -> None:
    declared = TABLES[table]
    if not len(columns[declared[0].name]):
        return
    arrays = {column.name: _as_array(columns[column.name], column.type) for column in declared}
    selected = ", ".join(f"CAST({column.name} AS {column.type})" for column in declared)
    connection.register("incoming_rows", arrays)
    connection.execute(f"INSERT INTO {table} SELECT {selected} FROM incoming_rows")  # noqa: S608 - our own names
    connection.unregister("incoming_rows")


def _as_array(values: object, type_name: str) -> object:
    """Return a column as DuckDB takes it fastest: numbers masked where missing, everything else as objects."""
    if not isinstance(values, list):
        return values
    dtype = _DTYPES.get(type_name)
    return np.array(values, dtype=object) if dtype is None else number_column(values, dtype)
