"""One request's outcome as facts, for every way a server can behave; real sockets, scripted answers."""

import base64
import socket
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from racelog.events import RequestEnd, RequestSent, ResponseHeaders, Tokens, Usage
from racelog.log.format.units import Unit, decode_payload
from racelog.log.read.scan import scan_file
from racelog_recorder.dialects.openai import CHAT
from racelog_recorder.requests.request import Requester
from tests.recorder.requesting import outcome, recorded


def answer(wire: Any, *pieces: bytes, last: bool = True, then: str = "close") -> Any:
    """Return a script that answers one request with ``pieces`` and then closes, resets or hangs."""

    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(wire.HEAD + wire.chunked(*pieces, last=last))
        if then == "reset":
            wire.reset(connection)
        elif then == "hang":
            connection.recv(1)
        else:
            connection.shutdown(socket.SHUT_RDWR)

    return script


def test_a_good_stream_is_a_success_with_all_its_facts(tmp_path: Path, scripted: Any, wire: Any) -> None:
    server = scripted(answer(wire, wire.content("a"), wire.content("b"), wire.FINISH, wire.USAGE, wire.DONE))
    log = recorded(tmp_path, server.url)

    assert outcome(log) == ("ok", "")
    assert "".join(text for batch in log.of(Tokens) for text in batch.x) == "ab"
    assert [(usage.input_tokens, usage.output_tokens) for usage in log.of(Usage)] == [(3, 2)]
    assert [headers.status for headers in log.of(ResponseHeaders)] == [200]


def test_the_steps_of_a_request_are_in_order_in_time(tmp_path: Path, scripted: Any, wire: Any) -> None:
    log = recorded(tmp_path, scripted(answer(wire, wire.content("a"), wire.FINISH)).url)
    steps = [log.first(kind) for kind in (RequestSent, ResponseHeaders, Tokens, RequestEnd)]

    times = [step.t for step in steps if step is not None]
    assert times == sorted(times)
    assert len(times) == 4


def test_a_missing_done_marker_is_no_error(tmp_path: Path, scripted: Any, wire: Any) -> None:
    assert outcome(recorded(tmp_path, scripted(answer(wire, wire.content("a"), wire.FINISH)).url)) == (
        "ok",
        "",
    )


def test_a_real_stream_that_its_server_cut_is_truncated_though_it_says_done(
    tmp_path: Path, scripted: Any, wire: Any
) -> None:
    sample = (wire.SAMPLES / "llama-cpp-python.interrupted.sse").read_bytes()
    log = recorded(tmp_path, scripted(answer(wire, sample, last=True)).url)

    assert outcome(log) == ("failed", "truncated")


@pytest.mark.parametrize("name", ["xllamacpp", "vllm", "transformers-serve", "llama-cpp-python"])
def test_every_real_engines_stream_is_a_success_of_64_tokens(
    tmp_path: Path, scripted: Any, wire: Any, name: str
) -> None:
    log = recorded(tmp_path, scripted(answer(wire, (wire.SAMPLES / f"{name}.sse").read_bytes())).url)

    assert outcome(log) == ("ok", "")
    assert sum(batch.c.count("c") or len(batch.r) for batch in log.of(Tokens)) == 64


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"data: nonsense\n\n", "malformed"),
        (b'data: {"error":{"message":"oom"}}\n\n', "error_event"),
        (b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n', "truncated"),
        (b"\n", "truncated"),
    ],
)
def test_a_broken_stream_is_a_failure_with_a_name(
    tmp_path: Path, scripted: Any, wire: Any, body: bytes, kind: str
) -> None:
    assert outcome(recorded(tmp_path, scripted(answer(wire, body)).url)) == ("failed", kind)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (b'{"message":"CUDA out of memory","type":"server_error","code":500}', "CUDA out of memory (server_error, 500)"),
        (b'"runner stopped"', "runner stopped"),
        (b'{"detail":"gone"}', '{"detail":"gone"}'),
        (b'{"message":"' + b"a" * 600 + b'","code":500}', "a" * 500),
    ],
    ids=["openai", "words", "another-shape", "long"],
)  # fmt: skip
def test_an_error_in_a_stream_is_recorded_in_the_servers_words(
    tmp_path: Path, scripted: Any, wire: Any, error: bytes, message: str
) -> None:
    event = b'data: {"error":' + error + b"}\n\n"
    end = recorded(tmp_path, scripted(answer(wire, wire.content("a"), event)).url).first(RequestEnd)

    assert end is not None
    assert (end.error, end.message) == ("error_event", message)


