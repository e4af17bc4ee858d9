"""Races' rows kept as Parquet, so that a log is folded once and not at every question.

    <home>/cache/v<projection>-<columns>/<path>-<state>/    one race: <table>.parquet for each table with rows, entry.json
    <home>/cache/v<projection>-<columns>/<path>-growing/    one that still grows: racelog.query.incremental.store

A race's folder is named by its log's path and by what the file system says of every file of it (inode, size, both
times), so a log that changed in any way has another name and is folded anew. Folders are written beside their place
and renamed into it, so that two processes at once agree; all of it can be deleted at any time.
"""

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import msgspec

from racelog.display.text import name_as_text
from racelog.home import own_folder
from racelog.log.read.reader import RaceLog
from racelog.log.read.scan import log_files
from racelog.log.write.atomic import PARTIAL_PREFIX, move, partial_beside
from racelog.log.write.os_errors import refusal_in
from racelog.plugins import releases
from racelog.query.contract.tables import TABLES, Batch, create_tables

PROJECTION = 4
"""Raised whenever a column is computed differently; every cached race is then folded anew, as when columns are added."""

ENTRY = "entry.json"
GROWING = "-growing"
GRACE_S = 3600
"""What was replaced is kept for an hour: another process may still be reading it."""

BIG = "tokens"
"""The one table that is never copied: a view over the races' own files."""

MAGIC = b"PAR1"
"""What a Parquet file ends with."""

PACK_SUFFIX = ".pack.duckdb"

QUIET_S = 60
"""A log without an end that nobody has written to for this long belongs to a recorder that was killed."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One cached race: whose it is, what is missing from its log, and the size of each table's file."""

    race_id: str
    path: str
    problems: list[str]
    bytes: dict[str, int]


NO_UTF_8 = "its path is not UTF-8, and DuckDB takes no other; choose another folder"


@dataclass(frozen=True, slots=True)
class CachedRace:
    """A cached race and the folder it lies in."""

    folder: Path
    entry: Entry

    @property
    def name(self) -> str:
        """What distinguishes this state of this race from every other."""
        return self.folder.name

    def file(self, table: str) -> Path | None:
        """Return the file with a table's rows; None when it has none."""
        return self.folder / f"{table}.parquet" if table in self.entry.bytes else None


