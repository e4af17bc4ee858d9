"""The database a query sees: read-only, every table a view over cached rows and rows of races that still grow.

It is written to a temporary file, reopened read-only, and locked up: the file system it can reach holds the cached
columns and opens them for reading alone. So there are three fences, and each would do: the catalogue is read-only,
its files are read-only, and the settings that say so cannot be changed.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb

from racelog.errors import StorageError
from racelog.log.write.atomic import replaced
from racelog.query.cache.blank import blank_catalog
from racelog.query.cache.cache import BIG, PACK_SUFFIX, CachedRace, quoted
from racelog.query.connection.files import SCHEME, ReadOnlyFiles, address
from racelog.query.connection.memory import removed_with, settings
from racelog.query.contract.macros import latest_statement
from racelog.query.contract.tables import TABLES, Batch, comment_columns, create_tables

ALWAYS = (
    "SET TimeZone = 'UTC'",
    "SET python_enable_replacements = false",  # a table name must never reach a variable of the caller
    "SET parquet_metadata_cache = true",
)

LOCKDOWN = (
    f"SET allowed_directories = ['{SCHEME}://']",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",  # last: from here nothing of the above can be undone
)

PACK_ABOVE = 32
"""Beyond so many races their small tables are gathered once into a file of their own."""

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
"""Ids that stand for themselves in a file's name; a log may hold any other."""

PACKED = "packed_"
_PACKS_KEPT = 3


class Catalog:
    """Gathers races, then opens as one connection; ``cache`` is where what is needed again may be kept.

    Raises:
        StorageError: there is no folder for temporary files.
    """

    def __init__(self, cache: Path | None = None) -> None:
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="racelog-"))
            self._file = self._folder / "catalog.duckdb"
            self._file.write_bytes(blank_catalog(cache))
        except OSError as error:
            raise StorageError(
                f"no temporary folder can be written ({error.strerror}); set TMPDIR to one that can"
            ) from error
        self._builder = duckdb.connect(str(self._file))
        self.cached: list[CachedRace] = []
        self.parts: list[CachedRace] = []
        self._pack: Path | None = None

    def add_rows(self, batches: Iterable[Batch]) -> None:
        """Take a race's rows themselves.

        Raises:
            LogError: a value does not fit its column; nothing was taken.
        """
        from racelog.query.cache.rows import append_batches  # noqa: PLC0415 - loads numpy, for which cached races have no use

        append_batches(self._builder, batches)

    def add_cached(self, race: CachedRace) -> None:
        """Take a race whose rows are cached."""
        self.cached.append(race)

    def add_parts(self, parts: Iterable[CachedRace]) -> None:
        """Take the cached parts of a race that still grows; their small tables are never packed: they soon change."""
        self.parts += parts

    def open(
        self,
        cache: Path | None,
        *,
        unsafe: bool = False,
        latest: str | None = None,
        spill: Path | None = None,
    ) -> duckdb.DuckDBPyConnection:
        """Return the connection; ``cache`` is where small tables of many races may be kept together.

        ``latest`` is the id of the latest race, where it is not the greatest. What a query needs beyond its memory goes to the
        folder ``spill``; a statement can read and write there, so it is for those who let only reading ones through.

        Raises:
            InputError: the variable that says how much memory to take says no size.
            duckdb.Error: a cached file is broken.
        """
        cached = [*self.cached, *self.parts]
        files = {file_name(race): file for race in cached if (file := race.file(BIG)) is not None}
        allowed = ReadOnlyFiles(files)
        self._builder.register_filesystem(allowed)
        self._gather(cache)
        self._create_views(list(files))
        if latest is not None:
            self._builder.execute(latest_statement(quoted(latest)))
        self._builder.close()
        connection = self._reopened(allowed)
        for setting in (*ALWAYS, *settings(spill), *(() if unsafe else LOCKDOWN)):
            connection.execute(setting)
        if spill is not None:
            removed_with(connection, spill)
        return connection

    def close(self) -> None:
        """Remove the temporary files; a connection that was opened keeps what it has."""
        self._builder.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _reopened(self, allowed: ReadOnlyFiles) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(self._file), read_only=True)
        if SCHEME not in connection.list_filesystems():
            connection.register_filesystem(allowed)
        if self._pack is not None:
            connection.execute(f"ATTACH {quoted(str(self._pack))} AS settled (READ_ONLY)")
        return connection

    def _gather(self, cache: Path | None) -> None:
        """Bring the small tables of cached races in: from a pack where there are many, else one by one."""
        if cache is not None and len(self.cached) > PACK_ABOVE:
            with suppress(OSError, duckdb.Error):
                self._pack = packed(cache, self.cached)
        insert_cached(self._builder, self.parts)
        if self._pack is None:
            insert_cached(self._builder, self.cached)
        else:
            self._builder.execute(f"ATTACH {quoted(str(self._pack))} AS settled (READ_ONLY)")

    def _create_views(self, names: Sequence[str]) -> None:
        """Turn each table whose rows lie elsewhere too into a view over all of them."""
        elsewhere = {table: f"settled.{PACKED}{table}" for table in TABLES if self._pack is not None}
        elsewhere.pop(BIG, None)
        if names:
            elsewhere[BIG] = cached_rows(names)
        if elsewhere:
            self._builder.execute("CREATE SCHEMA live")
        for table, source in elsewhere.items():
            listed = ", ".join(column.name for column in TABLES[table])
            for statement in (
                f"CREATE TABLE live.live_{table} AS FROM {table}",
                f"DROP TABLE {table}",
                f"CREATE VIEW {table} AS SELECT {listed} FROM {source} UNION ALL FROM live.live_{table}",  # noqa: S608 - our own names
            ):
                self._builder.execute(statement)
        comment_columns(self._builder, elsewhere)


