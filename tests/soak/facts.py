"""What a log says, in a form that sealing does not change: every event and every chunk by itself, counted."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from racelog.errors import LogError, RaceNotFound
from racelog.events import AnyEvent, Finish, Head, Tokens
from racelog.log.format.codec import encode_events
from racelog.log.read.reader import open_log

Fact = bytes | tuple[int, int, int, str]


def facts(events: Iterable[AnyEvent]) -> Counter[Fact]:
    """Return the events without heads and ends, and each chunk as (lane, time, request, text)."""
    found: Counter[Fact] = Counter()
    for event in events:
        if isinstance(event, Tokens):
            t = event.t
            for request, delta, text in zip(event.r, event.d, event.x, strict=True):
                t += delta
                found[event.lane, t, request, text] += 1
        elif not isinstance(event, Head | Finish):
            found[encode_events([event])] += 1
    return found


def read_facts(path: Path) -> Counter[Fact]:
    """Return the facts of the log at ``path``; none where nothing was committed yet."""
    try:
        return facts(open_log(path).events)
    except (LogError, RaceNotFound):
        return Counter()
