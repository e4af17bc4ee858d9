"""What a row of the tables of fields holds. One row says all there is to say of a field; nothing else names it.

    row --> reading a file, the flags of ``racelog record``, the JSON Schema, the table in docs/race-yaml.md,
            the plan in the log, ``--dry-run``

A default is no part of a row: it stands in the Struct that keeps the value (`racelog_recorder.plan.model`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from racelog_recorder.plan.model import RacePlan

REQUIRED = "required"
"""What a table says in place of a default where there is none."""

NONE = "none"
"""Likewise where leaving the field out means that there is no such thing."""


def unchanged(value: Any) -> Any:
    """Return ``value``: it is written as it is kept."""
    return value


def as_kept(value: Any, _plan: "RacePlan") -> Any:
    """Return ``value`` as JSON has it: nothing in it can be a secret."""
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The values that a field takes.

    ``check`` returns a value as the plan keeps it, or raises `FieldError` with what was given and what is allowed; with
    ``entries`` it takes the name and the value of one entry of a mapping. ``schema`` says the same as JSON Schema.
    ``write`` turns a kept value into what a file would say; ``parse`` turns a flag's text into what YAML would have made
    of it, and leaves to ``check`` what it cannot read. ``located``: the reader of a file looks into the value itself, for an
    error names the place within.
    """

    check: Callable[..., Any]
    schema: dict[str, Any]
    write: Callable[[Any], Any] = unchanged
    parse: Callable[[str], Any] = unchanged
    entries: bool = False
    located: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A flag of ``racelog record`` for a field.

    ``option`` is its name where it is not the field's; ``help`` its text where it needs other words than the field.
    A switch takes no value and ``sets`` one. ``entry`` names the one entry of a mapping that the flag sets, whose values
    are of ``kind``; without it the flag of a mapping takes ``NAME=VALUE`` and may be repeated.
    """

    metavar: str = ""
    option: str = ""
    help: str = ""
    sets: Any = None
    entry: str = ""
    kind: Kind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a plan, or of an engine in it.

    ``name`` is the file's; ``attribute`` the place in the Struct where that is another: ``duration_s``, or ``load.arrival``
    in a Struct of its own. ``help`` says what the field means, in whole sentences with `code` in backticks: the schema, the
    docs and ``--help`` show it; the docs add ``more``, in Markdown. ``otherwise`` says in words what holds without the field,
    where its default is no value.

    ``public`` gives the value as a log may hold it, without secrets; None leaves it out of the log's plan. ``needs`` is the
    field that must be there too. ``also`` are names that people give the field elsewhere. ``option``: of an engine, that
    ``--engine`` takes it.
    """

    name: str
    kind: Kind
    help: str
    attribute: str = ""
    more: str = ""
    otherwise: str = ""
    flag: Flag | None = None
    public: "Callable[[Any, RacePlan], Any] | None" = as_kept
    needs: str = ""
    also: tuple[str, ...] = ()
    option: bool = False

    @property
    def path(self) -> tuple[str, ...]:
        """The attributes that lead from the Struct to the value."""
        return tuple((self.attribute or self.name).split("."))

    def value(self, owner: object) -> Any:
        """Return the value that ``owner`` keeps, None where a Struct on the way is not there."""
        return reduce(lambda found, name: getattr(found, name, None), self.path, owner)


def table(*rows: Field) -> dict[str, Field]:
    """Return ``rows`` by their names, in their order."""
    return {row.name: row for row in rows}


def nested(values: dict[str, Any], rows: dict[str, Field]) -> dict[str, Any]:
    """Return checked ``values`` (by the names of their ``rows``) by attribute; those of a Struct of its own as one dict."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        *outer, last = rows[name].path
        place = reduce(lambda place, part: place.setdefault(part, {}), outer, found)
        place[last] = value
    return found


def option_of(row: Field, flag: Flag) -> str:
    """Return the flag as people type it: ``--max-open``."""
    return flag.option or f"--{row.name.replace('_', '-')}"


def in_words(value: Any) -> str:
    """Return ``value``, as a file would say it, in one line."""
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case dict():
            return ", ".join(f"{name}: {in_words(item)}" for name, item in value.items())
        case list() | tuple():
            return ", ".join(in_words(item) for item in value)
        case _:
            return str(value)


def plain(text: str) -> str:
    """Return ``text`` without its backticks."""
    return re.sub(r"`([^`]*)`", r"\1", text)
