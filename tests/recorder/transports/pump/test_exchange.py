"""One response parsed from bytes in any split: status, body pieces, and the ways it can go wrong."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog_recorder.transports.pump.exchange import MAX_HEADER_BYTES, MAX_HEADERS, Exchange
from racelog_recorder.transports.pump.stamps import Arrival

NOW = Arrival(1, "k")
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"


class Sink:
    """Keeps the body and the brackets around it."""

    def __init__(self) -> None:
        self.data = b""
        self.brackets = ""

    def read_begins(self, when: Arrival) -> None:
        assert when == NOW
        self.brackets += "["

    def body(self, data: bytes) -> None:
        self.data += data

    def read_ends(self) -> None:
        self.brackets += "]"


@pytest.mark.parametrize("response", [LENGTH, CHUNKED], ids=["length", "chunked"])
def test_the_body_reaches_the_sink_byte_by_byte(response: bytes) -> None:
    sink = Sink()
    exchange = Exchange(sink)
    for i in range(len(response)):
        exchange.feed(response[i : i + 1], NOW)

    assert (exchange.status, exchange.finished, exchange.keep_alive, sink.data) == (200, True, True, b"hello")
    assert sink.brackets == "[]" * len(response)


def test_an_error_body_is_kept_for_the_reader_not_streamed() -> None:
    sink = Sink()
    exchange = Exchange(sink)
    exchange.feed(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nwait", NOW)

    assert (sink.data, exchange.buffered) == (b"", [b"wait"])


def test_an_interim_response_is_passed_over() -> None:
    exchange = Exchange(None)
    exchange.feed(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", NOW)

    assert exchange.headers_at is None
    exchange.feed(LENGTH, NOW)
    assert (exchange.status, exchange.finished, exchange.headers) == (200, True, [(b"content-length", b"5")])


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    exchange = Exchange(None)
    exchange.feed(b"HTTP/1.1 200 OK\r\n\r\nhello", NOW)
    exchange.closed(NOW)

    assert (exchange.finished, exchange.keep_alive, exchange.buffered) == (True, False, [b"hello"])


@pytest.mark.parametrize("cut", range(1, len(CHUNKED)))
def test_a_close_before_the_last_byte_is_a_failure(cut: int) -> None:
    exchange = Exchange(Sink())
    exchange.feed(CHUNKED[:cut], NOW)
    exchange.closed(NOW)

    assert (exchange.finished, exchange.failure) == (
        False,
        "the connection was closed before the response was complete",
    )


def test_endless_headers_are_refused() -> None:
    exchange = Exchange(None)
    exchange.feed(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * (MAX_HEADERS + 2), NOW)

    assert exchange.failure == "response headers exceed 256 lines"


def test_one_endless_header_is_refused() -> None:
    exchange = Exchange(None)
    exchange.feed(b"HTTP/1.1 200 OK\r\nA: " + b"b" * MAX_HEADER_BYTES, NOW)

    assert exchange.failure == "response headers exceed 262144 bytes"


@given(st.binary(max_size=300))
def test_random_bytes_finish_fail_or_wait_and_never_raise(data: bytes) -> None:
    exchange = Exchange(Sink())
    exchange.feed(data, NOW)
    exchange.closed(NOW)

    assert exchange.finished or exchange.failure


def test_a_server_that_is_no_http_server_is_told_so(wire: Any) -> None:
    exchange = Exchange(None)
    exchange.feed(b"SSH-2.0-OpenSSH_9.2\r\n", NOW)

    assert exchange.failure.startswith("no valid HTTP response: ")


def test_trailers_are_passed_over() -> None:
    exchange = Exchange(Sink())
    exchange.feed(CHUNKED[:-2] + b"X-Checksum: 1\r\n\r\n", NOW)

    assert (exchange.finished, exchange.keep_alive) == (True, True)
    assert exchange.headers == [(b"transfer-encoding", b"chunked")]


def test_endless_trailers_are_refused() -> None:
    exchange = Exchange(Sink())
    exchange.feed(CHUNKED[:-2], NOW)
    for _ in range(5):
        exchange.feed(b"X" * (MAX_HEADER_BYTES // 4), NOW)

    assert exchange.failure == "response headers exceed 262144 bytes"


def test_endless_interim_responses_are_refused() -> None:
    exchange = Exchange(Sink())
    for _ in range(2 + MAX_HEADER_BYTES // 2_600):
        exchange.feed(b"HTTP/1.1 102 Processing\r\n\r\n" * 100, NOW)

    assert exchange.failure == "response headers exceed 262144 bytes"


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", True),
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", False),
    ],
)
def test_whether_the_connection_lives_on(head: bytes, keep_alive: bool) -> None:  # noqa: FBT001 - of the test
    exchange = Exchange(Sink())
    exchange.feed(head + b"Content-Length: 5\r\n\r\nhello", NOW)

    assert (exchange.finished, exchange.keep_alive) == (True, keep_alive)


def test_a_tls_connection_cut_without_a_farewell_ends_no_body() -> None:
    exchange = Exchange(Sink())
    exchange.feed(b"HTTP/1.1 200 OK\r\n\r\nhello", NOW)
    exchange.closed(NOW, farewell=False)

    assert (exchange.finished, exchange.failure) == (
        False,
        "the connection was closed before the response was complete",
    )
