"""Joining: the short columns of flush windows become the long ones of a sealed file, while the events flow by."""

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, islice, takewhile
from math import inf

from racelog.events import AnyEvent, Finish, Head, Tokens
from racelog.log.rows.chunks import ChunkRow, chunk_rows, columns
from racelog.log.rows.samples import SampleRuns, Samples

CHUNKS_PER_BATCH = 16384
"""Longest column in a sealed file, and rows in a unit: what one damaged byte may cost, and the least a seek decodes. Half as
many cost 4 % more, twice as many double what a seek takes (docs/decisions/0009-packed-columns.md)."""

ROWS_HELD = 16 * CHUNKS_PER_BATCH
"""What begins early and is not full yet, as a slow lane's column beside a fast lane's, keeps all that comes after it waiting.
Beyond so many rows it ends as it is: a shorter column costs a few bytes a row, and only its own rows. 10 lanes fill
10 columns at once, so there is room for each; a row takes about 150 bytes."""

CHARACTERS_PER_BATCH = 4 << 20
"""Longest text in a sealed file's column, whatever a server sends as one chunk: nine chunks of 8 MiB are no column that a
unit could hold. A column of ordinary tokens has 64 KiB."""

ROW_CHARACTERS = 256
"""So much text counts as a row of `ROWS_HELD`, which so never hold more than 64 Mi characters."""


def joined(events: Iterable[AnyEvent]) -> Iterator[AnyEvent]:
    """Yield ``events`` as a sealed file holds them, in time order: columns joined per lane and source, no heads, no ends.

    ``events`` must come in time order. Cost: a few steps per row; memory for `ROWS_HELD` rows and the events among them.
    """
    joiner = _Joiner()
    for event in events:
        yield from joiner.take(event)
    yield from joiner.finish()


class _Joiner:
    """Columns that are being filled, and what is whole but may not be yielded before they are."""

    def __init__(self) -> None:
        self._lanes: dict[int, _LaneRows] = {}
        self._runs = SampleRuns()
        self._whole: list[tuple[int, int, int, int, AnyEvent]] = []
        self._made = 0
        self._held = 0

    def take(self, event: AnyEvent) -> Iterator[AnyEvent]:
        """Take the next event; yield what is settled now: nothing still to come belongs before it."""
        if isinstance(event, Head | Finish):
            return
        self._held += _size(event)
        if isinstance(event, Tokens):
            self._take_chunks(event)
        elif isinstance(event, Samples):
            self._put(1, *self._runs.take(event))
        else:
            self._put(0, event)
        yield from self._settled(event.t)
        while self._held > ROWS_HELD * ROW_CHARACTERS and self._end_earliest(event.t):
            yield from self._settled(event.t)

    def finish(self) -> Iterator[AnyEvent]:
        """Yield the rest."""
        for lane, rows in self._lanes.items():
            rows.pass_by(inf)
            while rows.ready:
                self._end_column(lane, _rows_of_a_batch(rows.ready))
        self._put(1, *self._runs.finish())
        while self._whole:
            yield heapq.heappop(self._whole)[-1]

    def _take_chunks(self, batch: Tokens) -> None:
        rows = self._lanes.setdefault(batch.lane, _LaneRows())
        rows.take(batch)
        rows.pass_by(batch.t)
        while len(rows.ready) >= CHUNKS_PER_BATCH:
            self._end_column(batch.lane, CHUNKS_PER_BATCH)
        while rows.characters > CHARACTERS_PER_BATCH and rows.ready:
            self._end_column(batch.lane, _rows_of_a_batch(rows.ready))

    def _settled(self, now_ns: int) -> Iterator[AnyEvent]:
        """Yield what is whole and begins before every column that is not, and before ``now_ns``, where the next may begin."""
        whole = self._whole
        if not whole or whole[0][0] >= now_ns:
            return
        edge_ns = min((start for start, _ in self._open()), default=now_ns)
        while whole and whole[0][0] < min(edge_ns, now_ns):
            event = heapq.heappop(whole)[-1]
            self._held -= _size(event)
            yield event

    def _open(self) -> Iterator[tuple[int, int | None]]:
        """Yield the beginning of every column that is being filled, and its lane; None for readings."""
        for lane, rows in self._lanes.items():
            if (start := rows.earliest_ns) is not None:
                yield start, lane
        if (start := self._runs.earliest_ns) is not None:
            yield start, None

    def _end_earliest(self, now_ns: int) -> bool:
        """End the open column that begins first, with the rows that nothing can come between; return False if it has none."""
        start, lane = min(self._open(), key=lambda column: column[0], default=(now_ns, None))
        if start >= now_ns:
            return False
        if lane is None:
            self._put(1, self._runs.end_earliest())
        else:
            self._lanes[lane].pass_by(now_ns)
            self._end_column(lane, min(CHUNKS_PER_BATCH, len(self._lanes[lane].ready)))
        return True

    def _end_column(self, lane: int, size: int) -> None:
        """Make a column of the first ``size`` rows that are ready."""
        rows = self._lanes[lane]
        column = columns(lane, rows.ready[:size])
        del rows.ready[:size]
        rows.characters -= sum(map(len, column.x))
        self._put(2, column)

    def _put(self, rank: int, *events: AnyEvent) -> None:
        """Keep what is whole, to be yielded by time; of one instant by ``rank``, then by lane, then as it was made."""
        for event in events:
            self._made += 1
            lane = event.lane if isinstance(event, Tokens) else 0
            heapq.heappush(self._whole, (event.t, rank, lane, self._made, event))


