"""The recording side of the log: facts in by plain calls, units out from a worker thread.

`Journal.record` and the chunk columns only append to lists; four times a second what has gathered is encoded,
compressed and written in a thread, so the loop that receives tokens never waits for a disk.
"""

import time
from array import array

import trio

from racelog.events import AnyEvent, Head, Tokens
from racelog.log.segment import SegmentWriter

FLUSH_S = 0.25
"""At most this much is lost to kill -9 (DESIGN.md §10); live size per token was measured at this window."""

SYNC_S = 1.0
"""At most this much more is lost to a power failure."""


class ChunkColumns:
    """The chunks of one lane since the last flush, as columns.

    Rows of one read share its stamp: `mark_coalesced` notes the rows whose own arrival is hidden by a later one.
    """

    def __init__(self, lane: int) -> None:
        self._lane = lane
        self._clear()

    def _clear(self) -> None:
        self._t = array("q")
        self._requests: list[int] = []
        self._texts: list[str] = []
        self._codes: list[str] = []
        self._tokens: list[int | None] = []
        self._stamps: list[str] = []
        self._counted = False

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

    ``now_ns`` is nanoseconds since the race's origin, the ``t`` of every event.
    """

    def __init__(self, writer: SegmentWriter, head: Head, chunks: ChunkColumns | None = None) -> None:
        self._writer = writer
        self._origin_ns = head.mono_origin_ns
        self._chunks = chunks
        self._events: list[AnyEvent] = []
        self._lock = trio.Lock()

    def now_ns(self) -> int:
        """Return the present instant as an event time."""
        return time.monotonic_ns() - self._origin_ns

    def since_origin(self, mono_ns: int) -> int:
        """Return a ``CLOCK_MONOTONIC`` reading as an event time."""
        return mono_ns - self._origin_ns

    def record(self, event: AnyEvent) -> None:
        """Note one event; it is committed with the next flush. Cost: a list append."""
        self._events.append(event)

    async def run(self) -> None:
        """Flush every `FLUSH_S` and sync every `SYNC_S`, until cancelled.

        Raises:
            StorageError: the log cannot be written any more.
        """
        synced_s = trio.current_time()
        while True:
            await trio.sleep(FLUSH_S)
            sync = trio.current_time() - synced_s >= SYNC_S
            await self.flush(sync=sync)
            if sync:
                synced_s = trio.current_time()

    async def flush(self, *, sync: bool = False) -> None:
        """Commit everything recorded so far as one unit."""
        async with self._lock:
            with trio.CancelScope(shield=True):  # what was taken is written, whatever happens to this task
                events = self._take()
                if events or sync:
                    await trio.to_thread.run_sync(self._commit, events, sync)

    async def finish(self, reason: str = "") -> None:
        """Commit what is left, close the segment properly."""
        await self.flush()
        await trio.to_thread.run_sync(self._writer.finish, self.now_ns(), reason)

    def _take(self) -> list[AnyEvent]:
        events, self._events = self._events, []
        batch = self._chunks.take() if self._chunks is not None else None
        if batch is not None:
            events.append(batch)
        return events

    def _commit(self, events: list[AnyEvent], sync: bool) -> None:  # noqa: FBT001 - called positionally by the thread helper
        self._writer.commit(events)
        if sync:
            self._writer.sync()