class Cache:
    """The cache of one home. A cache that cannot be read is empty; one that cannot be written stays as it is."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "cache" / f"v{PROJECTION}-{_layout()}{_rules()}"

    def name(self, path: Path) -> str:
        """Return the name of the race at ``path`` in its present state. Cost: one stat a file.

        Raises:
            RaceNotFound: there is nothing at ``path``.
            OSError: a file cannot be looked at.
        """
        state = hashlib.blake2b(digest_size=12)
        for file in log_files(path):
            seen = file.stat()
            facts = (file.name, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
            state.update(repr(facts).encode())
        return f"{_path_name(path)}-{state.hexdigest()}"

    def find(self, name: str) -> CachedRace | None:
        """Return the cached race of that name if it is there and whole."""
        folder = self.folder / name
        try:
            entry = msgspec.json.decode((folder / ENTRY).read_bytes(), type=Entry)
            whole = all((folder / f"{table}.parquet").stat().st_size == n for table, n in entry.bytes.items())
            whole = whole and (BIG not in entry.bytes or _has_end(folder / f"{BIG}.parquet"))
        except (OSError, msgspec.DecodeError):
            return None
        return CachedRace(folder, entry) if whole and entry.bytes.keys() <= TABLES.keys() else None

    def keep(self, name: str, path: Path, batches: list[Batch], problems: list[str]) -> CachedRace:
        """Write a race's rows; return them as cached. Whoever keeps the same race at once writes the same.

        Raises:
            LogError: a value does not fit its column.
            OSError: the cache cannot be written.
        """
        own_folder(self.folder)
        partial = partial_beside(self.folder / name)
        partial.mkdir(mode=0o700)
        try:
            sizes = write_tables(partial, batches)
            entry = Entry(
                race_id=batches[0][1]["race_id"][0],
                path=name_as_text(str(path)),
                problems=problems,
                bytes=sizes,
            )
            (partial / ENTRY).write_bytes(msgspec.json.encode(entry))
            self._take_place(partial, name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        self._sweep(name)
        return CachedRace(self.folder / name, entry)

    def drop_broken(self, races: Iterable[CachedRace]) -> bool:
        """Remove the packs, and those of ``races`` whose rows cannot be read; return whether anything went.

        Cost: every row of the races but tokens, of which the files' ends alone.
        """
        packs = list(self.folder.glob(f"*{PACK_SUFFIX}"))
        for pack in packs:
            with suppress(OSError):
                pack.unlink()
        broken = [race.folder for race in races if not _is_readable(race)]
        for folder in broken:
            shutil.rmtree(folder, ignore_errors=True)
        return any(not gone.exists() for gone in (*packs, *broken))

    def _take_place(self, partial: Path, name: str) -> None:
        """Rename ``partial`` into place, unless another process was first; a broken folder there makes way."""
        target = self.folder / name
        if target.exists() and self.find(name) is None:
            shutil.rmtree(target, ignore_errors=True)
        try:
            move(partial, target, durable=False)
        except OSError:
            if self.find(name) is None:
                raise

    def growing(self, path: Path) -> Path:
        """Return the folder for what is kept of the race at ``path`` while it grows (`racelog.query.incremental.store`)."""
        return self.folder / f"{_path_name(path)}{GROWING}"

    def _sweep(self, name: str) -> None:
        """Remove earlier states of this race, what races kept while they grew, and what crashed writers left."""
        sweep(
            folder
            for pattern in (f"{name.partition('-')[0]}-*", f"*{GROWING}", f"{PARTIAL_PREFIX}*")
            for folder in self.folder.glob(pattern)
            if folder.name != name
        )


def sweep(folders: Iterable[Path]) -> None:
    """Remove ``folders`` that nobody can be reading any more."""
    before = time.time() - GRACE_S
    for folder in folders:
        try:
            if folder.stat().st_mtime >= before:
                continue
            if folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)
            else:
                folder.unlink()
        except OSError:
            continue  # another process swept it


def is_settled(log: RaceLog) -> bool:
    """Return whether a log grows no more: its writers closed it, or have long been silent."""
    return log.report.finished or is_quiet(log.path)


def is_quiet(path: Path) -> bool:
    """Return whether nobody has written to the log at ``path`` for long."""
    newest = max((file.stat().st_mtime for file in log_files(path)), default=0.0)
    return time.time() - newest > QUIET_S


def write_tables(folder: Path, batches: Iterable[Batch]) -> dict[str, int]:
    """Write one Parquet file a table with rows into ``folder``; return their sizes in bytes.

    Raises:
        LogError: a value does not fit its column.
        OSError: a file cannot be written.
    """
    from racelog.query.cache.rows import append_batches  # noqa: PLC0415 - loads numpy, for which cached races have no use

    sizes = {}
    with duckdb.connect(":memory:") as connection:
        create_tables(connection)
        append_batches(connection, batches)
        for table in TABLES:
            if not connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():  # noqa: S608 - our own names
                continue
            file = folder / f"{table}.parquet"
            write_parquet(connection, table, file)
            sizes[table] = file.stat().st_size
    return sizes


def join_tables(folder: Path, parts: Sequence[Path]) -> dict[str, int]:
    """Write the rows of several folders' tables, in that order, as one file a table; return their sizes in bytes.

    Raises:
        OSError: a file cannot be read or written.
    """
    sizes = {}
    with duckdb.connect(":memory:") as connection:
        for table in TABLES:
            files = [
                quoted(taken_path(file)) for part in parts if (file := part / f"{table}.parquet").exists()
            ]
            if files:
                file = folder / f"{table}.parquet"
                write_parquet(connection, f"(FROM read_parquet([{', '.join(files)}]))", file)
                sizes[table] = file.stat().st_size
    return sizes


def write_parquet(connection: duckdb.DuckDBPyConnection, table: str, file: Path) -> None:
    """Write the rows of a table, or of a query in parentheses, in their order, zstd-compressed.

    Raises:
        OSError: the file cannot be written.
    """
    try:
        connection.execute(
            f"COPY {table} TO {quoted(taken_path(file))} (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
        )
    except duckdb.IOException as error:
        raise (refusal_in(str(error)) or OSError(str(error).strip())) from error


def _has_end(file: Path) -> bool:
    """Return whether a Parquet file ends as one: after a power failure a file may have its size and none of its bytes."""
    with file.open("rb") as opened:
        opened.seek(-len(MAGIC), os.SEEK_END)
        return opened.read() == MAGIC


def _is_readable(race: CachedRace) -> bool:
    """Return whether all rows of a cached race can be read; of tokens, whether the file has its end."""
    try:
        with duckdb.connect(":memory:") as connection:
            for table in race.entry.bytes:
                file = race.folder / f"{table}.parquet"
                if table != BIG:
                    connection.execute(f"FROM read_parquet({quoted(taken_path(file))})").fetchall()
                elif not _has_end(file):
                    return False
    except (duckdb.Error, OSError):
        return False
    return True


def taken_path(path: Path) -> str:
    """Return a path as DuckDB takes it.

    Raises:
        OSError: it is not UTF-8, as file names may be.
    """
    try:
        return str(path).encode().decode()
    except UnicodeEncodeError as error:
        raise OSError(errno.EILSEQ, NO_UTF_8) from error


def quoted(text: str) -> str:
    """Return ``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def _layout() -> str:
    """Return what distinguishes these tables and columns from others."""
    columns = [(table, column.name, column.type) for table, declared in TABLES.items() for column in declared]
    return hashlib.blake2b(repr(columns).encode(), digest_size=4).hexdigest()


def _rules() -> str:
    """Return what distinguishes rows with what other packages' rules say; nothing where there are none."""
    found = releases("racelog.rules")
    return f"-{hashlib.blake2b(repr(found).encode(), digest_size=4).hexdigest()}" if found else ""


def _path_name(path: Path) -> str:
    return hashlib.blake2b(
        str(path.absolute()).encode("utf-8", "surrogateescape"), digest_size=12
    ).hexdigest()
