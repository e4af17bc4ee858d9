"""Every field of every kind of event at its extremes: each verb answers, or says in one sentence what it cannot do.

Anything but a `RacelogError` comes out of `run` as it is, and fails the test.
"""

from contextlib import redirect_stdout, suppress
from io import BytesIO, TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec import NODEFAULT, Struct

from racelog.cli import run
from racelog.commands.page import race_page
from racelog.events import AnyEvent, Finish, Head
from racelog.log.read.reader import open_log
from racelog.log.write.segment import SegmentWriter
from racelog.query.project.project import race_batches
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from racelog_cards.spec import card_spec
from tests.core.strategies import COLUMN_KINDS, KINDS, columns

RACE = ScriptedRace([Plan("a", requests=2, tokens=3), Plan("b", requests=2, tokens=3)])
VERBS = ("info", "info --json", "dump", "cat", "verify", "play --at 0s --json", "play --at end --json")
WRITERS = ("cut --lane 0", "recover", "compact")

FEW = st.sampled_from([0, 1])
WHOLE = FEW | st.sampled_from([-1, 7, 999, 1_000_000_000, (1 << 53) + 1, (1 << 63) - 1, -(1 << 63)])
BROKEN = st.sampled_from([0.0, -0.0, 1e-320, -1.5, 1e15, 1.7e308, -1.7e308])
TEXTS = st.sampled_from(
    ["", "a", " ", "\x00\x1b[2J", "模型引擎🚀", "\u202e", "9" * 400, "NaN", "2026-13-45T99:99:99Z", "-"]
)
OTHERS: SearchStrategy[Any] = st.sampled_from([None, True, 0, -1, 1e308, "x", [], {}, [[]], {"": None}])


def extremes(annotation: Any) -> SearchStrategy[Any]:
    """Return a strategy for what is far out, or nothing at all, of what a field's annotation allows."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return extremes(arguments[0])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(extremes(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(TEXTS, extremes(arguments[1]), max_size=2)
    if arguments:
        return st.one_of([extremes(argument) for argument in arguments])
    plain: dict[Any, SearchStrategy[Any]] = {
        int: WHOLE, float: BROKEN, str: TEXTS, bool: st.booleans(), type(None): st.none(), Any: OTHERS,
    }  # fmt: skip
    return plain[annotation]


def extreme_event(kind: type[Struct]) -> SearchStrategy[Any]:
    """Return a strategy for events of a kind of the lanes and requests there are, some other fields far out."""
    if kind in COLUMN_KINDS:
        return columns(kind)
    known: dict[str, SearchStrategy[Any]] = {
        "lane": FEW,
        "req": FEW,
        "prompt": FEW,
        "race_id": st.just(RACE_ID),
    }
    needed: dict[str, SearchStrategy[Any]] = {}
    free: dict[str, SearchStrategy[Any]] = {}
    for field in msgspec.structs.fields(kind):
        if field.name in ("t", "v"):
            continue
        values = known[field.name] if field.name in known else extremes(field.type)
        required = field.default is NODEFAULT and field.default_factory is NODEFAULT
        (needed if required else free)[field.name] = values
    needed["t"] = st.sampled_from([0, 1_050_000_000, 1_200_000_000]) | WHOLE
    return st.fixed_dictionaries(needed, optional=free).map(lambda fields: kind(**fields))


RACES = st.tuples(*(extreme_event(kind) for kind in KINDS if kind not in (Head, Finish)))
"""A race's worth of odd events, one of each kind: what one makes of another's oddness is tried too."""


def write(path: Path, odd: list[AnyEvent]) -> None:
    """Write a race and, each in a unit of its own, events that are odd."""
    with SegmentWriter(path, RACE.head()) as writer:
        writer.commit(RACE.events())
        for event in odd:
            writer.commit([event])
        writer.finish(0)


def answer(path: Path) -> None:
    """Make what SQL and a card show of a race, without a database and a picture."""
    log = open_log(path)
    with suppress(ValueError, OverflowError):  # as it promises; `racelog sql` says so in a sentence
        race_batches(log)
    card_spec(race_page(log).race, lambda _character: True)


@settings(max_examples=15)
@given(odd=RACES, chosen=st.sets(st.integers(0, len(KINDS) - 3), min_size=2, max_size=10))
def test_every_verb_answers_whatever_the_fields_hold(odd: tuple[AnyEvent, ...], chosen: set[int]) -> None:
    with TemporaryDirectory() as folder, redirect_stdout(TextIOWrapper(BytesIO(), encoding="utf-8")):
        path = Path(folder) / "odd.rlog"
        write(path, [odd[number] for number in chosen])

        codes = {verb: run([verb.split()[0], str(path), *verb.split()[1:]]) for verb in VERBS}
        codes |= {
            verb: run([verb.split()[0], str(path), *verb.split()[1:], "-o", f"{path}.{verb.split()[0]}"])
            for verb in WRITERS
        }
        answer(path)

    assert {verb: code for verb, code in codes.items() if code not in (0, 1, 3)} == {}
