"""A batch of chunks as rows, and rows as a batch: one chunk a row, with the defaults of its columns filled in."""

from itertools import accumulate, pairwise

from racelog.events import Tokens

ChunkRow = tuple[int, int, str, str, int | None, str]
"""(t, request, text, kind code, tokens, stamp code)."""


def chunk_rows(batch: Tokens) -> list[ChunkRow]:
    """Return a batch as rows, in its order."""
    size = len(batch.r)
    times = list(accumulate(batch.d, initial=batch.t))[1:]
    kinds = batch.c or "c" * size
    counts = batch.n or [None] * size
    stamps = batch.s or "k" * size
    return list(zip(times, batch.r, batch.x, kinds, counts, stamps, strict=True))


def columns(lane: int, rows: list[ChunkRow]) -> Tokens:
    """Return rows in time order, at least one, as one batch, leaving out the columns that hold only defaults."""
    times, requests, texts, kinds, counts, stamps = zip(*rows, strict=True)
    deltas = [0, *(later - earlier for earlier, later in pairwise(times))]
    return Tokens(
        t=times[0],
        lane=lane,
        r=list(requests),
        d=deltas,
        x=list(texts),
        c="" if all(kind == "c" for kind in kinds) else "".join(kinds),
        n=[] if all(count is None for count in counts) else list(counts),
        s="" if all(stamp == "k" for stamp in stamps) else "".join(stamps),
    )
