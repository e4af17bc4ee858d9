"""What waits for the disk: a bounded queue of batches, and an exact account of what did not fit. No IO, no clock."""

from collections import deque
from dataclasses import dataclass

from racelog.display.text import counted
from racelog.events import AnyEvent, Gap, Tokens

MAX_WAITING = 256
"""Batches that may wait. With the size that flushes a batch early (64 KiB) they are about 16 MiB of payload at most, and
58 s of a lane that makes less at the default window: longer than a disk stalls that comes back at all."""


MOST_CHARACTERS = 64 << 20
"""Text that may wait: batches of huge chunks are few, and would else be gigabytes while a disk stalls."""


@dataclass(eq=False, slots=True)
class Batch:
    """Events that become one unit, and how much text their chunks have; two are the same only if they are one."""

    events: list[AnyEvent]
    characters: int = 0


class Backlog:
    """Batches in the order they were recorded, at most ``limit`` and the one just put.

    Whoever puts a batch that leaves it `overfull` waits a moment and then drops it; the next batch that is taken
    carries a `Gap` with the exact counts of everything dropped since the last.
    """

    def __init__(self, limit: int = MAX_WAITING, *, lane: int | None = None) -> None:
        self.limit = limit
        self._lane = lane
        self._waiting: deque[Batch] = deque()
        self._characters = 0
        self._behind = 0
        self._lost_t: int | None = None
        self._lost_events = 0
        self._lost_chunks = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def overfull(self) -> bool:
        """True when more than `limit` batches wait, or several with more than `MOST_CHARACTERS`."""
        return len(self._waiting) > self.limit or (
            self._characters > MOST_CHARACTERS and len(self._waiting) > 1
        )

    def put(self, events: list[AnyEvent]) -> Batch:
        """Append ``events`` as a batch and return it."""
        batch = Batch(events, sum(sum(map(len, event.x)) for event in events if isinstance(event, Tokens)))
        self._waiting.append(batch)
        self._characters += batch.characters
        return batch

    def drop(self, batch: Batch) -> None:
        """Take ``batch`` out unwritten and count what it held; nothing if it is being written already."""
        if batch not in self._waiting:
            return
        self._waiting.remove(batch)
        self._characters -= batch.characters
        self._behind = self._behind if self._lost_t is not None else len(self._waiting)
        for event in batch.events:
            self._lost_t = event.t if self._lost_t is None else min(self._lost_t, event.t)
            if isinstance(event, Tokens):
                self._lost_chunks += len(event.r)
            else:
                self._lost_events += 1

    def take(self) -> list[AnyEvent]:
        """Return the oldest batch's events, led by the `Gap` that is due; empty when nothing waits."""
        events: list[AnyEvent] = []
        if self._waiting:
            batch = self._waiting.popleft()
            events, self._characters = batch.events, self._characters - batch.characters
        gap = self._take_gap()
        return events if gap is None else [gap, *events]

    def _take_gap(self) -> Gap | None:
        """Return what was dropped as a fact at the time of its first loss, and count anew."""
        if self._lost_t is None:
            return None
        gap = Gap(
            t=self._lost_t, events=self._lost_events, chunks=self._lost_chunks, lane=self._lane,
            reason=f"the disk stalled and {counted(self._behind, 'batch was', 'batches were')} waiting for it already",
        )  # fmt: skip
        self._lost_t, self._lost_events, self._lost_chunks = None, 0, 0
        return gap
