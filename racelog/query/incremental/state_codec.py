"""Folds and rules on their way as plain data and back, so that another process can go on from there.

Only the classes named here are made again, by name and attribute; nothing that is stored is ever run. What belongs to
the log (tracks) is not stored but referred to: whoever reads gives tracks that stand for the same.
"""

import hashlib
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

import racelog
from racelog.plugins import releases
from racelog.replay.health import HealthFold
from racelog.replay.lane import LaneFold
from racelog.replay.request import RequestState
from racelog.replay.tally import Tally
from racelog.views.story.achievements import Achievements
from racelog.views.story.anomalies import Anomalies
from racelog.views.story.commentary import Commentator
from racelog.views.story.engine import Story, Telling
from racelog.views.story.happenings import Book, LaneAccount
from racelog.views.story.insights import Insights
from racelog.views.story.rules import GROUP as RULES_GROUP

_CLASSES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        HealthFold, LaneFold, RequestState, Tally, Achievements, Anomalies, Book, LaneAccount, Commentator, Insights, Story,
        Telling,
    )
}  # fmt: skip

_CONTAINERS: dict[str, type] = {"list": list, "tuple": tuple, "set": set, "dict": dict, "Counter": Counter}
_PLAIN = frozenset({int, float, str, bool, type(None)})


class GraphError(ValueError):
    """It cannot be stored, or what is stored is not whole."""


def packed(value: object, references: Mapping[int, str]) -> Any:
    """Return ``value`` as lists, numbers and words; an object whose ``id`` is in ``references`` as its name there.

    An object met twice is one object when it is read back.

    Raises:
        GraphError: there is something in it that is not known here.
    """
    return _Packing(references).pack(value)


class _Packing:
    def __init__(self, references: Mapping[int, str]) -> None:
        self._references = references
        self._met: dict[int, int] = {}

    def pack(self, value: Any) -> Any:  # noqa: PLR0911 - one return per kind of value
        if type(value) in _PLAIN:
            return value
        if (name := self._references.get(id(value))) is not None:
            return ["@", name]
        if isinstance(value, dict):
            return [_container(value), *([self.pack(key), self.pack(one)] for key, one in value.items())]
        if isinstance(value, deque):
            return ["deque", value.maxlen, *map(self.pack, value)]
        if type(value) is list and _PLAIN.issuperset(map(type, value)):
            return ["plain", value[:]]  # the thousands of numbers in a fold are of this kind
        if isinstance(value, list | tuple | set):
            return [_container(value), *map(self.pack, value)]
        if _CLASSES.get(type(value).__name__) is not type(value):
            raise GraphError(f"a {type(value).__name__} is not stored")
        if id(value) in self._met:
            return ["again", self._met[id(value)]]
        self._met[id(value)] = len(self._met)
        return [type(value).__name__, {name: self.pack(one) for name, one in _attributes(value)}]


def _container(value: object) -> str:
    name = type(value).__name__
    if _CONTAINERS.get(name) is not type(value):
        raise GraphError(f"a {name} is not stored")
    return name


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of an object with slots or without."""
    if isinstance(value, Struct):
        return ((name, getattr(value, name)) for name in value.__struct_fields__)
    if is_dataclass(value):
        return ((part.name, getattr(value, part.name)) for part in fields(value))
    return iter(vars(value).items())


def unpacked(data: Any, references: Mapping[str, object]) -> Any:
    """Return what `packed` was given, on other ``references``.

    Raises:
        GraphError: it is not what `packed` gives.
    """
    try:
        return _Unpacking(references).unpack(data)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise GraphError(f"what was stored is not whole: {error!r}") from error


class _Unpacking:
    def __init__(self, references: Mapping[str, object]) -> None:
        self._references = references
        self._met: list[Any] = []

    def unpack(self, data: Any) -> Any:  # noqa: PLR0911 - one return per kind of value
        if type(data) is not list:
            return data
        kind, *rest = data
        if kind == "@":
            return self._references[rest[0]]
        if kind == "plain":
            return [*rest[0]]  # whoever goes on changes it, and what is stored may be asked for again
        if kind == "again":
            return self._met[rest[0]]
        if kind == "deque":
            return deque(map(self.unpack, rest[1:]), maxlen=rest[0])
        if kind in ("dict", "Counter"):
            return _CONTAINERS[kind]({self.unpack(key): self.unpack(one) for key, one in rest})
        if kind in _CONTAINERS:
            return _CONTAINERS[kind](map(self.unpack, rest))
        return self._object(_CLASSES[kind], rest[0])

    def _object(self, kind: type, attributes: dict[str, Any]) -> Any:
        place = len(self._met)
        made = None if issubclass(kind, Struct) else kind.__new__(kind)
        self._met.append(made)
        values = {name: self.unpack(one) for name, one in attributes.items()}
        if made is None:  # nothing within refers back to it
            self._met[place] = made = kind(**values)
            return made
        for name, value in values.items():
            setattr(made, name, value)
        return made


@cache
def code_mark() -> str:
    """Return what distinguishes the code that folds, tells and lays out from any other: half a fold is that code's alone."""
    mark = hashlib.blake2b(racelog.__version__.encode(), digest_size=12)
    mark.update(repr(releases(RULES_GROUP)).encode())
    root = Path(racelog.__file__).parent
    parts = [(root / part).rglob("*.py") for part in ("display", "log", "query", "replay", "views")]
    for file in sorted(file for found in (root.glob("*.py"), *parts) for file in found):
        mark.update(file.read_bytes())
    return mark.hexdigest()
