"""Columns taken apart: every row of an event as a fact of its own, and a whole log as facts in time order."""

import heapq
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from racelog.events import KIND_CODES, STAMP_CODES, AnyEvent, Tokens, Unknown
from racelog.log.format.codec import to_plain
from racelog.log.rows.chunks import chunk_rows
from racelog.log.rows.samples import Samples
from racelog.log.rows.times import row_times

_BESIDE = {"t", "k", "v", "lane", "req"}


class Fact(Struct, frozen=True):
    """One thing that happened: when, of what kind, on which lane, to which request, and the rest by name."""

    t: int
    k: str
    lane: int | None
    req: int | None
    more: dict[str, Any]


def facts_in_order(events: Iterable[AnyEvent]) -> Iterator[Fact]:
    """Yield the facts of ``events``, which are in time order, each at its own instant.

    Cost: memory for the batches that overlap one instant.
    """
    waiting: list[tuple[int, int, Fact, Iterator[Fact]]] = []
    for number, event in enumerate(events):
        while waiting and waiting[0][0] <= event.t:
            yield _step(waiting)
        _wait(waiting, number, facts_of(event))
    while waiting:
        yield _step(waiting)


def _step(waiting: list[tuple[int, int, Fact, Iterator[Fact]]]) -> Fact:
    _, number, fact, rest = heapq.heappop(waiting)
    _wait(waiting, number, rest)
    return fact


def _wait(waiting: list[tuple[int, int, Fact, Iterator[Fact]]], number: int, rest: Iterator[Fact]) -> None:
    first = next(rest, None)
    if first is not None:
        heapq.heappush(waiting, (first.t, number, first, rest))


def facts_of(event: AnyEvent) -> Iterator[Fact]:
    """Yield one event's facts: its rows where it has columns, else itself."""
    if isinstance(event, Tokens):
        yield from _chunk_facts(event)
    elif isinstance(event, Samples):
        yield from _sample_facts(event)
    else:
        plain = to_plain(event)
        lane, req = plain.get("lane"), plain.get("req")
        yield Fact(
            event.t,
            kind_of(event),
            lane if isinstance(lane, int) else None,
            req if isinstance(req, int) else None,
            {name: value for name, value in plain.items() if name not in _BESIDE},
        )


def kind_of(event: AnyEvent) -> str:
    """Return an event's kind, as its ``k`` says it."""
    return event.k if isinstance(event, Unknown) else str(event.__struct_config__.tag)


def lane_of(event: AnyEvent) -> int | None:
    """Return the lane an event belongs to, read from the raw JSON for an unknown kind."""
    lane = to_plain(event).get("lane") if isinstance(event, Unknown) else getattr(event, "lane", None)
    return lane if isinstance(lane, int) else None


def sample_rows(event: Samples, start: int, stop: int) -> Samples:
    """Return the rows ``start`` to before ``stop`` of an event with samples, at the same instants."""
    columns = {
        name: column[start:stop]
        for name in event.__struct_fields__
        if isinstance(column := getattr(event, name), list) and name != "d"
    }
    t = event.t if start == 0 else row_times(event)[start]
    deltas = event.d[start:stop] if start == 0 else [0, *event.d[start + 1 : stop]]
    return msgspec.structs.replace(event, t=t, d=deltas, **columns)


def _chunk_facts(batch: Tokens) -> Iterator[Fact]:
    for t, req, text, code, tokens, stamp in chunk_rows(batch):
        by, coalesced = STAMP_CODES.get(stamp, (stamp, False))
        more = {
            "text": text,
            "chunk": KIND_CODES.get(code, code),
            "tokens": tokens,
            "stamp": by,
            "coalesced": coalesced,
        }
        yield Fact(t, "tok", batch.lane, req, more)  # fmt: skip


def _sample_facts(event: Samples) -> Iterator[Fact]:
    columns: dict[str, list[Any]] = {}
    same: dict[str, Any] = {}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name in ("t", "v", "d", "lane") or value in ([], ""):
            continue
        if isinstance(value, list):
            columns[name] = value
        else:
            same[name] = value
    kind = kind_of(event)
    for row, t in enumerate(row_times(event)):
        yield Fact(
            t, kind, lane_of(event), None, {**same, **{name: column[row] for name, column in columns.items()}}
        )
