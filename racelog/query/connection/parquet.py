"""A query's result as Parquet: proven to hold what the query gave, by reading it back.

Parquet has no place for some of DuckDB's types, and DuckDB then writes the nearest: numbers of 128 bits as DOUBLE, an
interval without its microseconds, a time without its zone. Integers that fit go as DECIMAL(38,0); the rest is refused.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from math import isnan
from pathlib import Path
from typing import Any

import duckdb

from racelog.errors import InputError
from racelog.log.write.os_errors import refusal_in
from racelog.query.cache.cache import taken_path
from racelog.query.connection.statement import ROWS_PER_FETCH, Result, explained_errors

WIDE = frozenset({"HUGEINT", "UHUGEINT"})
"""What ``sum`` makes of integers, and what Parquet has no place for."""

KEPT = re.compile(
    r"BOOLEAN|U?(TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE|VARCHAR|BLOB|UUID|DECIMAL\(\d+,\d+\)"
)
"""Types that come back as they went; others are looked at."""

_FLOATING = re.compile(r"\b(FLOAT|DOUBLE)\b")


def write_parquet(result: Result, file: Path) -> None:
    """Write a result as Parquet with the types that the query gave its columns.

    The rows pass through Python, because the connection they come from can write nothing. ``result`` has to be an exact one.

    Raises:
        InputError: a column has a type or a value that Parquet has no place for, or two columns have one name.
        OSError: the system refuses to write the file.
    """
    names = ['"' + name.replace('"', '""') + '"' for name in result.columns]
    lower = [name.lower() for name in result.columns]
    if twice := next((name for name in result.columns if lower.count(name.lower()) > 1), None):
        raise InputError(
            f"two columns are called {twice!r}, which Parquet cannot tell apart; name one: AS {twice}_2"
        )
    kinds = ["DECIMAL(38,0)" if kind in WIDE else kind for kind in result.types]
    declared = ", ".join(f"{name} {kind}" for name, kind in zip(names, kinds, strict=True))
    cast = ", ".join(f"CAST(c{place} AS {kind})" for place, kind in enumerate(kinds))
    textual = [_FLOATING.search(kind) is not None for kind in kinds]
    with duckdb.connect(":memory:") as writer:
        with explained_errors(""):
            writer.execute(f"CREATE TABLE rows ({declared})")
        for batch in _batches(result.rows):
            columns = zip(textual, zip(*batch, strict=True), strict=True)
            told = {f"c{place}": _as_objects(*column) for place, column in enumerate(columns)}
            try:
                writer.register("batch", told)
                writer.execute(f"INSERT INTO rows SELECT {cast} FROM batch")  # noqa: S608 - types as DuckDB names them
            except duckdb.Error as error:
                raise _unfit(writer, told, kinds, result) from error
        _copy(writer, file)
        _prove(writer, file, result)


def _batches(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    return iter(lambda: list(islice(rows, ROWS_PER_FETCH)), [])


def _unfit(
    writer: duckdb.DuckDBPyConnection, told: dict[str, Any], kinds: Sequence[str], result: Result
) -> InputError:
    """Return the error for rows that do not fit their columns: it names the first such column."""
    for place, (name, objects) in enumerate(told.items()):
        try:
            writer.register("one", {name: objects})
            writer.execute(f"SELECT CAST({name} AS {kinds[place]}) FROM one").fetchall()  # noqa: S608 - as above
        except duckdb.Error:
            return _refused(result.columns[place], result.types[place])
    return InputError("Parquet has no place for this result")


def _refused(name: str, kind: str) -> InputError:
    return InputError(
        f"{name!r} is {kind}, which Parquet cannot hold as it is; cast it in the query: {name}::VARCHAR"
    )


def _copy(writer: duckdb.DuckDBPyConnection, file: Path) -> None:
    try:
        writer.execute("COPY rows TO ? (FORMAT parquet, COMPRESSION zstd)", [taken_path(file)])
    except duckdb.Error as error:
        if refused := refusal_in(str(error)):
            raise refused from error
        raise InputError(f"Parquet has no place for this result: {_reason(error)}") from error


def _reason(error: duckdb.Error) -> str:
    return str(error).partition(": ")[2] or str(error)


def _prove(writer: duckdb.DuckDBPyConnection, file: Path, result: Result) -> None:
    """Read back each column whose type is not known to be kept.

    Raises:
        InputError: one holds something else now; the message names it and the way out.
    """
    for name, kind in zip(result.columns, result.types, strict=True):
        if KEPT.fullmatch(kind) or kind in WIDE:
            continue
        column = '"' + name.replace('"', '""') + '"'
        query = f"SELECT CAST({column} AS VARCHAR) FROM "  # noqa: S608 - a column of our own table
        written = writer.cursor().execute(query + "rows")
        read = writer.cursor().execute(query + "read_parquet(?)", [str(file)])
        while (wanted := written.fetchmany(ROWS_PER_FETCH)) == read.fetchmany(ROWS_PER_FETCH):
            if not wanted:
                break
        else:
            raise _refused(name, kind)


def _as_objects(textual: bool, values: Sequence[Any]) -> Any:  # noqa: FBT001 - one of two things a column is
    import numpy as np  # noqa: PLC0415 - only Parquet needs it

    # DuckDB takes a NaN among Python's objects for NULL, be it in a list; as text it is one.
    told: Callable[[Any], Any] = (
        _nan_as_text if textual and any(map(_holds_nan, values)) else lambda value: value
    )
    column = np.empty(
        len(values), dtype=object
    )  # filled one by one: lists of one length must not become a matrix
    for row, value in enumerate(values):
        column[row] = told(value)
    return column


def _holds_nan(value: Any) -> bool:
    if isinstance(value, float):
        return isnan(value)
    if isinstance(value, dict):
        return any(map(_holds_nan, value.values()))
    return isinstance(value, list | tuple) and any(map(_holds_nan, value))


def _nan_as_text(value: Any) -> Any:
    """Return a value with texts for its floats, which are cast back without a loss."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {key: _nan_as_text(item) for key, item in value.items()}
    return [_nan_as_text(item) for item in value] if isinstance(value, list | tuple) else value
