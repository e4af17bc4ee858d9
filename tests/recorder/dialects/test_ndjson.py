"""Bytes to lines of JSON: endings, blanks, marks, limits, and every split of them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog_recorder.dialects.framing import MAX_EVENT_BYTES, StreamTooLong
from racelog_recorder.dialects.ndjson import NDJSONParser


def parse(*pieces: bytes) -> list[bytes]:
    parser = NDJSONParser()
    return [line for piece in pieces for line in parser.feed(piece)] + parser.finish()


def test_a_line_is_a_message() -> None:
    assert parse(b'{"a":1}\n{"b":2}\n') == [b'{"a":1}', b'{"b":2}']


def test_crlf_and_blank_lines_are_white_space() -> None:
    assert parse(b"\r\n1\r\n\n \t\n2\r\n") == [b"1", b"2"]


def test_a_lone_cr_ends_no_line() -> None:
    assert parse(b"[1,\r2]\n") == [b"[1,\r2]"]


def test_the_last_line_needs_no_newline() -> None:
    assert parse(b"1\n2") == [b"1", b"2"]


def test_part_of_a_line_is_pending() -> None:
    parser = NDJSONParser()

    assert (parser.feed(b"1\n2"), parser.pending) == ([b"1"], True)


def test_a_byte_order_mark_is_passed_over_even_when_split() -> None:
    assert parse(b"\xef", b"\xbb\xbf1\n") == [b"1"]


def test_an_endless_line_is_refused_at_the_limit() -> None:
    megabyte = b"x" * (1 << 20)

    with pytest.raises(StreamTooLong, match="one line of the stream exceeds 16777216 bytes"):
        parse(*[megabyte] * (MAX_EVENT_BYTES // len(megabyte) + 1))


def test_a_line_of_ten_megabytes_in_small_pieces_arrives_whole() -> None:
    assert parse(*[b"x" * 1400] * 7000, b"\n") == [b"x" * 1400 * 7000]


@given(
    st.lists(
        st.sampled_from([b"{}", b"1", b"\n", b"\r\n", b"\r", b" ", b"\xef\xbb\xbf", "ü".encode(), b"\xff"])
    ),
    st.data(),
)
def test_any_split_of_any_bytes_gives_the_same_lines(tokens: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(tokens)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))

    assert parse(*(stream[a:b] for a, b in pairwise([0, *cuts, len(stream)]))) == parse(stream)
