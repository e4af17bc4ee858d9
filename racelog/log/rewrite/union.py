"""Facts of several logs of one race, put together: what they have in common is kept once.

Cuts of a race share facts: what tells of the race and its lanes, and the requests that were under way at an edge. A fact
is the same in two logs if everything of it is, instant and content; one that a log holds several times (the same text
twice in one read) is kept as often as the log that holds it most often says.
"""

from collections import Counter
from collections.abc import Hashable, Iterable

from racelog.events import AnyEvent, Finish, Head, Tokens
from racelog.log.format.codec import encode_events
from racelog.log.rows.chunks import chunk_rows, columns
from racelog.log.rows.rows import sample_rows
from racelog.log.rows.samples import Samples, rows_alone


def union(logs: Iterable[Iterable[AnyEvent]]) -> tuple[list[AnyEvent], int]:
    """Return the facts of all ``logs``, each once, and how many were left out; heads and ends are no facts.

    The first log that has a fact gives it; rows of columns are told apart. Cost: memory for every fact.
    """
    together: list[AnyEvent] = []
    before: Counter[Hashable] = Counter()
    repeated = 0
    for events in logs:
        own: Counter[Hashable] = Counter()
        for event in events:
            if not isinstance(event, Head | Finish):
                together += _unless_there(event, own, before)
        repeated += (own & before).total()
        before |= own
    return together, repeated


def _unless_there(event: AnyEvent, own: Counter[Hashable], before: Counter[Hashable]) -> list[AnyEvent]:
    """Return what of ``event`` no log before had, after counting it as its own log's."""
    facts = _facts(event)
    kept = []
    for row, fact in enumerate(facts):
        own[fact] += 1
        if own[fact] > before[fact]:
            kept.append(row)
    if len(kept) == len(facts):
        return [event]
    if isinstance(event, Tokens):
        rows = chunk_rows(event)
        return [columns(event.lane, [rows[row] for row in kept])] if kept else []
    return [sample_rows(event, row, row + 1) for row in kept] if isinstance(event, Samples) else []


def _facts(event: AnyEvent) -> list[Hashable]:
    """Return each fact of ``event`` as something to compare."""
    if isinstance(event, Tokens) and event.d:
        return [(event.lane, *row) for row in chunk_rows(event)]
    if isinstance(event, Samples) and event.d:
        return [*rows_alone(event)]
    return [encode_events([event])]
