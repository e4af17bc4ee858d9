"""What of an event lies in a stretch of time: all of it, some of its rows, or nothing."""

from bisect import bisect_left

import msgspec

from racelog.events import AnyEvent, Tokens
from racelog.log.rows.rows import sample_rows
from racelog.log.rows.samples import Samples
from racelog.log.rows.times import row_times


def part_between(event: AnyEvent, start_ns: int, end_ns: int) -> AnyEvent | None:
    """Return the part of ``event`` from ``start_ns`` to before ``end_ns``; None when nothing lies there.

    Rows keep their instants: an event that lost its first rows begins at the first one left.
    """
    if not isinstance(event, Tokens | Samples) or not event.d:
        return event if start_ns <= event.t < end_ns else None
    times = row_times(event)
    first, stop = bisect_left(times, start_ns), bisect_left(times, end_ns)
    if first >= stop:
        return None
    if stop - first == len(times):
        return event
    return (
        _chunks(event, times[first], first, stop)
        if isinstance(event, Tokens)
        else sample_rows(event, first, stop)
    )


def _chunks(batch: Tokens, t: int, first: int, stop: int) -> Tokens:
    return msgspec.structs.replace(
        batch, t=t, r=batch.r[first:stop], d=[0, *batch.d[first + 1 : stop]], x=batch.x[first:stop],
        c=batch.c[first:stop], n=batch.n[first:stop], s=batch.s[first:stop],
    )  # fmt: skip
