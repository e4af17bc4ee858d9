"""One reading statement: checked, run where nothing can be written, and every refusal explained.

Three fences, each enough for most: the statement's kind must be one that reads; the transaction is read-only; and
the connection itself is read-only and has no way out (`racelog.query.connection.catalog`).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any, TypeVar

import duckdb

from racelog.display.text import printable
from racelog.errors import InputError
from racelog.query.connection.exact import Told, projection, telling
from racelog.query.connection.memory import out_of_memory
from racelog.query.connection.split import without_end
from racelog.query.contract.tables import TABLES

T = TypeVar("T")

ROWS_PER_FETCH = 10_000

INTERRUPT_AGAIN_S = 0.05
"""An interrupt that comes before DuckDB has begun is lost, so it is repeated this often until the query has ended."""

_SPACE = r"(?:\s|--[^\n]*\n|/\*[\s\S]*?\*/)"
_EXPLAIN = re.compile(
    rf"{_SPACE}*explain{_SPACE}+(?:analyze{_SPACE}+)?(?:\([^)]*\){_SPACE}*)?", re.IGNORECASE
)

_READING = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.MULTI})
"""Kinds that read: SELECT is also FROM, VALUES, DESCRIBE, SHOW and SUMMARIZE; MULTI is what PIVOT becomes."""

_REWRITES = {
    "Cannot write to database": "a query reads only; the logs are the truth and never change",
    "attached in read-only mode": "a query reads only; the logs are the truth and never change",
}

_BY_ERROR = "Invalid Input Error: "
"""What DuckDB puts before the words of SQL's error(): ours in `racelog.query.contract.macros` stand for themselves."""


