"""Exceptions and facts to kinds; every kind is in the one table."""

import socket
import ssl

import httpx2
import pytest

from racelog.faults import FAULTS, KINDS
from racelog_recorder.plan.deadlines import DEADLINE_NAMES
from racelog_recorder.requests.outcome import bad_status, classify, judge
from racelog_recorder.requests.stream import StreamFacts


def caused(error: httpx2.HTTPError, *causes: BaseException) -> httpx2.HTTPError:
    """Chain causes under ``error``, the last one lowest."""
    above: BaseException = error
    for cause in causes:
        above.__cause__ = cause
        above = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (
            caused(httpx2.ConnectError("x"), OSError("x"), socket.gaierror(-2, "Name or service not known")),
            "dns",
        ),
        (caused(httpx2.ConnectError("x"), ExceptionGroup("", [ConnectionRefusedError()])), "refused"),
        (caused(httpx2.ConnectError("x"), ssl.SSLCertVerificationError("x")), "tls"),
        (caused(httpx2.ReadError("x"), ssl.SSLError("x")), "tls"),
        (caused(httpx2.ConnectError("No route to host"), OSError(113, "No route to host")), "connect"),
        (httpx2.ConnectError("Connection refused"), "refused"),
        (httpx2.ConnectError("[SSL: WRONG_VERSION_NUMBER]"), "tls"),
        (httpx2.ConnectTimeout("x"), "connect_timeout"),
        (httpx2.ReadTimeout("x"), "timeout"),
        (caused(httpx2.ReadError("x"), ConnectionResetError()), "reset"),
        (httpx2.ReadError("x"), "reset"),
        (httpx2.RemoteProtocolError("Server disconnected without sending a response."), "truncated"),
        (
            httpx2.RemoteProtocolError("peer closed connection without sending complete message body"),
            "truncated",
        ),
        (httpx2.RemoteProtocolError("no valid HTTP response: x"), "malformed"),
        (httpx2.UnsupportedProtocol("x"), "connect"),
    ],
)
def test_a_transports_exception_has_a_kind(error: httpx2.HTTPError, kind: str) -> None:
    assert classify(error)[0] == kind
    assert kind in KINDS


def test_an_exception_that_causes_itself_is_still_told() -> None:
    error = httpx2.ReadError("x")
    error.__context__ = ValueError()
    error.__context__.__context__ = error

    assert classify(error)[0] == "reset"


@pytest.mark.parametrize(
    ("facts", "failure", "kind"),
    [
        (StreamFacts(finish_reason="stop"), None, ""),
        (StreamFacts(finish_reason="stop", done=True), ("stalled", "x"), ""),
        (StreamFacts(finish_reason="stop", done=True), ("reset", "x"), ""),
        (StreamFacts(finish_reason="stop"), ("reset", "x"), "reset"),
        (StreamFacts(done=True), None, "truncated"),
        (StreamFacts(finish_reason="stop", done=True), ("malformed", "x"), "malformed"),
        (StreamFacts(finish_reason="stop", failure=("error_event", "x")), ("reset", "x"), "error_event"),
    ],
)
def test_a_stream_is_judged_by_what_it_said_first(
    facts: StreamFacts, failure: tuple[str, str] | None, kind: str
) -> None:
    found = judge(facts, failure)

    assert (found[0] if found else "") == kind


def test_every_deadline_has_a_kind_of_its_own() -> None:
    assert sorted(fault.deadline for fault in FAULTS if fault.deadline) == sorted(DEADLINE_NAMES)


@pytest.mark.parametrize(
    ("trio_says", "told"),
    [
        ("Error connecting to ('127.0.0.1', 8000): Connection refused", "127.0.0.1:8000: Connection refused"),
        ("Error connecting to ('::1', 8000, 0, 0): No route to host", "[::1]:8000: No route to host"),
        ("Name or service not known", "Name or service not known"),
        ("", "ConnectError"),
    ],
)
def test_a_message_has_an_address_as_people_write_it(trio_says: str, told: str) -> None:
    assert classify(httpx2.ConnectError(trio_says))[1] == told


@pytest.mark.parametrize(
    ("status", "headers", "body", "message"),
    [
        (503, {}, "overloaded", "HTTP 503: overloaded"),
        (429, {"retry-after": "7"}, "slow", "HTTP 429 (retry after 7 s): slow"),
        (407, {}, "", "HTTP 407: Proxy Authentication Required"),
        (599, {}, "", "HTTP 599: no body"),
        (
            308,
            {"location": "https://host/v1?token=abc"},
            "",
            "HTTP 308 (redirects to https://host/v1?token=<removed>, and a race follows no redirect): Permanent Redirect",
        ),
    ],
)
def test_a_bad_status_says_what_the_server_said(
    status: int, headers: dict[str, str], body: str, message: str
) -> None:
    assert bad_status(status, headers, body) == ("http", message)


def test_what_a_broken_server_says_beside_its_events_is_told() -> None:
    assert judge(StreamFacts(token_chunks=1, aside="Internal Server Error"), None) == (
        "truncated",
        "the stream ended after 1 token chunk without a finish reason; beside its events it said: Internal Server Error",
    )


def test_a_line_that_llama_cpps_server_calls_an_error_is_one() -> None:
    assert judge(StreamFacts(aside='error: {"code":500}'), None) == ("error_event", '{"code":500}')


def test_openssls_codes_are_left_out_for_the_long_ones_look_like_keys() -> None:
    said = "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required (_ssl.c:2580)"

    assert classify(caused(httpx2.ReadError(said), ssl.SSLError("x"))) == (
        "tls",
        "tlsv13 alert certificate required",
    )
    assert classify(
        httpx2.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)")
    ) == (
        "tls",
        "wrong version number",
    )
