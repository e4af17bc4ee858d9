"""A batch of chunks as rows, and rows as a batch: one chunk a row, with the defaults of its columns filled in."""

from operator import sub

from msgspec.structs import replace

from racelog.events import AnyEvent, Tokens
from racelog.log.rows.times import row_times

ChunkRow = tuple[int, int, str, str, int | None, str]
"""(t, request, text, kind code, tokens, stamp code)."""


def chunk_rows(batch: Tokens) -> list[ChunkRow]:
    """Return a batch as rows, in its order."""
    size = len(batch.r)
    kinds = batch.c or "c" * size
    counts = batch.n or [None] * size
    stamps = batch.s or "k" * size
    return list(zip(row_times(batch), batch.r, batch.x, kinds, counts, stamps, strict=True))


def columns(lane: int, rows: list[ChunkRow]) -> Tokens:
    """Return rows in time order, at least one, as one batch, leaving out the columns that hold only defaults."""
    t, requests, texts, kinds, counts, stamps = zip(*rows, strict=True)
    return without_defaults(
        Tokens(
            t=t[0], lane=lane, r=list(requests), d=[0, *map(sub, t[1:], t)], x=list(texts),
            c="".join(kinds), n=list(counts), s="".join(stamps),
        )
    )  # fmt: skip


def halves(event: AnyEvent) -> list[AnyEvent]:
    """Return two batches that hold the rows of ``event``; what has no two rows of chunks, alone as it is."""
    if not isinstance(event, Tokens) or len(event.r) < 2:  # noqa: PLR2004 - one row cannot be parted
        return [event]
    rows = chunk_rows(event)
    middle = len(rows) // 2
    return [columns(event.lane, rows[:middle]), columns(event.lane, rows[middle:])]


def without_defaults(batch: Tokens) -> Tokens:
    """Return a batch whose columns are all there, without those that hold only defaults."""
    size = len(batch.r)
    return replace(
        batch,
        c="" if batch.c.count("c") == size else batch.c,
        n=[] if batch.n.count(None) == size else batch.n,
        s="" if batch.s.count("k") == size else batch.s,
    )
