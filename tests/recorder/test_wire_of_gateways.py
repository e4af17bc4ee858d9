"""More streams as gateways send them: ends without their line's end, counts of each chunk alone, other framings, odd encodings."""

import gzip
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from racelog.events import RequestEnd, Usage
from racelog_recorder.journal.chunks import ChunkColumns
from racelog_recorder.requests.stream import StreamSink
from racelog_recorder.transports.pump.exchange import Exchange
from racelog_recorder.transports.pump.stamps import Arrival
from tests.recorder.requesting import recorded
from tests.recorder.scripted import DONE, FINISH, HEAD, USAGE, chunked, content, event, read_request
from tests.recorder.test_wire import OK, answered, ended, kinds_and_texts, stays_open, times_of, usage


@pytest.mark.parametrize("done", [[b"data: [DONE]"], [b"data:[DONE]"], [b"data: [DO", b"NE]"]])
def test_a_done_needs_no_end_of_its_line(tmp_path: Path, scripted: Any, done: list[bytes]) -> None:
    log = recorded(tmp_path, scripted(stays_open(content("a"), FINISH, USAGE, *done)).url)

    assert (ended(log), [found.output_tokens for found in log.of(Usage)]) == (OK, [2])


def test_a_mark_before_every_event_is_passed_over(tmp_path: Path, scripted: Any) -> None:
    mark = b"\xef\xbb\xbf"
    log = answered(tmp_path, scripted, *(mark + one for one in (content("a"), content("b"), FINISH, DONE)))

    assert (ended(log), kinds_and_texts(log)) == (OK, [("c", "a"), ("c", "b")])


def counted(text: str, tokens: int) -> bytes:
    return event(
        json.dumps({"choices": [{"delta": {"content": text}}], "usage": {"completion_tokens": tokens}})
    )


@pytest.mark.parametrize(
    ("counts", "output_tokens"),
    [
        ([1, 1, 1, 1], None),  # each chunk's own
        ([2, 1, 2, 1], None),
        ([1, 2, 2, 3], 3),  # half a token each: a count of all so far may stay, and never falls
        ([6, 6, 6, 6], 6),  # all of the answer from the first on
        ([4, 6, 8, 10], 10),
    ],
)
def test_a_count_of_each_chunk_alone_is_no_count_of_the_answer(
    tmp_path: Path, scripted: Any, counts: list[int], output_tokens: int | None
) -> None:
    frames = [counted(text, tokens) for text, tokens in zip("abcd", counts, strict=True)]
    log = answered(tmp_path, scripted, *frames, FINISH, usage(prompt_tokens=3), DONE)

    assert [(found.input_tokens, found.output_tokens) for found in log.of(Usage)] == [(3, output_tokens)]


def test_why_groq_stopped_a_stream_is_told(tmp_path: Path, scripted: Any) -> None:
    stopped = event(json.dumps({"choices": [{"delta": {}}], "x_groq": {"id": "r", "error": "over capacity"}}))

    assert ended(answered(tmp_path, scripted, content("a"), stopped)) == (
        "failed",
        "error_event",
        "over capacity",
    )


def test_a_finish_reason_may_be_an_object(tmp_path: Path, scripted: Any) -> None:
    finish = event(json.dumps({"choices": [{"delta": {}, "finish_reason": {"type": "stop"}}]}))
    log = answered(tmp_path, scripted, content("a"), finish, DONE)

    assert [(end.status, end.finish_reason) for end in log.of(RequestEnd)] == [("ok", "stop")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"choices":[{"delta":{"content":"a"}}]}\n', "JSON without data: before it"),
        (b' data: {"choices":[]}\n\n', "do not begin with data:"),
        (b'Data: {"choices":[]}\n\n', "do not begin with data:"),
    ],
)
def test_an_answer_in_another_framing_is_told(tmp_path: Path, scripted: Any, line: bytes, words: str) -> None:
    status, error, message = ended(answered(tmp_path, scripted, line, line))

    assert (status, error, words in message) == ("failed", "truncated", True)


@pytest.mark.parametrize("encoding", [b"none", b"utf-8", b"identity", b"None, identity"])
def test_an_encoding_that_changes_nothing_is_none(tmp_path: Path, scripted: Any, encoding: bytes) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        head = HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: " + encoding + b"\r\n\r\n")
        connection.sendall(head + chunked(content("a") + FINISH + DONE))

    assert ended(recorded(tmp_path, scripted(script).url)) == OK


def test_a_cut_stream_of_another_content_type_is_cut(tmp_path: Path, scripted: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        head = HEAD.replace(b"text/event-stream", b"application/octet-stream")
        connection.sendall(head + chunked(content("a") + content("b")))

    assert ended(recorded(tmp_path, scripted(script).url)) == (
        "failed", "truncated", "the stream ended after 2 token chunks without a finish reason",
    )  # fmt: skip


@pytest.mark.parametrize("transport", ["pump", "httpx"])
def test_a_packed_answer_that_is_handed_on_in_parts_is_whole(
    tmp_path: Path, scripted: Any, transport: str
) -> None:
    words = [f"w{number} " for number in range(30_000)]
    packed = gzip.compress(b"".join([*map(content, words), FINISH, DONE]))

    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.sendall(HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"))
        connection.sendall(chunked(packed))

    log = recorded(tmp_path, scripted(script).url, transport=transport)

    assert ended(log) == OK
    assert [text for _, text in kinds_and_texts(log)] == words


def test_a_lane_may_write_what_it_has_between_two_parts_of_a_read() -> None:
    columns = ChunkColumns(0)
    sink = StreamSink(columns, 0, 0)
    exchange = Exchange(sink)
    packed = gzip.compress(content("word ") * 30_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    exchange.feed(head + packed, Arrival(1, "k"))
    while exchange.unfolding:
        columns.take()
        exchange.go_on()

    assert (exchange.finished, sink.facts.token_chunks) == (True, 30_000)


def test_a_read_whose_stamp_is_before_that_of_the_one_before_it_comes_behind_it() -> None:
    columns = ChunkColumns(0)
    sink = StreamSink(columns, 0, 0)
    for text, t_ns in (("a", 2000), ("b", 1990), ("c", 3000)):
        sink.read_begins(Arrival(t_ns, "k"))
        sink.body(content(text))
        sink.read_ends()
    batch = columns.take()

    assert batch is not None
    assert (batch.x, times_of(batch)) == (["a", "b", "c"], [2000, 2000, 3000])
