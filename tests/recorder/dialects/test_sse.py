"""Bytes to server-sent events, by the HTML standard's §9.2 examples, real streams, and every split of them."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog_recorder.dialects.framing import MAX_EVENT_BYTES, StreamTooLong
from racelog_recorder.dialects.sse import SSEParser

SAMPLES = sorted((Path(__file__).parents[1] / "samples").glob("*.sse"))


def parse(*pieces: bytes) -> list[bytes]:
    parser = SSEParser()
    return [payload for piece in pieces for payload in parser.feed(piece)]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_every_line_ending_of_the_standard_dispatches(ending: bytes) -> None:
    assert parse(b"data: a" + ending * 2 + b"data: b" + ending * 2 + b":") == [b"a", b"b"]


def test_data_lines_of_one_event_join_with_a_newline() -> None:
    assert parse(b"data: a\ndata\ndata:b\n\n") == [b"a\n\nb"]


def test_only_one_leading_space_is_cut() -> None:
    assert parse(b"data:  a\n\n") == [b" a"]


def test_comments_and_other_fields_carry_no_payload() -> None:
    assert parse(b": ping\n\nevent: x\nid: 1\nretry: 5\n\ndata: a\n\n") == [b"a"]


def test_an_event_without_its_blank_line_is_not_dispatched_but_pending() -> None:
    parser = SSEParser()

    assert parser.feed(b"data: a\n") == []
    assert parser.pending


def test_a_byte_order_mark_is_passed_over_even_when_split() -> None:
    assert parse(b"\xef", b"\xbb\xbfdata: a\n\n") == [b"a"]


def test_a_crlf_split_between_reads_is_one_line_ending() -> None:
    assert parse(b"data: a\r", b"\n\r", b"\ndata: b\r\n\r\n") == [b"a", b"b"]


def test_an_endless_line_is_refused_at_the_limit() -> None:
    megabyte = b"x" * (1 << 20)

    with pytest.raises(StreamTooLong, match="exceeds 16777216 bytes"):
        parse(b"data: ", *[megabyte] * (MAX_EVENT_BYTES // len(megabyte)))


def test_many_short_lines_of_one_event_are_refused_at_the_same_limit() -> None:
    lines = b"data: x\n" * (1 << 18)

    with pytest.raises(StreamTooLong, match="exceeds 16777216 bytes"):
        parse(*[lines] * 64)


def test_a_long_line_in_small_pieces_arrives_whole() -> None:
    pieces = [b"x" * 1400] * 7000

    assert parse(b"data: ", *pieces, b"\n\n") == [b"x" * 1400 * 7000]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_real_stream_gives_the_same_events_byte_by_byte(sample: Path) -> None:
    data = sample.read_bytes()

    assert parse(*(data[i : i + 1] for i in range(len(data)))) == parse(data)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_real_stream_has_one_event_per_data_line(sample: Path) -> None:
    data = sample.read_bytes()

    assert len(parse(data)) == data.count(b"data: ")


@given(
    st.lists(st.sampled_from([b"data: x", b"data", b"\n", b"\r", b"\r\n", b":c", b"\n\n", "ü".encode()])),
    st.data(),
)
def test_any_split_of_any_bytes_gives_the_same_events(tokens: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(tokens)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    edges = [0, *cuts, len(stream)]

    assert parse(*(stream[a:b] for a, b in pairwise(edges))) == parse(stream)


@pytest.mark.parametrize(
    ("stream", "aside"),
    [
        (b"data: x\n\nInternal Server Error", b"Internal Server Error"),
        (b"data: x\n\nerror: {}\n\nmore\n", b"error: {}"),
        (b": a comment\nevent: e\nid: 1\nretry: 5\ndata: x\n\n", b""),
        (b"data: x", b""),
    ],
)
def test_a_line_that_is_no_field_is_passed_over_and_kept_aside(stream: bytes, aside: bytes) -> None:
    parser = SSEParser()
    for byte in stream:
        parser.feed(bytes([byte]))
    parser.finish()

    assert parser.aside == aside
