"""The order of events everywhere, from units that come by their beginnings: what sorting the whole log would give."""

import heapq
from collections.abc import Callable, Iterable, Iterator

from racelog.log.format.codec import OrderedEvent
from racelog.log.read.index import UnitSpan


def in_order(
    spans: Iterable[UnitSpan], read: Callable[[UnitSpan], Iterable[OrderedEvent]]
) -> Iterator[OrderedEvent]:
    """Yield what ``read`` gives of each span, by (t, writer, seq, position).

    The spans come by their beginnings, and nothing in a unit is earlier than its own. Memory: the units that overlap.
    """
    waiting: list[OrderedEvent] = []
    for span in spans:
        while waiting and waiting[0][0] < span.t_min:
            yield heapq.heappop(waiting)
        for entry in read(span):
            heapq.heappush(waiting, entry)
    while waiting:
        yield heapq.heappop(waiting)
