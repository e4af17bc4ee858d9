"""The recording side of the log: facts in by plain calls, units out from a worker thread.

`Journal.record` and the chunk columns only append to lists. A little more than four times a second, or when 64 KiB have gathered, they
become a batch; a worker thread encodes, compresses, writes and syncs batches one after another. So the loop that
receives tokens never waits for a disk, and a disk that stalls fills a bounded queue, never the memory.
"""

import time

import trio

from racelog.events import AnyEvent, Head
from racelog.log.write.segment import SegmentWriter
from racelog_recorder.journal.backlog import MAX_WAITING, Backlog
from racelog_recorder.journal.chunks import ChunkColumns
from racelog_recorder.journal.durability import FLUSH_BYTES, SYNC_S, Durability
from racelog_recorder.journal.rolling import RollingWriter

EVENT_BYTES = 200
"""A guess at one event's payload, for `FLUSH_BYTES` alone: a `sent` has 70 bytes, a `headers` 234."""

WRITE_SHARE = 0.1
"""This part of the flush window is kept for encoding and writing, so that an event is in the file, not only on its way,
within the window that was promised. A unit of 3,000 chunks takes 0.4 ms (p99 5); but on a busy machine at nice 15 a share
of 0.05 (12 ms) was overrun by up to 5 ms in 6 of 300 kills."""


class Journal:
    """One process's segment, written from a worker thread while `run` runs.

    ``now_ns`` is nanoseconds since the race's origin, the ``t`` of every event. When ``max_waiting`` batches wait for a
    stalled disk, the next one waits for one more flush window - what arrives meanwhile joins one batch, so memory stays
    bounded - and is then dropped and accounted for by a `Gap` as soon as writing works again.
    """

    def __init__(
        self,
        writer: SegmentWriter,
        head: Head,
        chunks: ChunkColumns | None = None,
        *,
        durability: Durability = Durability(),  # noqa: B008 - frozen
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._segments = RollingWriter(writer, head)
        self._origin_ns = head.mono_origin_ns
        self._chunks = chunks
        self._durability = durability
        self._backlog = Backlog(max_waiting, lane=head.lane)
        self._events: list[AnyEvent] = []
        self._full = trio.Event()
        self._work = trio.Event()
        self._room = trio.Event()
        self._writing = trio.Lock()
        self._synced_s: float | None = None
        if chunks is not None:
            chunks.when_full(self._wake)

    @property
    def waiting(self) -> int:
        """How many batches wait for the disk."""
        return len(self._backlog)

    def now_ns(self) -> int:
        """Return the present instant as an event time."""
        return time.monotonic_ns() - self._origin_ns

    def since_origin(self, mono_ns: int) -> int:
        """Return a ``CLOCK_MONOTONIC`` reading as an event time."""
        return mono_ns - self._origin_ns

    def record(self, event: AnyEvent) -> None:
        """Note one event; it is committed within the flush window. Cost: a list append."""
        self._events.append(event)
        if len(self._events) * EVENT_BYTES >= FLUSH_BYTES:
            self._wake()

    async def run(self) -> None:
        """Hand over what gathers, window by window, and write it beside that, until cancelled.

        What is not written when it is cancelled is left to `flush` or `finish`.

        Raises:
            StorageError: (in a group) the log cannot be written any more.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write)
            await self._gather()

    async def flush(self) -> None:
        """Commit everything recorded so far; waits for the disk, however long that takes."""
        if events := self._take():
            self._backlog.put(events)
        await self._drain()

    async def finish(self, reason: str = "") -> None:
        """Commit what is left, close the segment properly; `run` must have ended or be about to."""
        await self.flush()
        sync = self._durability.fsync != "never"
        async with self._writing:
            await trio.to_thread.run_sync(lambda: self._segments.finish(self.now_ns(), reason, sync=sync))

    async def _gather(self) -> None:
        """Make a batch of what gathered, at the end of every window or as soon as it is large."""
        window_s = self._durability.flush_s * (1 - WRITE_SHARE)
        due_s = trio.current_time() + window_s
        while True:
            with trio.move_on_at(due_s):
                await self._full.wait()
            due_s = trio.current_time() + window_s
            events = self._take()
            if events:
                await self._hand_over(events)
            elif self._sync_due():
                self._work.set()

    async def _hand_over(self, events: list[AnyEvent]) -> None:
        """Queue a batch for the worker; drop it, counted, if there is no room for another window."""
        batch = self._backlog.put(events)
        self._work.set()
        if self._backlog.overfull:
            with trio.move_on_after(self._durability.flush_s):
                await self._room.wait()
            if self._backlog.overfull:
                self._backlog.drop(batch)

    async def _write(self) -> None:
        while True:
            await self._work.wait()
            self._work = trio.Event()
            await self._drain()

    async def _drain(self) -> None:
        """Write batches until none waits.

        A batch that was taken is written whatever is cancelled meanwhile: between the queue and the disk it is in no
        other place.
        """
        async with self._writing:
            while self._backlog or self._sync_due():
                events = self._backlog.take()
                self._room.set()
                self._room = trio.Event()
                sync = self._durability.fsync == "always" or self._sync_due()
                with trio.CancelScope(shield=True):
                    await trio.to_thread.run_sync(self._commit, events, sync)
                if sync:
                    self._synced_s = trio.current_time()

    def _sync_due(self) -> bool:
        """Tell whether the interval has passed with something to sync; it begins with the first question."""
        if self._durability.fsync != "interval" or not self._segments.unsynced:
            return False
        if self._synced_s is None:
            self._synced_s = trio.current_time()
        return trio.current_time() - self._synced_s >= SYNC_S

    def _take(self) -> list[AnyEvent]:
        self._full = trio.Event()
        events, self._events = self._events, []
        batch = self._chunks.take() if self._chunks is not None else None
        if batch is not None:
            events.append(batch)
        return events

    def _wake(self) -> None:
        self._full.set()

    def _commit(self, events: list[AnyEvent], sync: bool) -> None:  # noqa: FBT001 - called positionally by the thread helper
        self._segments.commit(events)
        if sync:
            self._segments.sync(self.now_ns())
