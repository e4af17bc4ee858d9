"""A file a table, as CSV, JSON lines or Parquet: the SQL contract (`racelog.query.contract.tables`) outside of SQL.

DuckDB writes them, so what another reader gets is what a query gets. CSV ends lines with CRLF and leaves NULL empty;
an empty text is ``""``, so the two stay apart. Values are as they are: a text that begins with ``=`` is not changed for the sake of
spreadsheets, whose import has to be told that a column is text.
"""

from contextlib import ExitStack
from pathlib import Path

import duckdb

from racelog.display.text import json_inert
from racelog.errors import StorageError
from racelog.export.source import Source
from racelog.log.write.atomic import check_target, new_file, replaced, sync
from racelog.log.write.os_errors import refusal_in
from racelog.query.cache.cache import quoted, taken_path
from racelog.query.contract.tables import TABLES

_PIECE_CHARACTERS = 1 << 20

_OPTIONS = {
    "csv": r"FORMAT csv, HEADER true, NEW_LINE '\r\n'",
    "jsonl": "FORMAT json",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
}


def write(source: Source, folder: Path, form: str, *, force: bool = False) -> list[Path]:
    """Write ``<race id>.<table>.<form>`` for every table that has rows: all of them, or none.

    Raises:
        InputError: one of them is there already and ``force`` is not set; nothing is written.
        StorageError: a file cannot be written.
    """
    filled = [table for table in TABLES if next(source.rows(f"SELECT 1 FROM {table} LIMIT 1"), None)]  # noqa: S608 - our own names
    targets = {table: folder / f"{source.stem}.{table}.{form}" for table in filled}
    for target in targets.values():
        check_target(target, force=force)
    with ExitStack() as files:
        for table, target in targets.items():
            partial = files.enter_context(new_file(target, force=force))
            _copy(source.connection, table, partial, _OPTIONS[form])
            if form == "jsonl":
                _make_inert(partial)
            sync(partial)  # so that the disk has all of them before the first takes its name
    return list(targets.values())


def _copy(connection: duckdb.DuckDBPyConnection, table: str, file: Path, options: str) -> None:
    """Let DuckDB write a table.

    Raises:
        OSError: the system refuses.
        StorageError: it cannot be written for another reason.
    """
    try:
        connection.execute(f"COPY {table} TO {quoted(taken_path(file))} ({options})")
    except duckdb.IOException as error:
        if refused := refusal_in(str(error)):
            raise refused from error
        raise StorageError(f"cannot write {file}: {error}") from error


def _make_inert(file: Path) -> None:
    """Escape what steers a terminal in a file of JSON lines: the same values, safe to look at. Cost: one pass."""
    with (
        replaced(file, durable=False) as safe,
        file.open(encoding="utf-8", newline="") as raw,
        safe.open("w", encoding="utf-8", newline="") as out,
    ):
        while piece := raw.read(_PIECE_CHARACTERS):
            out.write(json_inert(piece))
