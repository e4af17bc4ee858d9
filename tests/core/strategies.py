"""Hypothesis strategies made from the event types themselves, so that a new field is tested the day it appears."""

import types
from collections.abc import Callable
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from msgspec import NODEFAULT, Raw, Struct

from racelog.events import (
    KIND_CODES,
    STAMP_CODES,
    AnyEvent,
    EngineSamples,
    GpuSamples,
    HostSamples,
    Int64,
    KnownEvent,
    Tokens,
    Unknown,
)

KINDS: tuple[type[Struct], ...] = KnownEvent.__args__
COLUMN_KINDS = (Tokens, HostSamples, GpuSamples, EngineSamples)

instants = st.integers(-(1 << 40), 1 << 60)
numbers = st.integers(-(1 << 63), (1 << 63) - 1)
readings = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | readings | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_PLAIN: dict[Any, SearchStrategy[Any]] = {
    int: numbers, Int64: numbers, float: readings, str: st.text(), Any: json_values, type(None): st.none(), bool: st.booleans(),
}  # fmt: skip


def values(annotation: Any) -> SearchStrategy[Any]:
    """Return a strategy for the values that a field's annotation allows."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(values(arguments[0]), max_size=4)
    if origin is dict:
        return st.dictionaries(st.text(max_size=8), values(arguments[1]), max_size=3)
    if origin in (types.UnionType, Union):
        return st.one_of([values(argument) for argument in arguments])
    return _PLAIN[annotation]


@st.composite
def columns(draw: DrawFn, kind: type[Struct]) -> AnyEvent:
    """Draw an event with columns: all of one length, those with a default sometimes left out."""
    rows = draw(st.integers(0, 6))
    fields: dict[str, Any] = {"t": draw(instants), "d": [0] * rows}
    if rows:
        fields["d"] = [0, *draw(st.lists(st.integers(0, 1 << 40), min_size=rows - 1, max_size=rows - 1))]
    letters = {"c": "".join(KIND_CODES), "s": "".join(STAMP_CODES)}
    for field in msgspec.structs.fields(kind):
        if field.name in ("t", "v", "d"):
            continue
        optional = field.default is not NODEFAULT or field.default_factory is not NODEFAULT
        if kind is Tokens and field.name in letters:
            strategy: SearchStrategy[Any] = st.text(letters[field.name], min_size=rows, max_size=rows)
        elif get_origin(field.type) is list:
            strategy = st.lists(values(get_args(field.type)[0]), min_size=rows, max_size=rows)
        else:
            strategy = values(field.type)
        if not optional or draw(st.booleans()):
            fields[field.name] = draw(strategy)
    return kind(**fields)  # type: ignore[return-value]  # one of KnownEvent by construction


def of_kind(kind: type[Struct]) -> SearchStrategy[Any]:
    """Return a strategy for events of one kind."""
    if kind in COLUMN_KINDS:
        return columns(kind)
    fields: dict[str, SearchStrategy[Any]] = {
        field.name: values(field.type)
        for field in msgspec.structs.fields(kind)
        if field.name not in ("t", "v")
    }
    build: Callable[..., Any] = kind
    return st.builds(build, t=instants, **fields)


@st.composite
def unknown_events(draw: DrawFn) -> Unknown:
    """Draw an event of a kind from the future."""
    t = draw(instants)
    kind = "x." + draw(st.text(max_size=8))
    body = draw(st.dictionaries(st.text(min_size=3, max_size=8), json_values, max_size=3))
    return Unknown(t=t, k=kind, raw=Raw(msgspec.json.encode({"k": kind, "t": t, **body})))


known_events: SearchStrategy[Any] = st.one_of([of_kind(kind) for kind in KINDS])
any_events: SearchStrategy[AnyEvent] = known_events | unknown_events()
