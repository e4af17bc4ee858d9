"""The recording side of the log: facts in by plain calls, units out from a worker thread.

`Journal.record` and the chunk columns only append to lists. Four times a second, or when 64 KiB have gathered, they
become a batch; a worker thread encodes, compresses, writes and syncs batches one after another. So the loop that
receives tokens never waits for a disk, and a disk that stalls fills a bounded queue, never the memory.
"""

import time
from array import array
from collections.abc import Callable

import trio

from racelog.events import AnyEvent, Head, Tokens
from racelog.log.segment import SegmentWriter
from racelog_recorder.backlog import MAX_WAITING, Backlog
from racelog_recorder.durability import SYNC_S, Durability
from racelog_recorder.rolling import RollingWriter

FLUSH_BYTES = 64 << 10
"""Flush before the window ends once about this much payload has gathered, so that a fast lane's units stay as quick to
write, and as little to lose to one damaged byte, as a slow one's."""

EVENT_BYTES = 200
"""A guess at one event's payload, for `FLUSH_BYTES` alone: a `sent` has 80 bytes, a `headers` 300."""

CHUNK_BYTES = 16
"""The same for one chunk beside its text: request, time and quotes in three columns."""

WRITE_SHARE = 0.1
"""This part of the flush window is kept for encoding and writing, so that an event is in the file, not only on its way,
within the window that was promised. A unit takes 1 to 3 ms; on a busy machine at nice 15 a share of 0.05 (12 ms) was
overrun by up to 5 ms in 6 of 300 kills."""


class ChunkColumns:
    """The chunks of one lane since the last flush, as columns.

    Rows of one read share its stamp: `mark_coalesced` notes the rows whose own arrival is hidden by a later one.
    """

    def __init__(self, lane: int) -> None:
        self._lane = lane
        self._when_full: Callable[[], None] = lambda: None
        self._clear()

    def _clear(self) -> None:
        self._t = array("q")
        self._requests: list[int] = []
        self._texts: list[str] = []
        self._codes: list[str] = []
        self._tokens: list[int | None] = []
        self._stamps: list[str] = []
        self._counted = False
        self._bytes = 0

    def when_full(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` on every `add` beyond `FLUSH_BYTES` of estimated payload; it must be cheap and not call back."""
        self._when_full = tell

    def __len__(self) -> int:
        return len(self._t)

    def add(  # noqa: PLR0917 - called once per token; keywords would cost a tenth of the call
        self, t_ns: int, request: int, text: str, code: str, tokens: int | None, stamp: str
    ) -> int:
        """Append one chunk; return its row."""
        self._t.append(t_ns)
        self._requests.append(request)
        self._texts.append(text)
        self._codes.append(code)
        self._tokens.append(tokens)
        self._stamps.append(stamp)
        self._counted = self._counted or tokens is not None
        self._bytes += CHUNK_BYTES + len(text)
        if self._bytes >= FLUSH_BYTES:
            self._when_full()
        return len(self._t) - 1

    def mark_coalesced(self, row: int) -> None:
        """Mark a row added since the last `take`: its stamp is that of a later segment."""
        self._stamps[row] = self._stamps[row].upper()

    def take(self) -> Tokens | None:
        """Return everything as one batch in time order and start anew; None when nothing arrived."""
        if not self._t:
            return None
        t, rows = self._t, range(len(self._t))
        order = rows if all(t[i] <= t[i + 1] for i in range(len(t) - 1)) else sorted(rows, key=t.__getitem__)
        times = [t[i] for i in order]
        stamps = "".join(self._stamps[i] for i in order)
        codes = "".join(self._codes[i] for i in order)
        batch = Tokens(
            t=times[0],
            lane=self._lane,
            r=[self._requests[i] for i in order],
            d=[0, *(times[i + 1] - times[i] for i in range(len(times) - 1))],
            x=[self._texts[i] for i in order],
            c="" if codes.count("c") == len(codes) else codes,
            n=[self._tokens[i] for i in order] if self._counted else [],
            s="" if stamps.count("k") == len(stamps) else stamps,
        )
        self._clear()
        return batch


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