class _LaneRows:
    """A lane's rows that are in no column yet: those ``ready``, in time order, and whole batches that reach further.

    Each row is moved once, however many batches overlap: a thousand requests at once, imported as a batch each, do.
    ``characters`` counts the text of all.
    """

    def __init__(self) -> None:
        self.ready: list[ChunkRow] = []
        self.characters = 0
        self._ahead: list[tuple[int, int, int, list[ChunkRow], Iterator[ChunkRow]]] = []
        self._taken = 0

    @property
    def earliest_ns(self) -> int | None:
        """The instant of the first row; None where there is none."""
        if self.ready:
            return self.ready[0][0]
        return self._ahead[0][0] if self._ahead else None

    def take(self, batch: Tokens) -> None:
        """Take a batch that begins no earlier than any before it."""
        if rows := chunk_rows(batch):
            self._taken += 1
            self.characters += sum(map(len, batch.x))
            heapq.heappush(self._ahead, (rows[0][0], self._taken, 0, rows, iter(rows)))

    def pass_by(self, now_ns: float) -> None:
        """Make every row up to an instant ready; those of one instant stay in the order in which they came."""
        passed: list[tuple[int, Iterator[ChunkRow]]] = []
        ahead = self._ahead
        while ahead and ahead[0][0] <= now_ns:
            _, number, start, rows, left = ahead[0]
            if rows[-1][0] <= now_ns:
                heapq.heappop(ahead)
                passed.append((number, left))
            else:
                end = bisect_right(rows, now_ns, start, key=_t_ns)
                heapq.heapreplace(ahead, (rows[end][0], number, end, rows, left))
                passed.append((number, islice(left, end - start)))
        if len(passed) == 1:
            self.ready.extend(passed[0][1])
        elif passed:
            passed.sort(key=_number)
            self.ready.extend(sorted(chain.from_iterable(rows for _, rows in passed), key=_t_ns))


def _number(passed: tuple[int, Iterator[ChunkRow]]) -> int:
    return passed[0]


def _size(event: AnyEvent) -> int:
    """Return what an event counts in `ROWS_HELD`, in characters; the same however its rows are joined."""
    if isinstance(event, Tokens):
        return ROW_CHARACTERS * len(event.d) + sum(map(len, event.x))
    return ROW_CHARACTERS * (len(event.d) if isinstance(event, Samples) else 1)


def _rows_of_a_batch(rows: list[ChunkRow]) -> int:
    """Return how many of the first ``rows`` are one column by their number and their text: one at least."""
    characters = accumulate(len(row[2]) for row in islice(rows, CHUNKS_PER_BATCH))
    return max(1, sum(1 for _ in takewhile(lambda total: total <= CHARACTERS_PER_BATCH, characters)))


def _t_ns(row: ChunkRow) -> int:
    return row[0]
