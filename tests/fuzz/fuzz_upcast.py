"""Fuzzes the upcasters, with a made-up chain of two steps on the kind ``mark``.

Invariant: a payload gives events or a `LogError` and nothing else, however its old events are malformed; no event stays
behind the newest version of its kind, and what was read, written and read again is the same.

    python -m tests.fuzz.fuzz_upcast CORPUS -max_total_time=600
"""

from collections.abc import Iterator
from contextlib import contextmanager

from racelog.errors import LogError
from racelog.events import Mark, Unknown
from racelog.log.format import codec
from racelog.log.format.codec import decode_events, encode_events
from racelog.log.format.upcast import PlainEvent, Step, Upcasters
from tests.fuzz.harness import main


def name_to_title(event: PlainEvent) -> PlainEvent:
    """A step that trips over what is not there."""
    rest = {field: value for field, value in event.items() if field != "name"}
    return {**rest, "title": event["name"]}


def title_to_label(event: PlainEvent) -> PlainEvent:
    """A step that trips over what is of another type, and does arithmetic on what may be too large."""
    rest = {field: value for field, value in event.items() if field != "title"}
    return {**rest, "label": event["title"].capitalize(), "t": event["t"] * 1000}


CHAIN = Upcasters([Step("mark", 1, name_to_title), Step("mark", 2, title_to_label)])


@contextmanager
def chain() -> Iterator[None]:
    """Read with the made-up chain."""
    before = vars(codec)["UPCASTERS"]
    vars(codec).update(UPCASTERS=CHAIN)
    try:
        yield
    finally:
        vars(codec).update(UPCASTERS=before)


def check(data: bytes) -> None:
    """The bytes are one unit's payload."""
    with chain():
        try:
            events = decode_events(data)
        except LogError:
            return
        assert all(event.v == 3 for event in events if isinstance(event, Mark))
        assert all(isinstance(event, Mark | Unknown) or event.v == 1 for event in events)
        assert decode_events(encode_events(events)) == events


if __name__ == "__main__":
    main("upcast", check)
