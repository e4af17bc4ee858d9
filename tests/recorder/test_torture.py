"""Streams at their worst over real sockets: whatever comes, each request ends as a success or as a named failure."""

import socket
from pathlib import Path
from typing import Any

import pytest

from racelog.events import RequestEnd, Tokens
from racelog.faults import KINDS
from racelog.log.read.reader import RaceLog
from tests.recorder.requesting import cancelled_at_first_token, outcome, recorded


def texts(log: RaceLog) -> dict[int, str]:
    """Return each request's text."""
    said: dict[int, str] = {}
    for batch in log.of(Tokens):
        for number, text in zip(batch.r, batch.x, strict=True):
            said[number] = said.get(number, "") + text
    return said


@pytest.mark.parametrize("transport", ["pump", "httpx"])
def test_a_reset_at_every_byte_is_a_named_failure_and_its_text_a_beginning(
    tmp_path: Path, scripted: Any, wire: Any, transport: str
) -> None:
    whole = wire.HEAD + wire.chunked(wire.content("a"), wire.content("b"), wire.FINISH, wire.DONE)

    def script(connection: socket.socket, number: int) -> None:
        wire.read_request(connection)
        connection.sendall(whole[:number])
        wire.reset(connection)

    log = recorded(tmp_path, scripted(script).url, requests=len(whole), transport=transport)
    ends = list(log.of(RequestEnd))

    assert len(ends) == len(whole)
    assert {end.error for end in ends if end.status == "failed"} <= {"reset", "truncated"}
    assert all("ab".startswith(text) for text in texts(log).values())
    done = len(whole) - len(b"7\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
    assert all(end.status == "failed" for end in ends[:done])


@pytest.mark.parametrize(
    "case",
    [
        (b"\xef\xbb\xbfCONTENTFINISH", ("ok", "")),
        (b": comment\n\nCONTENT: another\nFINISH", ("ok", "")),
        (b'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\nCONTENTFINISH', ("ok", "")),
        (b'CONTENTFINISHdata: {"choices":[],"usage":{"completion_tokens":1}}\n\n', ("ok", "")),
        (b'data: {"choices":[{"delta":\ndata: {"content":"a"}}]}\n\nFINISH', ("ok", "")),
        (b'data: {"choices":[{"delta":{"content":"\xff\xfe"}}]}\n\nFINISH', ("ok", "")),
        (b'data: {"choices":[{"delta":{"content":"' + b"x" * 10_000_000 + b'"}}]}\n\nFINISH', ("ok", "")),
        (b"data: " + b"x" * 17_000_000, ("failed", "malformed")),
        (b'CONTENTdata: {"object":"error","message":"out of memory"}\n\n', ("failed", "error_event")),
        (b'CONTENTevent: error\ndata: {"error":{"message":"x"}}\n\n', ("failed", "error_event")),
        (b"CONTENT", ("failed", "truncated")),
        (b"CONTENTdata: [DONE]\n\n", ("failed", "truncated")),
        (b"<html>\n\n", ("failed", "truncated")),
        (b"data: <html>\n\n", ("failed", "malformed")),
    ],
    ids=[
        "byte-order-mark", "comments", "role-only", "usage-only", "multi-line-data", "invalid-utf-8", "10-MB-line",
        "17-MB-line", "error-frame", "error-event", "no-finish", "done-without-finish", "no-events", "no-json",
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_an_odd_stream_is_read_or_named(
    tmp_path: Path, scripted: Any, wire: Any, case: tuple[bytes, tuple[str, str]], ending: bytes
) -> None:
    body, expected = case
    stream = (
        body.replace(b"CONTENT", wire.content("a")).replace(b"FINISH", wire.FINISH).replace(b"\n", ending)
    )

    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(wire.HEAD + wire.chunked(stream))

    assert outcome(recorded(tmp_path, scripted(script).url)) == expected


def test_what_is_broken_is_not_read_to_its_end(tmp_path: Path, scripted: Any, wire: Any) -> None:
    seen: list[bytes] = []

    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(wire.HEAD + wire.chunked(b"data: <html>\n\n", last=False))
        seen.append(connection.recv(1))

    server = scripted(script)
    log = recorded(tmp_path, server.url)
    server.close()

    assert (outcome(log), seen) == (("failed", "malformed"), [b""])


def test_a_cancelled_request_closes_its_connection_and_is_recorded(
    tmp_path: Path, scripted: Any, wire: Any
) -> None:
    seen: list[bytes] = []

    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(wire.HEAD + wire.chunked(wire.content("a"), last=False))
        seen.append(connection.recv(1))

    server = scripted(script)
    log = cancelled_at_first_token(tmp_path, server.url)
    server.close()
    (end,) = log.of(RequestEnd)

    assert seen == [b""]
    assert (end.status, end.error, end.message) == (
        "cancelled",
        "",
        "the race was stopped or its time was up",
    )
    assert end.error not in KINDS
