"""Values that Python has no room for, as texts: infinite dates, nanoseconds, months, in lists and structs too.

Python's `datetime` ends at microseconds and the year 9999, `timedelta` knows no months. A column of such a type is asked
for as DuckDB writes it, which is exact, and DuckDB reads back.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import duckdb

TIMES = frozenset(
    {"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"}
)  # fmt: skip
AS_TEXT = TIMES | {"TIME_NS", "INTERVAL"}

Told = Callable[[Any], Any]

_CALENDAR = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?([+-]\d\d)?(:\d\d)?(:\d\d)?")


def projection(query: str, types: Sequence[Any]) -> str | None:
    """Return ``query``, one statement without a semicolon, with texts for what Python has no room for; None if all has room."""
    asked = [_asked(kind) for kind in types]
    if not any(asked):
        return None
    names = [f"c{place}" for place in range(len(types))]
    columns = (
        name if kind is None else f"CAST({name} AS {kind})" for name, kind in zip(names, asked, strict=True)
    )
    return f"SELECT {', '.join(columns)} FROM (\n{query}\n) AS asked({', '.join(names)})"  # noqa: S608 - the user's own query


def telling(types: Sequence[Any]) -> list[Told | None]:
    """Return for each column what makes ISO 8601 of its texts; None where there is nothing to do."""
    return [_told(_type(kind)) if _asked(kind) else None for kind in types]


def _type(kind: Any) -> Any:
    """Return a type with its children; one that is only named is parsed."""
    return duckdb.type(kind) if isinstance(kind, str) else kind


def _asked(kind: Any) -> str | None:
    """Return the type to ask for instead of ``kind``; None if Python has room for it."""
    wanted = _written(_type(kind))
    return None if wanted == str(kind) else wanted


def _written(kind: Any) -> str:
    """Return a type as SQL writes it, with VARCHAR for each that Python has no room for."""
    name = str(kind)
    if name in AS_TEXT or not any(one in name for one in AS_TEXT):
        return "VARCHAR" if name in AS_TEXT else name
    return _written_around(kind)


def _written_around(kind: Any) -> str:
    """Return a type with others inside, or one whose name only looks so, as SQL writes it."""
    if kind.id == "list":
        return f"{_written(kind.children[0][1])}[]"
    if kind.id == "array":
        return f"{_written(kind.children[0][1])}[{kind.children[1][1]}]"
    if kind.id == "map":
        return f"MAP({', '.join(_written(child) for _, child in kind.children)})"
    if kind.id == "struct" and kind.children:
        return f"STRUCT({', '.join(f'{_quoted(field)} {_written(child)}' for field, child in kind.children)})"
    return str(kind) if kind.id == "enum" else "VARCHAR"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _told(kind: Any) -> Told:
    """Return what tells a value of a type for which texts were asked."""
    if str(kind) in TIMES:
        return iso
    if kind.id in ("list", "array"):
        inner = _told(kind.children[0][1])
        return lambda value: None if value is None else [inner(item) for item in value]
    if kind.id == "map":
        key, item = (_told(child) for _, child in kind.children)
        return lambda value: None if value is None else {key(k): item(v) for k, v in value.items()}
    if kind.id == "struct":
        fields = {field: _told(child) for field, child in kind.children}
        return lambda value: None if value is None else {k: fields[k](v) for k, v in value.items()}
    return lambda value: value


def iso(text: str | None) -> str | None:
    """Return an instant as ISO 8601 writes it; one before the year 1, after 9999 or infinite stays as DuckDB says it."""
    found = None if text is None else _CALENDAR.fullmatch(text)
    if text is None or found is None:
        return text
    day, time, fraction, hours, minutes, seconds = found.groups()
    return (
        f"{day}T{time}"
        + (f".{fraction:0<6}" if fraction else "")
        + (f"{hours}{minutes or ':00'}{seconds or ''}" if hours else "")
    )
