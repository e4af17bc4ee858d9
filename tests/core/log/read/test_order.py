"""Units that come by their beginnings give their events in the one order that events have everywhere."""

from hypothesis import given
from hypothesis import strategies as st

from racelog.events import Mark
from racelog.log.format.codec import OrderedEvent
from racelog.log.read.index import UnitSpan
from racelog.log.read.order import in_order

UNITS = st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=5), max_size=8)


@given(UNITS)
def test_events_come_as_sorting_all_of_them_would_give(units: list[list[int]]) -> None:
    held: dict[UnitSpan, list[OrderedEvent]] = {}
    for number, instants in enumerate(units):
        writer, seq = number % 3, number // 3
        span = UnitSpan(min(instants), writer, seq, max(instants), 0, 0, 0)
        held[span] = [(t, writer, seq, place, Mark(t=t, label="")) for place, t in enumerate(instants)]

    got = list(in_order(sorted(held), lambda span: held[span]))

    assert (
        sorted((entry for entries in held.values() for entry in entries), key=lambda entry: entry[:4]) == got
    )


def test_a_unit_is_read_when_its_events_are_due() -> None:
    read: list[int] = []

    def events(span: UnitSpan) -> list[OrderedEvent]:
        read.append(span.t_min)
        return [(span.t_min, 1, span.seq, 0, Mark(t=span.t_min, label=""))]

    first = next(in_order([UnitSpan(t, 1, t, t, 0, 0, 0) for t in range(5)], events))

    assert (first[0], read) == (0, [0])
