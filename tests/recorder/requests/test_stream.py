"""A response body becomes chunks: kinds, stamps, and which arrivals a read hides."""

from pathlib import Path
from typing import Any

import pytest

from racelog.events import Tokens
from racelog_recorder.journal.chunks import ChunkColumns
from racelog_recorder.requests.stream import StreamSink
from racelog_recorder.transports.pump.stamps import Arrival

SAMPLES = Path(__file__).parents[1] / "samples"


def sunk(*reads: bytes, stamp: str = "k") -> tuple[Tokens | None, StreamSink]:
    """Feed each of ``reads`` as one read, a microsecond apart, to a stream of request 7 in lane 2."""
    columns = ChunkColumns(2)
    sink = StreamSink(columns, 7, origin_ns=1000)
    for number, data in enumerate(reads):
        sink.read_begins(Arrival(2000 + 1000 * number, stamp))
        sink.body(data)
        sink.read_ends()
    return columns.take(), sink


def test_chunks_carry_request_text_and_time_since_the_origin(wire: Any) -> None:
    batch, _ = sunk(wire.content("a"), wire.content("b"))

    assert batch == Tokens(t=1000, lane=2, r=[7, 7], d=[0, 1000], x=["a", "b"])


def test_all_but_the_last_message_of_a_read_are_coalesced(wire: Any) -> None:
    batch, _ = sunk(wire.content("a") + wire.content("b") + wire.content("c"), wire.content("d"))

    assert batch is not None
    assert batch.s == "KKkk"


def test_the_last_message_too_when_more_bytes_follow_it_in_the_read(wire: Any) -> None:
    batch, _ = sunk(wire.content("a") + b"data: {", b'"choices":[]}\n\n')

    assert batch is not None
    assert batch.s == "Kk"


@pytest.mark.parametrize("tail", [b": ping\n\n", b": ping", b"id: 7\n", b"\n: x\n"])
def test_a_message_with_anything_behind_it_in_its_read_is_coalesced(wire: Any, tail: bytes) -> None:
    batch, _ = sunk(wire.content("a") + tail)

    assert batch is not None
    assert batch.s == "K"


def test_user_stamps_are_told_in_every_row(wire: Any) -> None:
    batch, _ = sunk(wire.content("a") + wire.content("b"), stamp="u")

    assert batch is not None
    assert batch.s == "Uu"


def test_the_done_marker_is_no_chunk(wire: Any) -> None:
    batch, sink = sunk(wire.content("a"), wire.FINISH, wire.DONE)

    assert batch is not None
    assert (batch.c, sink.facts.done, sink.facts.finish_reason) == ("cm", True, "stop")


def test_a_server_that_counts_on_every_frame_gives_tokens_per_chunk() -> None:
    frames = [
        b'data: {"choices":[{"delta":{"content":"%s"}}],"usage":{"completion_tokens":%d}}\n\n' % (text, total)
        for text, total in [(b"a", 1), (b"bcde", 5), (b"f", 6)]
    ]
    batch, _ = sunk(*frames)

    assert batch is not None
    assert batch.n == [1, 4, 1]


def test_a_server_that_sends_token_ids_gives_tokens_per_chunk() -> None:
    frames = [
        b'data: {"choices":[{"delta":{"content":"a"},"token_ids":[1]}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"bcd"},"token_ids":[2,3,4]}]}\n\n',
    ]
    batch, _ = sunk(*frames)

    assert batch is not None
    assert batch.n == [1, 3]


def test_usage_on_the_last_text_frame_alone_counts_no_chunk(wire: Any) -> None:
    last = b'data: {"choices":[{"delta":{"content":"b"}}],"usage":{"completion_tokens":9}}\n\n'
    batch, sink = sunk(wire.content("a"), last)

    assert batch is not None
    assert batch.n == []
    assert sink.facts.usage is not None


@pytest.mark.parametrize(
    ("bad", "kind"),
    [(b"data: nonsense\n\n", "malformed"), (b'data: {"error":"boom"}\n\n', "error_event")],
)
def test_what_goes_wrong_in_a_stream_has_a_name_and_ends_it(wire: Any, bad: bytes, kind: str) -> None:
    batch, sink = sunk(wire.content("a"), bad, wire.content("never"))

    assert sink.facts.failure is not None
    assert sink.facts.failure[0] == kind
    assert batch is not None
    assert batch.x == ["a"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b'{"message": "out of memory"}', "out of memory"), (b'{"error": {"message": "boom", "code": 500}}', "boom (500)"),
        (b'{"error": "boom"}', "boom"), (b"plain words", "plain words"), (b"", "an event named error, without a word"),
        (b'{"choices":[{"delta":{"content":"b"}}]}', '{"choices":[{"delta":{"content":"b"}}]}'),
        (b'{"message": "half \\ud83d"}', "half \ufffd"), (b"[DONE]", "[DONE]"), (b"[" * 100_000, "[" * 100_000),
    ],
    ids=["message", "object", "words", "plain", "nothing", "chunk", "surrogate", "done", "deep"],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 100_100])
def test_an_event_named_error_is_one_whatever_it_says(wire: Any, said: bytes, told: str, size: int) -> None:
    data = b"event: error\ndata: " + said + b"\n\n"
    batch, sink = sunk(wire.content("a"), *(data[i : i + size] for i in range(0, len(data), size)))

    assert sink.facts.failure == ("error_event", told)
    assert batch is not None
    assert batch.x == ["a"]


@pytest.mark.parametrize(
    "name", [b"event: message\n", b"event: errors\n", b"event: error\n\n", b"event: error\nevent:\n"]
)
def test_only_the_event_that_is_named_error_is_one(wire: Any, name: bytes) -> None:
    batch, sink = sunk(name + wire.content("a"))

    assert batch is not None
    assert (sink.facts.failure, batch.x) == (None, ["a"])


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_a_real_stream_gives_the_same_text_in_any_reads(size: int) -> None:
    data = (SAMPLES / "xllamacpp.sse").read_bytes()
    batch, sink = sunk(*(data[i : i + size] for i in range(0, len(data), size)))

    assert batch is not None
    assert (sink.facts.token_chunks, sink.facts.finish_reason) == (64, "length")
    assert "".join(batch.x).startswith("1. Red:")