@dataclass(frozen=True, slots=True)
class Result:
    """A statement's columns, and its rows as they are fetched; read them before running another."""

    columns: list[str]
    rows: Iterator[tuple[Any, ...]]
    explains: bool = False
    types: tuple[str, ...] = ()
    telling: tuple[Told | None, ...] = ()

    def told(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows for people and text files: what Python has no room for in ISO 8601, or as DuckDB writes it."""
        if not any(self.telling):
            yield from self.rows
            return
        for row in self.rows:
            yield tuple(
                value if told is None else told(value) for told, value in zip(self.telling, row, strict=True)
            )


def run_statement(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    unsafe: bool = False,
    exact: bool = False,
) -> Result:
    """Return the result of the one reading statement in ``query``; with ``unsafe`` of one of any kind.

    ``parameters`` are the values of ``$name`` in it. With ``exact`` a value that Python has no room for (nanoseconds,
    months, infinite dates) comes as the text that DuckDB writes of it; else as what Python makes of it. Cost: such a
    query is run twice, as far as its first rows.

    Raises:
        InputError: it is no valid SQL, not exactly one statement, or one that does more than read. Errors of a
            running query are raised while its rows are read.
    """
    with explained_errors(query, parameters):
        explains = not unsafe and _check_reading(connection, query)
        if not unsafe:
            with suppress(duckdb.TransactionException):  # there was none before
                connection.execute("ROLLBACK")
            connection.execute("BEGIN TRANSACTION READ ONLY")
        given = [dict(parameters)] if parameters else []
        _check_parameters(connection, query, parameters or {})
        cursor = _interruptible(connection, lambda: connection.execute(query, *given))
        columns = [str(column[0]) for column in cursor.description or []]
        types = tuple(column[1] for column in cursor.description or [])
        texts = projection(without_end(query), types) if exact and _gives_rows(connection, query) else None
        if texts is not None:
            cursor = _interruptible(connection, lambda: connection.execute(texts, *given))
    told = tuple(telling(types)) if texts is not None else ()
    return Result(columns, _rows(cursor, query, parameters), explains, tuple(map(str, types)), told)


def _rows(
    cursor: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any] | None
) -> Iterator[tuple[Any, ...]]:
    while True:
        with explained_errors(query, parameters):
            rows = _interruptible(cursor, lambda: cursor.fetchmany(ROWS_PER_FETCH))
        if not rows:
            return
        yield from rows


def _interruptible(connection: duckdb.DuckDBPyConnection, work: Callable[[], T]) -> T:
    """Return what ``work`` gives; Ctrl-C ends it at once, as `KeyboardInterrupt`.

    DuckDB looks for signals between its tasks alone, and a recursive query is one task: so it works in a thread of its
    own, while the thread that signals come to waits.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            outcome.set_exception(error)

    working = Thread(target=run, name="racelog-query", daemon=True)
    try:
        working.start()
        return outcome.result()
    except KeyboardInterrupt:  # wherever it came: the query may have begun before `start` returned
        while working.is_alive():
            connection.interrupt()
            working.join(INTERRUPT_AGAIN_S)
        raise


def _check_reading(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    """Raise `InputError` unless ``query`` is one statement that reads; tell whether it is an EXPLAIN."""
    statement = _only_statement(connection, query)
    if statement.type in _READING:
        return False
    kind = statement.type.name
    if statement.type == duckdb.StatementType.EXPLAIN and (found := _EXPLAIN.match(query)):
        # What is explained is judged like any other: EXPLAIN ANALYZE runs it.
        explained = _only_statement(connection, query[found.end() :])
        if explained.type in _READING:
            return True
        kind = f"EXPLAIN of {explained.type.name}"
    raise InputError(
        f"{kind} is refused: a query reads only (SELECT, FROM, WITH, VALUES, DESCRIBE, SHOW, "
        "SUMMARIZE, PIVOT, EXPLAIN)"
    )


def _gives_rows(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    """Return whether ``query`` is one statement whose rows another may ask for: what changes something runs once."""
    return [statement.type for statement in connection.extract_statements(query)] in [
        [kind] for kind in _READING
    ]


def _check_parameters(connection: duckdb.DuckDBPyConnection, query: str, given: Mapping[str, Any]) -> None:
    """Raise `InputError` unless the parameters of ``query`` are those given, by their names."""
    wanted = {
        str(name) for statement in connection.extract_statements(query) for name in statement.named_parameters
    }
    for name in sorted(filter(str.isidentifier, wanted - set(given))):
        raise InputError(f"the query's ${name} has no value; give one: -p {name}=...")
    for name in sorted(set(given) - wanted):
        there = ", ".join(f"${one}" for one in sorted(wanted)) or "none"
        raise InputError(f"the query has no parameter ${name}; there are {there}")


def _only_statement(connection: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    if not _is_text(query):
        raise InputError("the query holds bytes that are not UTF-8; convert it, for instance with iconv")
    statements = connection.extract_statements(query)
    if not statements:
        raise InputError('the query is empty; try: racelog sql "describe requests"')
    if len(statements) > 1:
        raise InputError(f"the query holds {len(statements)} statements; give one")
    return statements[0]


def _is_text(query: str) -> bool:
    """Return whether all of ``query`` was UTF-8: what was not comes from the command line as halves of surrogate pairs."""
    return not any("\ud800" <= character <= "\udfff" for character in query)


@contextmanager
def explained_errors(query: str, parameters: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Turn DuckDB's errors into an `InputError` with its message and, for an unknown name, the names there are.

    Where a value has a wrong type, the ``parameters`` that could be meant are named too.
    """
    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.OutOfMemoryException as error:
        raise InputError(out_of_memory()) from error
    except duckdb.Error as error:
        message = str(error).strip().removeprefix(_BY_ERROR)
        for sign, better in _REWRITES.items():
            if sign in message:
                raise InputError(better) from error
        raise InputError(
            printable(message + _known_names(error, query) + _meant(error, parameters or {}), newline="\n")
        ) from error


def _meant(error: duckdb.Error, parameters: Mapping[str, Any]) -> str:
    """Return the parameters that an error of types is about: those whose value it shows, else all."""
    message = str(error)
    if not isinstance(error, duckdb.ConversionException) and "No function matches" not in message:
        return ""
    shown = [name for name, value in parameters.items() if f"'{value}'" in message]
    given = ", ".join(f"${name} = {parameters[name]!r}" for name in shown or parameters)
    return f"\n\nGiven: {given}" if given else ""


def _known_names(error: duckdb.Error, query: str) -> str:
    """Return the tables, or the columns of the tables that ``query`` mentions, if ``error`` is of an unknown name."""
    message = str(error)
    if isinstance(error, duckdb.CatalogException) and "Table with name" in message:
        return f"\n\nTables: {', '.join(TABLES)}"
    if isinstance(error, duckdb.BinderException) and "column" in message.lower():
        words = set(re.findall(r"\w+", query.lower()))
        named = [table for table in TABLES if table in words]
        listed = [f"{table}({', '.join(column.name for column in TABLES[table])})" for table in named]
        return "\n\nColumns: " + "\n         ".join(listed) if listed else ""
    return ""
