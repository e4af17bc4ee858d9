"""Rows of a query in the forms that ``racelog sql`` prints. Pure: rows in, text out."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from racelog.console.output import Heading, narrowest_table, plain_json, table_lines
from racelog.display.text import counted, markdown_escaped, printable

Row = tuple[Any, ...]

_QUOTED_IN_CSV = frozenset(',"\r\n')

MOST_DECIMALS = 3
"""A table shows a thousandth; csv and json give every digit."""


def as_table(columns: Sequence[str], rows: Iterable[Row], width: int | None) -> Iterator[str]:
    """Yield an aligned table for people; numbers right, texts cut to ``width`` if one is given.

    Where even cut texts do not fit, each row is a block with a line a column.
    """
    kept = list(rows)
    by_column = [[row[index] for row in kept] for index in range(len(columns))]
    numeric = [_is_numeric(values) for values in by_column]
    texts = [_column_texts(values) for values in by_column]
    headings = [Heading(name, right) for name, right in zip(columns, numeric, strict=True)]
    shown = list(zip(*texts, strict=True)) if kept else []
    if width is not None and kept and narrowest_table(headings, shown) > width:
        yield from _row_by_row(columns, shown, width)
        return
    for line in table_lines(headings, shown, width):
        yield line + "\n"


def _row_by_row(columns: Sequence[str], rows: Sequence[Sequence[str | None]], width: int) -> Iterator[str]:
    """Yield each row as a block, a line a column: for a terminal too narrow for the table."""
    headings = [Heading("column", whole=True), Heading("value")]
    for number, row in enumerate(rows, 1):
        _, rule, *lines = table_lines(headings, list(zip(columns, row, strict=True)), width)
        yield f"row {number} of {len(rows)}\n" + rule + "\n"
        yield from (f"{line}\n" for line in lines)
        yield "\n" if number < len(rows) else ""


def as_csv(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """Yield RFC 4180 records, header first, lines ended by CRLF; NULL is an empty field, an empty text is ``""``."""
    yield _csv_record(columns)
    for row in rows:
        yield _csv_record([None if value is None else exact_text(value) for value in row])


def _csv_record(values: Sequence[str | None]) -> str:
    return ",".join(map(_csv_field, values)) + "\r\n"


def _csv_field(value: str | None) -> str:
    """Return one field; the `csv` module cannot tell NULL from an empty text."""
    if value is None:
        return ""
    if value and not _QUOTED_IN_CSV.intersection(value):
        return value
    return '"' + value.replace('"', '""') + '"'


def as_json(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """Yield an array with one object per row, a line each; NULL, NaN and infinities are null."""
    names = distinct(columns)
    separator = "[\n  "
    for row in rows:
        yield separator + plain_json(dict(zip(names, map(plain, row), strict=True)))
        separator = ",\n  "
    yield "[]\n" if separator.startswith("[") else "\n]\n"


def as_json_lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """Yield one object per row, a line each; NULL, NaN and infinities are null."""
    names = distinct(columns)
    for row in rows:
        yield plain_json(dict(zip(names, map(plain, row), strict=True))) + "\n"


def as_markdown(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """Yield a GitHub table; no text can leave its cell, be markup or link; line breaks become spaces, numbers are right."""
    kept = list(rows)
    by_column = [[row[index] for row in kept] for index in range(len(columns))]
    texts = [_column_texts(values) for values in by_column]
    yield _markdown_row(columns)
    yield _markdown_row(["---:" if _is_numeric(values) else "---" for values in by_column])
    for row in zip(*texts, strict=True):
        yield _markdown_row(["" if text is None else text for text in row])


Form = Callable[[Sequence[str], Iterable[Row]], Iterator[str]]
FORMS: dict[str, Form] = {"csv": as_csv, "json": as_json, "jsonl": as_json_lines, "md": as_markdown}
"""The forms that need no terminal."""


def distinct(names: Sequence[str]) -> list[str]:
    """Return ``names`` with ``_2``, ``_3`` ... after a repeated one, so that an object can hold them all.

    A name that stands there once, or for the first time, stays: ``x, x, x_2`` are ``x, x_3, x_2``.
    """
    given, taken = set(names), set[str]()
    result = []
    for name in names:
        unique, number = name, 1
        while unique in taken or (number > 1 and unique in given):
            number += 1
            unique = f"{name}_{number}"
        taken.add(unique)
        result.append(unique)
    return result


class OddNumbers:
    """Counts what JSON has no number for, NaN and infinities, in rows that pass: each is null there.

    ``types`` are the columns' as DuckDB names them; ``inside`` looks only into lists, maps and structs, as for csv, where
    a number of its own is kept.
    """

    def __init__(self, columns: Sequence[str], types: Sequence[str], *, inside: bool) -> None:
        floating = [place for place, kind in enumerate(types) if "DOUBLE" in kind or "FLOAT" in kind]
        self._places = [place for place in floating if not inside or types[place] not in ("DOUBLE", "FLOAT")]
        self._columns = columns
        self._met = dict.fromkeys(self._places, 0)

    def passing(self, rows: Iterable[Row]) -> Iterable[Row]:
        """Return the rows, counted as they pass."""
        return self._counted(rows) if self._places else rows

    def _counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            for place in self._places:
                self._met[place] += _odd_in(row[place])
            yield row

    def told(self) -> str:
        """Return a line about what was met; empty if nothing was."""
        met = {self._columns[place]: count for place, count in self._met.items() if count}
        if not met:
            return ""
        values = counted(sum(met.values()), "value")
        return f"{values} of {', '.join(met)} NaN or infinite, which JSON has no number for: null stands there; keep them as text: {next(iter(met))}::VARCHAR"


def _odd_in(value: Any) -> int:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return sum(map(_odd_in, value.values()))
    return sum(map(_odd_in, value)) if isinstance(value, list | tuple) else 0


def plain(value: Any) -> Any:
    """Return ``value`` as JSON has it: decimals as numbers, times as ISO 8601, what is no number as null."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | Decimal):
        return _plain_number(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _plain_number(value: float | Decimal) -> float | Decimal | None:
    """Return a number with all its digits: a decimal that a float's own text would round stays one."""
    if not math.isfinite(value):
        return None
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value if isinstance(value, Decimal) and Decimal(repr(float(value))) != value else float(value)


def exact_text(value: Any) -> str:
    """Return ``value`` in full, as csv has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float):
        return str(value)
    simple = plain(value)
    return simple if isinstance(simple, str) else plain_json(simple)


def _is_numeric(values: Sequence[Any]) -> bool:
    present = [value for value in values if value is not None]
    return bool(present) and all(
        isinstance(value, int | float | Decimal) and not isinstance(value, bool) for value in present
    )


def _column_texts(values: Sequence[Any]) -> list[str | None]:
    """Return a column for people: all its fractions with as many decimals as the longest needs, at most three."""
    if not _is_numeric(values):
        return [None if value is None else exact_text(value) for value in values]
    decimals = max((_decimals(value) for value in values if value is not None), default=0)
    return [None if value is None else _number_text(value, decimals) for value in values]


def _decimals(value: Any) -> int:
    """Return how many decimals ``value`` needs, 1 to `MOST_DECIMALS` for a fraction's type, 0 for integers."""
    if isinstance(value, int) or not math.isfinite(value):
        return 0
    digits = f"{value:.{MOST_DECIMALS}f}".partition(".")[2].rstrip("0")
    return max(1, len(digits))


def _number_text(value: Any, decimals: int) -> str:
    if isinstance(value, int) or not math.isfinite(value):
        return str(value)
    if value and abs(value) < 10**-MOST_DECIMALS:
        return f"{value:.2g}"  # rounding would show a small number as none
    return f"{value:.{decimals}f}"


def _markdown_row(values: Sequence[str]) -> str:
    return f"| {' | '.join(map(_markdown_text, values))} |\n"


def _markdown_text(text: str) -> str:
    """Return ``text`` as Markdown shows it letter by letter; what does no harm in a cell (names' underscores) stays."""
    return markdown_escaped(printable(text), "\\`*<|~").replace("](", "]\\(")
