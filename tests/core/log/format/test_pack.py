"""Packing: any chunks come back as they were, and what does not fit together is refused."""

from itertools import accumulate
from typing import TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.errors import LogError
from racelog.events import PackedTokens, Tokens
from racelog.log.format.codec import decode_events, encode_events
from racelog.log.format.pack import pack, unpack
from racelog.log.format.units import SEALED_LEVEL, Trailer, UnitKind, UnitScanner, decode_payload, encode_unit

E = TypeVar("E")
GAPS = st.one_of(st.integers(0, 100), st.integers(0, (1 << 48) - 1))


def column(of: st.SearchStrategy[E], size: int) -> st.SearchStrategy[list[E]]:
    return st.lists(of, min_size=size, max_size=size)


@st.composite
def batches(draw: st.DrawFn) -> Tokens:
    r = draw(st.lists(st.integers(-3, 12), max_size=60))
    size = len(r)
    return Tokens(
        t=draw(st.integers(-5, 1 << 40)),
        lane=draw(st.integers(0, 9)),
        r=r,
        d=draw(column(GAPS, size)),
        x=draw(column(st.text(max_size=5), size)),
        c=draw(st.just("") | st.text("crtom", min_size=size, max_size=size)),
        n=draw(st.just([]) | column(st.none() | st.integers(0, 9), size)),
        s=draw(st.just("") | st.text("kKuU", min_size=size, max_size=size)),
    )


def packed_of(r: list[int]) -> PackedTokens:
    packed = pack(Tokens(t=0, lane=0, r=r, d=list(range(len(r))), x=[f"{i}" for i in range(len(r))]))
    assert isinstance(packed, PackedTokens)
    return packed


@given(batches())
def test_any_chunks_come_back_as_they_were(batch: Tokens) -> None:
    packed = pack(batch)

    assert isinstance(packed, PackedTokens)
    assert unpack(packed) == batch


@given(batches())
def test_a_packed_line_reads_as_the_chunks_themselves(batch: Tokens) -> None:
    line = encode_events([batch], packed=True)

    assert b'"tok.packed"' in line
    assert decode_events(line) == [batch]


@given(batches())
def test_the_texts_of_a_request_stand_together_and_in_order(batch: Tokens) -> None:
    packed = pack(batch)
    assert isinstance(packed, PackedTokens)
    carried = [(track[i], track[i + 1]) for track in packed.q for i in range(0, len(track), 2)]
    ends = list(accumulate((count for _, count in carried), initial=0))

    texts = {
        request: packed.x[start:end]
        for (request, _), start, end in zip(carried, ends, ends[1:], strict=False)
    }

    assert texts == {
        request: [text for one, text in zip(batch.r, batch.x, strict=True) if one == request]
        for request in set(batch.r)
    }


def test_a_request_takes_the_lowest_track_that_is_free() -> None:
    packed = packed_of([5, 6, 5, 7, 6, 8])

    assert (packed.q, packed.r) == ([[5, 2, 7, 1, 8, 1], [6, 2]], "010010")


def test_a_gap_of_centuries_is_left_as_it_is() -> None:
    batch = Tokens(t=0, lane=0, r=[0, 0], d=[0, 1 << 48], x=["a", "b"])

    assert pack(batch) is batch


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"r": "0101010"}, "3 rows|7 rows"),
        ({"r": "022"}, "no track"),
        ({"r": "000"}, "more chunks than it says"),
        ({"q": [[5, 2], [6, 1 << 60]]}, "chunks on tracks"),
        ({"q": [[5, 4], [6, -1]]}, "chunks on tracks"),
        ({"q": [[5, 2, 7], [6, 1]]}, "no count"),
        ({"x": ["a"]}, "1 texts"),
        ({"d": ["AA"]}, "strings of 3 digits"),
        ({"d": ["AAA"] * 9}, "at most 8"),
        ({"d": ["A=A"]}, "digits|padding|data"),
        ({"d": ["AéA"]}, "ascii"),
    ],
)
def test_columns_that_do_not_fit_one_another_are_refused(change: dict[str, object], why: str) -> None:
    wrong = msgspec.structs.replace(packed_of([5, 6, 5]), **change)

    with pytest.raises(LogError, match=why):
        unpack(wrong)


def test_blocks_end_at_columns_and_read_as_one_frame() -> None:
    batch = Tokens(
        t=0, lane=0, r=[i % 7 for i in range(9000)], d=[i * 977 % 100_003 for i in range(9000)],
        x=[f" word{i % 501}" for i in range(9000)],
    )  # fmt: skip
    payload = encode_events([batch], packed=True)
    unit = encode_unit(payload, Trailer(UnitKind.DATA, 1, 1, 0, 0, 1), level=SEALED_LEVEL)

    (found,) = UnitScanner().feed(unit)

    assert decode_payload(found) == payload  # type: ignore[arg-type]  # a unit, or the payload would not decode
