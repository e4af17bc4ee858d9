"""What names the facts of a log: two logs that hold the same have the same, in whatever columns and order."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b

import msgspec

from racelog.events import AnyEvent, Finish, Head, Tokens
from racelog.log.format.codec import encode_events
from racelog.log.rows.chunks import chunk_rows
from racelog.log.rows.samples import Samples, rows_alone

_HASH_BYTES = 16
_rows = msgspec.json.Encoder()


class Facts:
    """The multiset of facts taken so far, columns taken apart: their number, and the sum of their hashes.

    That two races have the same by chance is as likely as for a hash of 128 bits. Cost: a hash per fact.
    """

    def __init__(self) -> None:
        self._number = self._total = 0

    def take(self, event: AnyEvent) -> None:
        """Add the facts of ``event``; heads and ends are none."""
        for fact in _alone(event):
            self._number += 1
            self._total += int.from_bytes(blake2b(fact, digest_size=_HASH_BYTES).digest())

    @property
    def fingerprint(self) -> tuple[int, int]:
        """What names them."""
        return self._number, self._total % (1 << 8 * _HASH_BYTES)


def fingerprint(events: Iterable[AnyEvent]) -> tuple[int, int]:
    """Return what names the facts in ``events``. Memory: one event."""
    facts = Facts()
    for event in events:
        facts.take(event)
    return facts.fingerprint


def _alone(event: AnyEvent) -> Iterator[bytes]:
    """Yield every fact of ``event`` by itself: its rows where it has columns."""
    if isinstance(event, Tokens):
        for row in chunk_rows(event):
            yield _rows.encode((event.lane, *row))
    elif isinstance(event, Samples) and event.d:
        yield from rows_alone(event)
    elif not isinstance(event, Head | Finish):
        yield encode_events([event])