def file_name(race: CachedRace) -> str:
    """Return the name of a race's big file, with the race's id before it where DuckDB reads it back as it is.

    So a query about one race opens that race's file alone: the others are ruled out by their names.
    """
    race_id = race.entry.race_id
    return f"race_id={race_id}/{race.name}.parquet" if _PLAIN.fullmatch(race_id) else f"{race.name}.parquet"


def cached_rows(names: Sequence[str]) -> str:
    """Return what stands for the rows of the big files of these names in a FROM."""
    listed = ", ".join(column.name for column in TABLES[BIG])
    by_race = [quoted(address(name)) for name in names if "/" in name]
    others = [quoted(address(name)) for name in names if "/" not in name]
    sources = []
    if by_race:
        hive = "hive_partitioning = true, hive_types = {'race_id': VARCHAR}"
        sources.append(f"SELECT {listed} FROM read_parquet([{', '.join(by_race)}], {hive})")  # noqa: S608 - our own names
    if others:
        sources.append(f"SELECT {listed} FROM read_parquet([{', '.join(others)}])")  # noqa: S608 - our own names
    return f"({' UNION ALL '.join(sources)})"


def insert_cached(
    connection: duckdb.DuckDBPyConnection, races: Sequence[CachedRace], prefix: str = ""
) -> None:
    """Copy the small tables of cached races into the tables named ``prefix`` and theirs."""
    for table in TABLES:
        files = [quoted(str(file)) for race in races if (file := race.file(table)) is not None]
        if files and table != BIG:
            query = f"INSERT INTO {prefix}{table} BY NAME FROM read_parquet([{', '.join(files)}])"
            connection.execute(query)


def packed(cache: Path, races: Sequence[CachedRace]) -> Path:
    """Return a database with the small tables of exactly these races, made if it is not there yet.

    Cost: about a second per thousand races the first time, nothing after.

    Raises:
        OSError: the cache cannot be written.
        duckdb.Error: it is full, or a cached file vanished under our hands.
    """
    names = "\n".join(sorted(race.name for race in races))
    target = cache / f"{hashlib.blake2b(names.encode(), digest_size=12).hexdigest()}{PACK_SUFFIX}"
    if target.exists():
        os.utime(target)
        return target
    with replaced(target, durable=False) as partial, duckdb.connect(str(partial)) as connection:
        create_tables(connection, PACKED)
        insert_cached(connection, races, PACKED)
    packs = sorted(cache.glob(f"*{PACK_SUFFIX}"), key=lambda pack: pack.stat().st_mtime, reverse=True)
    for old in packs[_PACKS_KEPT:]:
        old.unlink(missing_ok=True)
    return target
