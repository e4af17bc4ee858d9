"""A file a table, as CSV, JSON lines or Parquet: the SQL contract (`racelog.query.tables`) outside of SQL.

DuckDB writes them, so what another reader gets is what a query gets. CSV ends lines with CRLF and leaves NULL empty;
an empty text is ``""``, so the two stay apart.
"""

from pathlib import Path

import duckdb

from racelog.errors import StorageError
from racelog.export.source import Source
from racelog.log.publish import check_target, new_file
from racelog.query.cache import quoted
from racelog.query.tables import TABLES

_OPTIONS = {
    "csv": r"FORMAT csv, HEADER true, NEW_LINE '\r\n'",
    "jsonl": "FORMAT json",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
}


def write(source: Source, folder: Path, form: str, *, force: bool = False) -> list[Path]:
    """Write ``<race id>.<table>.<form>`` for every table that has rows.

    Raises:
        InputError: one of them is there already and ``force`` is not set; nothing is written.
        StorageError: a file cannot be written.
    """
    filled = [table for table in TABLES if next(source.rows(f"SELECT 1 FROM {table} LIMIT 1"), None)]  # noqa: S608 - our own names
    targets = {table: folder / f"{source.stem}.{table}.{form}" for table in filled}
    for target in targets.values():
        check_target(target, force=force)
    for table, target in targets.items():
        with new_file(target, force=force) as partial:
            _copy(source.connection, table, partial, _OPTIONS[form])
    return list(targets.values())


def _copy(connection: duckdb.DuckDBPyConnection, table: str, file: Path, options: str) -> None:
    try:
        connection.execute(f"COPY {table} TO {quoted(str(file))} ({options})")
    except duckdb.IOException as error:
        raise StorageError(f"cannot write {file}: {error}") from error
