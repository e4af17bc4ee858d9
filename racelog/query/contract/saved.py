"""Saved queries: ``racelog sql @NAME``. Each is a file of SQL whose first comment says what it answers and why.

A line ``-- $name = value`` declares a parameter with its default; ``--param name=value`` gives another.
"""

import re
from dataclasses import dataclass
from importlib.resources import files
from textwrap import wrap
from typing import Any

from racelog.errors import InputError

_PARAMETER = re.compile(r"^-- \$(\w+) = (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """One saved query: its name, what it answers, its SQL and its parameters' defaults."""

    name: str
    explanation: str
    sql: str
    parameters: dict[str, Any]


def saved_queries() -> dict[str, SavedQuery]:
    """Return every saved query by name, in alphabetical order."""
    folder = files("racelog.query") / "saved_queries"
    names = sorted(
        entry.name.removesuffix(".sql") for entry in folder.iterdir() if entry.name.endswith(".sql")
    )
    return {name: _parsed(name, (folder / f"{name}.sql").read_text(encoding="utf-8")) for name in names}


def saved_query(name: str) -> SavedQuery:
    """Return one saved query.

    Raises:
        InputError: there is none of that name; the message lists them.
    """
    queries = saved_queries()
    if name not in queries:
        listed = "\n".join(f"  {line}" for line in listing())
        raise InputError(f"no saved query @{name}; there are\n{listed}")
    return queries[name]


def listing(width: int | None = None) -> list[str]:
    """Return a line for each saved query: its name, what it answers, and the parameters that it takes.

    What is longer than ``width`` goes on in lines below, set in.
    """
    lines: list[str] = []
    for query in saved_queries().values():
        takes = ", ".join(f"{name}={value}" for name, value in query.parameters.items())
        line = f"@{query.name:22} {query.explanation}{f' ({takes})' if takes else ''}"
        lines += [line] if width is None else wrap(line, max(width, 60), subsequent_indent=" " * 24)
    return lines


def assigned(text: str) -> tuple[str, Any]:
    """Return the name and value of ``NAME=VALUE``.

    Raises:
        InputError: it is no such thing.
    """
    name, given, value = text.partition("=")
    if not given or not name.isidentifier():
        raise InputError(f"{text!r} is no NAME=VALUE, such as ttft_ms=500")
    return name, value_of(value)


def bound(query: SavedQuery, given: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a saved query's parameters: those given, else the defaults.

    Raises:
        InputError: one was given that the query does not have.
    """
    if unknown := sorted(set(given) - set(query.parameters)):
        there = ", ".join(f"{name} ({value!r})" for name, value in query.parameters.items()) or "none"
        raise InputError(f"@{query.name} has no parameter {unknown[0]!r}; there are {there}")
    return {**query.parameters, **given}


def value_of(text: str) -> Any:
    """Return a parameter's value as it is meant: an integer, a number, else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _parsed(name: str, sql: str) -> SavedQuery:
    explanation = []
    for line in sql.splitlines():
        if not line.startswith("-- ") or line.startswith("-- $"):
            break
        explanation.append(line.removeprefix("-- "))
    parameters = {key: value_of(value.strip()) for key, value in _PARAMETER.findall(sql)}
    return SavedQuery(name, " ".join(explanation), sql, parameters)
