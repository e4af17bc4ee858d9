"""Printing results: aligned tables for people, exact bytes for programs, and nothing a terminal would obey."""

import shutil
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import click

from racelog.display.cells import cut, flat, shortened
from racelog.display.cells import width as cells
from racelog.display.text import json_inert, printable
from racelog.urls import without_url_secrets

GUTTER = "  "
MISSING = "-"
WRITE_CHARACTERS = 1 << 16
NARROWEST = 8
"""A text column is not cut below this many cells; what still does not fit runs over the edge."""
NARROWEST_NAME = 12
"""A column of engines' names, likewise: of both their ends something must stay."""


class Heading(NamedTuple):
    """A column of a printed table: its title, whether it holds numbers (set right), whether it is never cut.

    Where a table does not fit, those that give way are left out, the highest first; 0 stays. Of ``names`` the middle is
    cut, not the end.
    """

    title: str
    right: bool = False
    whole: bool = False
    gives_way: int = 0
    names: bool = False

    @property
    def least(self) -> int:
        """Below how many cells a text is not cut."""
        return NARROWEST_NAME if self.names else NARROWEST


def terminal_width() -> int | None:
    """Return the terminal's width in cells, or None when standard output is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def emit(text: str) -> None:
    """Write ``text`` to standard output: byte for byte to a file or pipe, made inert first on a terminal."""
    click.echo(
        printable(text, newline="\n") if sys.stdout.isatty() else text.encode(errors="surrogateescape"),
        nl=False,
    )


def emit_pieces(pieces: Iterable[str]) -> None:
    """Write many short texts as `emit` does, gathered into few writes."""
    gathered: list[str] = []
    size = 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= WRITE_CHARACTERS:
            emit("".join(gathered))
            gathered, size = [], 0
    emit("".join(gathered))


def emit_json(value: Any) -> None:
    """Write ``value`` (structs, dataclasses and plain containers) as indented JSON."""
    import msgspec  # noqa: PLC0415 - commands that print no JSON need not load it

    emit(json_inert(msgspec.json.format(_encoded(value), indent=2).decode()) + "\n")


def _encoded(value: Any) -> bytes:
    """Return ``value`` as JSON; half characters in it, as of a file's name that is not UTF-8, are replaced."""
    import json  # noqa: PLC0415 - as above

    import msgspec  # noqa: PLC0415 - as above

    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        plain = json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
        return plain.encode("utf-8", "replace")


def warn(problem: str) -> None:
    """Write one line to standard error, where everything goes that is no result."""
    click.echo(f"racelog: {printable(without_url_secrets(problem))}", err=True)


def table_lines(
    headings: Sequence[Heading], rows: Sequence[Sequence[str | None]], width: int | None = None
) -> list[str]:
    """Return a table as lines: header, rule, rows. None is shown as a dim dash.

    Texts are made inert here. With a ``width`` the widest texts are cut until a line fits, then columns that give way
    are left out and named below. Styles are ANSI codes, which `click.echo` drops where there is no terminal.
    """
    left_out: list[str] = []
    while width is not None and narrowest_table(headings, rows) > width:
        last = max(range(len(headings)), key=lambda column: headings[column].gives_way)
        if not headings[last].gives_way:
            break
        left_out.append(headings[last].title)
        headings = [*headings[:last], *headings[last + 1 :]]
        rows = [[*row[:last], *row[last + 1 :]] for row in rows]
    told = [click.style(cut(f"no room for: {', '.join(left_out)}", width or 0), dim=True)] if left_out else []
    return [*_lines(headings, rows, width), *told]


def _lines(headings: Sequence[Heading], rows: Sequence[Sequence[str | None]], width: int | None) -> list[str]:
    shown = [[MISSING if value is None else flat(value) for value in row] for row in rows]
    titles = [flat(heading.title) for heading in headings]
    widths = [
        max([cells(title), *(cells(row[column]) for row in shown)]) for column, title in enumerate(titles)
    ]
    if width is not None:
        widths = _fitted(widths, headings, width)
    lines = [
        click.style(_line(titles, headings, widths).rstrip(), bold=True),
        click.style(GUTTER.join("─" * size for size in widths), dim=True),
    ]
    for row, values in zip(shown, rows, strict=True):
        dimmed = [value is None for value in values]
        lines.append(_line(row, headings, widths, dimmed).rstrip())
    return lines


def narrowest_table(headings: Sequence[Heading], rows: Sequence[Sequence[str | None]]) -> int:
    """Return how many cells `table_lines` needs at least: numbers are never cut, texts to `NARROWEST`."""
    widths = [
        max([cells(flat(heading.title)), *(cells(flat(row[column] or MISSING)) for row in rows)])
        for column, heading in enumerate(headings)
    ]
    kept = (
        width if heading.right or heading.whole else min(width, heading.least)
        for heading, width in zip(headings, widths, strict=True)
    )
    return sum(kept) + len(GUTTER) * (len(widths) - 1)


def _fitted(widths: list[int], headings: Sequence[Heading], total: int) -> list[int]:
    """Return column widths for a line of ``total`` cells, taken from the widest texts."""
    fitted = list(widths)
    texts = [column for column, heading in enumerate(headings) if not (heading.right or heading.whole)]
    over = sum(fitted) + len(GUTTER) * (len(fitted) - 1) - total
    while over > 0 and texts:
        widest = max(texts, key=fitted.__getitem__)
        least = headings[widest].least
        if fitted[widest] <= least:
            break
        second = max((fitted[column] for column in texts if column != widest), default=0)
        step = min(over, max(1, fitted[widest] - max(second, least)))
        fitted[widest] -= step
        over -= step
    return fitted


def _line(
    values: Sequence[str], headings: Sequence[Heading], widths: Sequence[int], dimmed: Sequence[bool] = ()
) -> str:
    padded = []
    for column, (value, heading, width) in enumerate(zip(values, headings, widths, strict=True)):
        fitting = value if heading.right else (shortened if heading.names else cut)(value, width)
        space = " " * (width - cells(fitting))
        styled = click.style(fitting, dim=True) if dimmed and dimmed[column] else fitting
        padded.append(space + styled if heading.right else styled + space)
    return GUTTER.join(padded)


def plain_json(value: Any) -> str:
    """Return ``value`` as JSON on one line; it must consist of what JSON knows. A `Decimal` is a number with all its digits."""
    import json  # noqa: PLC0415 - not needed for --help

    try:
        return json_inert(json.dumps(value, ensure_ascii=False, allow_nan=False))
    except TypeError:
        return _json_with_decimals(value)


def _json_with_decimals(value: Any) -> str:
    """Return ``value`` as `plain_json` does, where `json` has no way to write a number of any length."""
    if isinstance(value, dict):
        inside = (f"{plain_json(key)}: {_json_with_decimals(item)}" for key, item in value.items())
        return "{" + ", ".join(inside) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_json_with_decimals, value))}]"
    return f"{value:f}" if isinstance(value, Decimal) else plain_json(value)