@pytest.mark.parametrize(("then", "kind"), [("close", "truncated"), ("reset", "reset")])
def test_a_connection_lost_in_the_middle_is_a_failure_with_a_name(
    tmp_path: Path, scripted: Any, wire: Any, then: str, kind: str
) -> None:
    script = answer(wire, wire.content("a"), last=False, then=then)

    assert outcome(recorded(tmp_path, scripted(script).url)) == ("failed", kind)


def test_an_http_error_keeps_the_head_of_its_body(tmp_path: Path, scripted: Any, wire: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(b"HTTP/1.1 429 Too Many\r\nRetry-After: 2\r\nContent-Length: 4\r\n\r\nslow")

    log = recorded(tmp_path, scripted(script).url)
    (end,) = log.of(RequestEnd)
    (headers,) = log.of(ResponseHeaders)

    assert (end.error, end.message) == ("http", "HTTP 429 (retry after 2 s): slow")
    assert headers.headers == {"retry-after": "2"}


def test_nothing_listening_is_refused(tmp_path: Path) -> None:
    assert outcome(recorded(tmp_path, "http://127.0.0.1:1/v1")) == ("failed", "refused")


def test_a_stream_that_stops_moving_is_stalled(tmp_path: Path, scripted: Any, wire: Any) -> None:
    server = scripted(answer(wire, wire.content("a"), last=False, then="hang"))
    clock = trio.testing.MockClock(autojump_threshold=0.3)

    assert outcome(recorded(tmp_path, server.url, clock=clock)) == ("failed", "stalled")


def test_the_plain_transport_records_the_same(tmp_path: Path, scripted: Any, wire: Any) -> None:
    server = scripted(answer(wire, wire.content("a"), wire.content("b"), wire.FINISH))
    log = recorded(tmp_path, server.url, transport="httpx")

    assert outcome(log) == ("ok", "")
    assert "".join(text for batch in log.of(Tokens) for text in batch.x) == "ab"
    assert [headers.status for headers in log.of(ResponseHeaders)] == [200]


def test_the_key_goes_to_the_server_and_not_into_the_log(tmp_path: Path, scripted: Any, wire: Any) -> None:
    seen: list[bytes] = []

    def script(connection: socket.socket, _number: int) -> None:
        seen.append(wire.read_request(connection))
        connection.sendall(wire.HEAD + wire.chunked(wire.content("a"), wire.FINISH))

    log = recorded(tmp_path, scripted(script).url, api_key="sk-planted")

    assert b"Bearer sk-planted" in seen[0]
    assert b"sk-planted" not in b"".join(unit_payloads(log.path))


def test_a_name_and_password_in_the_url_go_to_the_server_as_its_credentials(
    tmp_path: Path, scripted: Any, wire: Any
) -> None:
    seen: list[bytes] = []

    def script(connection: socket.socket, _number: int) -> None:
        seen.append(wire.read_request(connection))
        connection.sendall(wire.HEAD + wire.chunked(wire.content("a"), wire.FINISH))

    log = recorded(tmp_path, scripted(script).url.replace("://", "://me:planted@"))

    assert f"Authorization: Basic {base64.b64encode(b'me:planted').decode()}".encode() in seen[0]
    assert b"planted" not in b"".join(unit_payloads(log.path))


def test_every_request_of_a_prompt_is_the_same_bytes_whatever_was_answered(
    tmp_path: Path, scripted: Any, wire: Any
) -> None:
    seen: list[bytes] = []

    def script(connection: socket.socket, _number: int) -> None:
        while request := wire.read_request(connection):
            seen.append(request)
            head = wire.HEAD.replace(b"\r\n", b"\r\nSet-Cookie: sticky=1\r\n", 1)
            connection.sendall(head + wire.chunked(wire.content("a"), wire.FINISH))

    recorded(tmp_path, scripted(script).url, requests=3)

    assert seen[1:] == seen[:1] * 2


def unit_payloads(path: Path) -> list[bytes]:
    """Return every unit's payload, decompressed."""
    return [decode_payload(found) for found in scan_file(path) if isinstance(found, Unit)]


def test_a_cancelled_request_is_recorded_as_cancelled(tmp_path: Path, scripted: Any, wire: Any) -> None:
    server = scripted(answer(wire, wire.content("a"), last=False, then="hang"))
    clock = trio.testing.MockClock(autojump_threshold=0.3)
    original = Requester.request

    async def impatient(self: Requester, *arguments: Any) -> None:
        with trio.move_on_after(1):
            await original(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Requester, "request", impatient)
        log = recorded(tmp_path, server.url, clock=clock)

    assert outcome(log) == ("cancelled", "")


def test_requests_follow_each_other_on_one_connection(tmp_path: Path, scripted: Any, wire: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        while wire.read_request(connection):
            connection.sendall(wire.HEAD + wire.chunked(wire.content("a"), wire.FINISH))

    server = scripted(script)
    log = recorded(tmp_path, server.url, requests=3)

    assert [sent.connection for sent in log.of(RequestSent)] == ["new", "reused", "reused"]
    assert server.connections == 1


def test_a_key_that_the_server_echoes_does_not_reach_the_log(
    tmp_path: Path, scripted: Any, wire: Any
) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        request = wire.read_request(connection)
        body = b"bad key: " + request
        connection.sendall(b"HTTP/1.1 401 No\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    log = recorded(
        tmp_path, scripted(script).url, api_key="planted-secret", headers={"x-team": "planted-team"}
    )
    (end,) = log.of(RequestEnd)

    assert end.message.startswith("HTTP 401: bad key: ")
    assert "planted" not in end.message


def test_a_redirect_is_an_http_error_not_a_stream(tmp_path: Path, scripted: Any, wire: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")

    assert outcome(recorded(tmp_path, scripted(script).url)) == ("failed", "http")


def test_an_answer_that_is_no_stream_says_what_it_is(tmp_path: Path, scripted: Any, wire: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        )

    log = recorded(tmp_path, scripted(script).url)
    (end,) = log.of(RequestEnd)

    assert (end.error, end.message) == (
        "malformed",
        "answered with application/json, not with an event stream: {}",
    )


def test_an_answer_that_said_done_is_whole_even_if_the_connection_then_hangs(
    tmp_path: Path, scripted: Any, wire: Any
) -> None:
    server = scripted(answer(wire, wire.content("a"), wire.FINISH, wire.DONE, last=False, then="hang"))
    clock = trio.testing.MockClock(autojump_threshold=0.3)

    assert outcome(recorded(tmp_path, server.url, clock=clock)) == ("ok", "")


def test_an_absurd_token_count_is_no_count_and_takes_nothing_from_the_answer(
    tmp_path: Path, scripted: Any, wire: Any
) -> None:
    usage = wire.event('{"choices":[],"usage":{"completion_tokens":1000000000000000000000000000000}}')
    log = recorded(tmp_path, scripted(answer(wire, wire.content("a"), wire.FINISH, usage)).url)

    assert outcome(log) == ("ok", "")
    assert list(log.of(Usage)) == []


@pytest.mark.parametrize(
    ("sample", "counts"),
    [
        ("xllamacpp", (40, 64, 0, 104)),
        ("xllamacpp.nousage", (34, 24, 27, None)),
        ("vllm", (40, 64, None, 104)),
    ],
)
def test_what_a_real_server_says_of_its_cache_and_its_sum_is_kept(
    tmp_path: Path, scripted: Any, wire: Any, sample: str, counts: tuple[int | None, ...]
) -> None:
    script = answer(wire, (wire.SAMPLES / f"{sample}.sse").read_bytes())
    (usage,) = recorded(tmp_path, scripted(script).url).of(Usage)

    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.total_tokens) == counts


def test_a_poorer_usage_never_replaces_a_fuller_one(tmp_path: Path, scripted: Any, wire: Any) -> None:
    zeros = wire.event('{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}')
    script = answer(wire, wire.content("a"), wire.FINISH, wire.USAGE, zeros, wire.DONE)
    (usage,) = recorded(tmp_path, scripted(script).url).of(Usage)

    assert (usage.input_tokens, usage.output_tokens) == (3, 2)


def test_a_second_answer_nobody_asked_for_is_not_taken_for_part_of_the_first(
    tmp_path: Path, scripted: Any, wire: Any
) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        first = wire.HEAD + wire.chunked(wire.content("a"), wire.FINISH)
        connection.sendall(first + b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nwait")
        connection.recv(1)

    log = recorded(tmp_path, scripted(script).url)

    assert outcome(log) == ("ok", "")
    assert [headers.status for headers in log.of(ResponseHeaders)] == [200]


def test_a_base_url_keeps_its_query() -> None:
    assert CHAT.models_url("http://h/v1/?api-version=2") == "http://h/v1/models?api-version=2"
