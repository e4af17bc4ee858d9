"""Chunks gathered as rows and taken as columns: all of them, in time order, however many and in whatever order they came."""

from hypothesis import given
from hypothesis import strategies as st

from racelog.events import Tokens
from racelog.log.rows.chunks import ChunkRow, columns
from racelog_recorder.journal.chunks import OVERLAP, PORTION, ChunkColumns


def gathered(*rows: ChunkRow) -> ChunkColumns:
    chunks = ChunkColumns(0)
    for row in rows:
        chunks.add(*row)
    return chunks


def test_columns_are_given_in_time_order_whatever_the_order_of_arrival() -> None:
    chunks = gathered((30, 1, "late", "c", None, "k"), (10, 2, "early", "r", None, "u"))

    batch = chunks.take()

    assert batch == Tokens(t=10, lane=0, r=[2, 1], d=[0, 20], x=["early", "late"], c="rc", s="uk")
    assert chunks.take() is None


@given(
    st.integers(1, 4 * PORTION),
    st.lists(st.tuples(st.integers(0, 4 * PORTION), st.integers(-3000, 3000)), max_size=8),
    st.lists(st.integers(0, 4 * PORTION), max_size=5),
)
def test_many_are_taken_as_if_they_had_been_sorted_at_once(
    size: int, astray: list[tuple[int, int]], marked: list[int]
) -> None:
    """Rows a little or far from their place, some coalesced, some with a count or of another kind."""
    moved, joined = dict(astray), set(marked)
    rows: list[ChunkRow] = [
        (10 * number + moved.get(number, 0), number % 7, f"x{number}", "cr"[number % 5 == 0], number % 3 or None, "ku"[number % 2])
        for number in range(size)
    ]  # fmt: skip
    chunks = ChunkColumns(0)
    for number, row in enumerate(rows):
        chunks.add(*row)
        if number in joined:
            chunks.mark_coalesced()
            rows[number] = (*row[:5], row[5].upper())

    assert (len(chunks), chunks.take()) == (size, columns(0, sorted(rows, key=lambda row: row[0])))


def test_of_those_of_one_instant_the_first_added_stays_the_first() -> None:
    rows = [(0, number, "", "c", None, "k") for number in range(2 * (PORTION + OVERLAP))]

    batch = gathered(*rows).take()

    assert batch is not None
    assert batch.r == list(range(len(rows)))
