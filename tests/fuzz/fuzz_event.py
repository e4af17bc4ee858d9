"""Fuzzes the event decoder.

Invariant: a payload gives events or a `LogError` and nothing else; what it gave, written plain or packed and read again, is the same.

    python -m tests.fuzz.fuzz_event CORPUS -max_total_time=600
"""

from racelog.errors import LogError
from racelog.log.format.codec import MAX_T_NS, MIN_T_NS, decode_events, encode_events, time_span, to_plain
from tests.fuzz.harness import main


def check(data: bytes) -> None:
    """The bytes are one unit's payload."""
    try:
        events = decode_events(data)
    except LogError:
        return
    written = encode_events(events)
    assert decode_events(written) == events
    assert decode_events(encode_events(events, packed=True)) == events
    assert len(events) == len([to_plain(event) for event in events])
    if events:
        first, last = time_span(events)
        assert MIN_T_NS <= first <= last <= MAX_T_NS


if __name__ == "__main__":
    main("event", check)
