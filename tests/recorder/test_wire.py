"""Streams as real servers send them, each over a real socket through a real `Requester`: what the log then says.

The shapes are from public reports on servers and gateways; the names of the tests say what is made of them.
"""

import json
import socket
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from racelog.events import RequestEnd, RequestSent, Tokens, Usage
from racelog.log.read.reader import RaceLog
from racelog_recorder.plan.deadlines import Deadlines
from tests.recorder.requesting import recorded
from tests.recorder.scripted import DONE, FINISH, HEAD, USAGE, chunked, content, event, read_request

PLAIN = HEAD.replace(b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n")


def delta(**fields: Any) -> bytes:
    """Return a chunk of the chat dialect with these fields in its delta."""
    return event(json.dumps({"choices": [{"index": 0, "delta": fields}]}))


def usage(**counts: Any) -> bytes:
    return event(json.dumps({"choices": [], "usage": counts}))


def answered(folder: Path, scripted: Any, *pieces: bytes, **options: Any) -> RaceLog:
    """Return the log of one request that is answered with ``pieces`` as a whole body."""

    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.sendall(HEAD + chunked(b"".join(pieces)))

    return recorded(folder, scripted(script).url, **options)


def kinds_and_texts(log: RaceLog) -> list[tuple[str, str]]:
    """Return the chunks of a log, kind and text, but for bookkeeping."""
    rows = [
        row for batch in log.of(Tokens) for row in zip(batch.c or "c" * len(batch.x), batch.x, strict=True)
    ]
    return [row for row in rows if row[0] not in "om"]


def times_of(batch: Tokens) -> list[int]:
    """Return when each chunk of a batch came."""
    return list(accumulate(batch.d, initial=batch.t))[1:]


def ended(log: RaceLog) -> tuple[str, str, str]:
    """Return status, error and message of the log's only request."""
    (end,) = log.of(RequestEnd)
    return end.status, end.error, end.message


OK = ("ok", "", "")


@pytest.mark.parametrize(
    "between",
    [
        b"data:\n\n", b"data: \n\n", b"data\n\n", b'data: ""\n\n', b"data: null\n\n", b"data: ping\n\n", b"data: keep-alive\n\n",
        b"data: 2026-11-30T21:40:00.123Z\n\n", b"data: 1700000000\n\n", b": ping\n\n", b'data: {"type":"ping"}\n\n', b"data: {}\n\n",
    ],
)  # fmt: skip
def test_events_that_say_nothing_are_passed_over(tmp_path: Path, scripted: Any, between: bytes) -> None:
    log = answered(
        tmp_path, scripted, between, content("a"), between, content("b"), between, FINISH, between, DONE
    )

    assert (ended(log), kinds_and_texts(log)) == (OK, [("c", "a"), ("c", "b")])


@pytest.mark.parametrize("head", [HEAD, PLAIN], ids=["chunked", "until-closed"])
@pytest.mark.parametrize("cut", [1, 2])
def test_the_last_event_needs_no_blank_line_where_the_body_ended_whole(
    tmp_path: Path, scripted: Any, head: bytes, cut: int
) -> None:
    body = (content("a") + FINISH + USAGE)[:-cut]

    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.sendall(head + (chunked(body) if head == HEAD else body))
        connection.shutdown(socket.SHUT_WR)

    log = recorded(tmp_path, scripted(script).url)

    assert ended(log) == OK
    assert [(found.input_tokens, found.output_tokens) for found in log.of(Usage)] == [(3, 2)]


def test_an_error_without_its_blank_line_is_told_in_the_servers_words(tmp_path: Path, scripted: Any) -> None:
    log = answered(tmp_path, scripted, content("a"), b'data: {"error":{"message":"out of memory"}}')

    assert ended(log) == ("failed", "error_event", "out of memory")


def test_a_last_event_that_was_cut_is_no_message(tmp_path: Path, scripted: Any) -> None:
    status, error, message = ended(answered(tmp_path, scripted, content("a"), b'data: {"choices":[{"del'))

    assert (status, error) == ("failed", "truncated")
    assert message.endswith('beside its events it said: {"choices":[{"del')


ENDINGS = [
    DONE,
    b"data:[DONE]\n\n",
    b"data: [done]\n\n",
    b'data: "[DONE]"\n\n',
    b"data: DONE\n\n",
    b"data: [DONE]\n",
]


def stays_open(*pieces: bytes, drip: bytes = b"") -> Any:
    """Return a script that sends ``pieces`` and never ends its body; it goes on with ``drip`` until the client leaves."""

    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.sendall(HEAD + chunked(*pieces, last=False))
        connection.settimeout(0.02 if drip else 20)
        while True:
            try:
                if not connection.recv(65536):
                    return
            except TimeoutError:
                connection.sendall(chunked(drip, last=False))

    return script


@pytest.mark.parametrize("transport", ["pump", "httpx"])
@pytest.mark.parametrize("end", ENDINGS)
def test_an_answer_that_said_done_ends_though_its_connection_stays_open(
    tmp_path: Path, scripted: Any, end: bytes, transport: str
) -> None:
    script = stays_open(content("a"), FINISH, USAGE, end)
    log = recorded(tmp_path, scripted(script).url, requests=2, transport=transport)
    last = {req: t for batch in log.of(Tokens) for req, t in zip(batch.r, times_of(batch), strict=True)}

    assert [(end.status, end.t) for end in log.of(RequestEnd)] == [("ok", last[0]), ("ok", last[1])]
    assert [one.connection for one in log.of(RequestSent)] == ["new", "new"]


@pytest.mark.parametrize("transport", ["pump", "httpx"])
def test_an_answer_ends_at_its_last_byte_whatever_drips_behind_it(
    tmp_path: Path, scripted: Any, transport: str
) -> None:
    server = scripted(stays_open(content("a"), FINISH, DONE, drip=b": ping\n\n"))
    log = recorded(tmp_path, server.url, transport=transport)
    (end,) = log.of(RequestEnd)

    assert (ended(log), end.t) == (OK, max(t for batch in log.of(Tokens) for t in times_of(batch)))


@pytest.mark.parametrize("transport", ["pump", "httpx"])
def test_counts_that_come_behind_done_are_kept_and_text_is_not(
    tmp_path: Path, scripted: Any, transport: str
) -> None:
    script = stays_open(content("a"), FINISH, DONE, content("never"), b"data: {oops\n\n", USAGE)
    log = recorded(tmp_path, scripted(script).url, transport=transport)

    assert (ended(log), kinds_and_texts(log)) == (OK, [("c", "a")])
    assert [found.output_tokens for found in log.of(Usage)] == [2]


def finished_but_open(folder: Path, scripted: Any, transport: str, *pieces: bytes, **options: Any) -> RaceLog:
    """Return the log of two requests whose answers never end their bodies, on a clock that jumps where nothing happens."""
    clock = trio.testing.MockClock(autojump_threshold=0.3)
    script = stays_open(*pieces, **options)
    return recorded(folder, scripted(script).url, requests=2, transport=transport, clock=clock)


@pytest.mark.parametrize("transport", ["pump", "httpx"])
@pytest.mark.parametrize("counts", [(), (USAGE,)], ids=["bare", "with counts"])
def test_an_answer_that_told_its_finish_reason_is_whole_though_no_done_comes_and_its_connection_stays_open(
    tmp_path: Path, scripted: Any, transport: str, counts: tuple[bytes, ...]
) -> None:
    log = finished_but_open(tmp_path, scripted, transport, content("a"), FINISH, *counts)
    last = {req: t for batch in log.of(Tokens) for req, t in zip(batch.r, times_of(batch), strict=True)}

    assert [(end.status, end.t) for end in log.of(RequestEnd)] == [("ok", last[0]), ("ok", last[1])]
    assert [found.output_tokens for found in log.of(Usage)] == [2, 2][: 2 * len(counts)]
    assert [one.connection for one in log.of(RequestSent)] == ["new", "new"]


@pytest.mark.parametrize("transport", ["pump", "httpx"])
def test_a_deadline_within_the_wait_for_done_takes_nothing_from_a_finished_answer(
    tmp_path: Path, scripted: Any, transport: str
) -> None:
    clock = trio.testing.MockClock(autojump_threshold=0.3)
    server = scripted(stays_open(content("a"), FINISH))
    log = recorded(
        tmp_path, server.url, transport=transport, clock=clock, deadlines=Deadlines(between_tokens_s=0.5)
    )
    (end,) = log.of(RequestEnd)

    assert (ended(log), end.t) == (OK, max(t for batch in log.of(Tokens) for t in times_of(batch)))


def test_what_comes_behind_a_finish_reason_ends_the_answer_where_it_says_no_more(
    tmp_path: Path, scripted: Any
) -> None:
    server = scripted(stays_open(content("a"), FINISH, USAGE, drip=b": ping\n\n"))
    log = recorded(tmp_path, server.url, deadlines=Deadlines(total_s=0.4))
    (end,) = log.of(RequestEnd)

    assert (ended(log), end.t) == (OK, max(t for batch in log.of(Tokens) for t in times_of(batch)))


@pytest.mark.parametrize("transport", ["pump", "httpx"])
def test_an_answer_that_goes_on_behind_its_finish_reason_and_stops_moving_is_stalled(
    tmp_path: Path, scripted: Any, transport: str
) -> None:
    log = finished_but_open(tmp_path, scripted, transport, content("a"), FINISH, content("b"))

    assert {(end.status, end.error) for end in log.of(RequestEnd)} == {("failed", "stalled")}
    assert kinds_and_texts(log) == [("c", "a"), ("c", "b")] * 2


def test_a_connection_whose_body_ends_within_the_grace_is_used_again(tmp_path: Path, scripted: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            connection.sendall(HEAD + chunked(content("a"), FINISH, DONE, last=False))
            connection.sendall(b"0\r\n\r\n")

    log = recorded(tmp_path, scripted(script).url, requests=2)

    assert [sent.connection for sent in log.of(RequestSent)] == ["new", "reused"]


ZEROS = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def test_zeros_on_every_chunk_are_no_count(tmp_path: Path, scripted: Any) -> None:
    frames = [
        event(json.dumps({"choices": [{"delta": {"content": text}}], "usage": ZEROS})) for text in "abc"
    ]
    log = answered(tmp_path, scripted, *frames, FINISH, usage(**ZEROS), DONE)

    assert (ended(log), list(log.of(Usage))) == (OK, [])
    assert [batch.n for batch in log.of(Tokens)] == [[]]


def test_a_count_per_chunk_that_does_not_grow_with_the_text_is_unknown(tmp_path: Path, scripted: Any) -> None:
    frames = [
        event(json.dumps({"choices": [{"delta": {"content": text}}], "usage": {"completion_tokens": 1}}))
        for text in "abc"
    ]
    log = answered(tmp_path, scripted, *frames, FINISH)

    assert [batch.n for batch in log.of(Tokens)] == [[1, None, None, None]]


COUNTS = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


@pytest.mark.parametrize(
    "frame",
    [
        {"choices": [], "usage": COUNTS},
        {"choices": [{"delta": {}, "finish_reason": "stop", "usage": COUNTS}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}], "x_groq": {"usage": COUNTS}},
        {"choices": [], "x_groq": {"id": "r", "usage": COUNTS}},
        {"choices": [], "usage": {"inputTokens": 9, "outputTokens": 4, "totalTokens": 13}},
        {"choices": [{"delta": None, "message": {"usage": COUNTS}, "finish_reason": "stop"}]},
        {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}}},
        {"type": "response.completed", "response": {"error": None, "usage": {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}}},
        {"usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 4, "totalTokenCount": 13}},
        {"choices": None, "usage": {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}},
        {"choices": [], "timings": {"cache_n": 2, "prompt_n": 7, "predicted_n": 4}, "usage": {"total_tokens": 13}},
    ],
    ids=["top", "choice", "groq", "groq-alone", "bedrock", "message", "message-start", "responses", "gemini", "null-choices", "timings"],
)  # fmt: skip
def test_usage_is_found_wherever_it_stands(tmp_path: Path, scripted: Any, frame: dict[str, Any]) -> None:
    log = answered(tmp_path, scripted, content("a"), FINISH, event(json.dumps(frame)), DONE)

    assert [(found.input_tokens, found.output_tokens, found.total_tokens) for found in log.of(Usage)] == [
        (9, 4, 13)
    ]


@pytest.mark.parametrize(
    ("fields", "chunks"),
    [
        ({"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}, [("r", "hm")]),
        ({"reasoning_details": [{"type": "reasoning.summary", "summary": "hm"}]}, [("r", "hm")]),
        ({"reasoning": "hm", "reasoning_details": [{"text": "hm"}]}, [("r", "hm")]),
        ({"reasoning_content": "hm", "reasoning": "hm"}, [("r", "hm")]),
        ({"reasoning": {"content": "hm"}}, [("r", "hm")]),
        ({"thinking": "hm"}, [("r", "hm")]),
        ({"reasoning_text": "hm"}, [("r", "hm")]),
        ({"content": "", "thinking_blocks": [{"type": "thinking", "thinking": "hm"}]}, [("r", "hm")]),
        ({"refusal": "No."}, [("c", "No.")]),
        ({"content": None, "audio": {"id": "x", "transcript": "Hello"}}, [("c", "Hello")]),
        ({"content": None, "audio": {"data": "UklGRg=="}}, []),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, [("c", "ab")]),
        ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "a"}]}, [("r", "hm"), ("c", "a")]),
        ({"content": ["a", {"type": "image_url", "image_url": {"url": "x"}}, "b"]}, [("c", "ab")]),
        ({"content": {"type": "text", "text": {"value": "a"}}}, [("c", "a")]),
        ({"content": 1}, [("c", "1")]), ({"content": 0}, [("c", "0")]), ({"content": False}, []), ({"content": []}, []),
        ({"function_call": {"name": "f", "arguments": "{}"}}, [("t", "f{}")]),
        ({"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}, [("t", 'f{"a":1}')]),
        ({"tool_calls": {"function": {"name": "f"}}}, [("t", "f")]),
        ({"tool_calls": [{"type": "custom", "custom": {"name": "f", "input": "x"}}]}, [("t", "fx")]),
        ({"tool_calls": [None, 5, {"function": None}]}, []),
        ({"reasoning_content": "hm", "content": "a"}, [("r", "hm"), ("c", "a")]),
        ({"content": "a", "tool_calls": [{"function": {"name": "f"}}]}, [("c", "a"), ("t", "f")]),
        ({"content": "a", "function_call": {"name": "f"}}, [("c", "a"), ("t", "f")]),
        ({"content": "a", "refusal": "No."}, [("c", "aNo.")]),
        ({"reasoning": "hm", "content": "a", "tool_calls": [{"function": {"name": "f"}}]}, [("r", "hm"), ("c", "a"), ("t", "f")]),
        ({"role": 5, "content": "a"}, [("c", "a")]),
    ],
    ids=str,
)  # fmt: skip
def test_text_is_found_wherever_it_stands_each_kind_as_a_chunk(
    tmp_path: Path, scripted: Any, fields: dict[str, Any], chunks: list[tuple[str, str]]
) -> None:
    log = answered(tmp_path, scripted, content("<"), delta(**fields), content(">"), FINISH, DONE)

    assert (ended(log), kinds_and_texts(log)) == (OK, [("c", "<"), *chunks, ("c", ">")])


def test_chunks_of_one_message_share_its_stamp(tmp_path: Path, scripted: Any) -> None:
    log = answered(tmp_path, scripted, delta(reasoning_content="hm", content="a"), FINISH)
    (batch,) = log.of(Tokens)

    assert (batch.c, batch.d[:2], batch.s[:2].isupper()) == (
        "rcm",
        [0, 0],
        True,
    )  # a finish came in the same read


@pytest.mark.parametrize(
    "frame",
    [
        '{"choices":[{"index":"0","delta":{"content":"a"},"logprobs":5}],"created":"now","id":7,"model":null}',
        '{"choices":[{"delta":{"content":"a"},"logprobs":{"content":[{"logprob":-Infinity,"p":NaN}]}}]}',
        '{"choices":[{"delta":{"content":"a"}}],"usage":"none","timings":[1],"x_groq":1}',
        '{"choices":{"delta":{"content":"a"}}}',
        '{"choices":[null,{"delta":{"content":"a"}}]}',
        '{"choices":[{"delta":{"content":"a"},"finish_reason":{}}],"error":{}}',
        '{"choices":[{"delta":{"content":"a"}}],"error":{"code":0,"message":""}}',
        '{"choices":[{"delta":{"content":"a"},"error":null,"token_ids":"x"}],"error":""}',
        '{"choices":[{"text":"a"}]}',
        '{"choices":[{"text":["a"]}]}',
        '{"object":"chat.completion","choices":[{"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}',
        '{"choices":[{"delta":null,"message":{"content":[{"type":"text","text":"a"}]}}]}',
        '[{"choices":[{"delta":{"content":"a"}}],"weight":1e999}]',
    ],
)  # fmt: skip
def test_types_that_racelog_does_not_use_never_matter(tmp_path: Path, scripted: Any, frame: str) -> None:
    log = answered(tmp_path, scripted, event(frame), FINISH, DONE)

    assert (ended(log), kinds_and_texts(log)) == (OK, [("c", "a")])


def test_a_whole_answer_behind_its_own_chunks_is_not_told_twice(tmp_path: Path, scripted: Any) -> None:
    whole = event(
        '{"object":"chat.completion","choices":[{"message":{"content":"ab"},"finish_reason":"stop"}]}'
    )
    log = answered(tmp_path, scripted, content("a"), content("b"), whole, DONE)

    assert (ended(log), kinds_and_texts(log)) == (OK, [("c", "a"), ("c", "b")])


def choice(index: int, text: str = "", finish: str | None = None) -> bytes:
    return event(
        json.dumps({"choices": [{"index": index, "delta": {"content": text}, "finish_reason": finish}]})
    )


@pytest.mark.parametrize(
    "pieces",
    [
        [choice(0, "a"), choice(1, "b"), choice(0, "c"), choice(1, "d")],
        [choice(0, "a"), choice(1, "b"), choice(0, "", "stop"), choice(1, "", "stop")],
        [choice(0, "a"), choice(0, "", "stop"), choice(1, "b"), choice(1, "", "stop")],
        [event('{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]}')],
        [event('{"choices":[{"index":0,"text":"a"},{"index":1,"text":"b"}]}')],
    ],
    ids=["interleaved", "two-finishes", "one-after-another", "one-message", "completions"],
)
def test_several_answers_in_one_stream_are_refused_with_words(
    tmp_path: Path, scripted: Any, pieces: list[bytes]
) -> None:
    status, error, message = ended(answered(tmp_path, scripted, *pieces, DONE))

    assert (status, error) == ("failed", "malformed")
    assert (
        message
        == "several answers speak in one stream, and racelog races one a request: leave out n, or set it to 1"
    )


def test_a_gateway_that_numbers_the_blocks_of_one_answer_is_raced(tmp_path: Path, scripted: Any) -> None:
    log = answered(
        tmp_path, scripted, choice(0, "a"), choice(1, "b"), choice(1, "c"), choice(0, "", "stop"), DONE
    )

    assert (ended(log), kinds_and_texts(log)) == (OK, [("c", "a"), ("c", "b"), ("c", "c")])


@pytest.mark.parametrize("word", ['"null"', '""', '"None"', "null", "false", '"FINISH_REASON_UNSPECIFIED"'])
def test_a_finish_reason_that_says_there_is_none_is_none(tmp_path: Path, scripted: Any, word: str) -> None:
    chunk = event('{"choices":[{"delta":{"content":"a"},"finish_reason":' + word + "}]}")

    assert ended(answered(tmp_path, scripted, chunk, chunk))[:2] == ("failed", "truncated")


@pytest.mark.parametrize(
    "word", ["abort", "error", "cancelled", "timeout", "insufficient_system_resource", "network_error", "failed", "MALFORMED_FUNCTION_CALL"]
)  # fmt: skip
def test_a_finish_reason_that_says_it_failed_is_a_failure_with_the_word(
    tmp_path: Path, scripted: Any, word: str
) -> None:
    finish = event('{"choices":[{"delta":{},"finish_reason":"' + word + '"}]}')
    log = answered(tmp_path, scripted, content("a"), finish, DONE)
    (end,) = log.of(RequestEnd)

    assert ended(log) == ("failed", "error_event", f"the answer ended with the finish reason {word!r}")
    assert end.finish_reason == word


@pytest.mark.parametrize("word", ["stop", "length", "content_filter", "tool_calls", "eos_token", "end_turn"])
def test_any_other_finish_reason_is_a_success_that_keeps_the_word(
    tmp_path: Path, scripted: Any, word: str
) -> None:
    finish = event('{"choices":[{"delta":{},"finish_reason":"' + word + '"}]}')
    (end,) = answered(tmp_path, scripted, content("a"), finish, FINISH, DONE).of(RequestEnd)

    assert (end.status, end.finish_reason) == ("ok", word)  # a plain stop behind it says less


def test_an_engines_own_finish_reason_counts_where_its_gateway_tells_none(
    tmp_path: Path, scripted: Any
) -> None:
    finish = event('{"choices":[{"delta":{},"finish_reason":null,"native_finish_reason":"end_turn"}]}')
    (end,) = answered(tmp_path, scripted, content("a"), finish, DONE).of(RequestEnd)

    assert (end.status, end.finish_reason) == ("ok", "end_turn")


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ('{"choices":null,"error_type":"overloaded","error_message":"come back later"}', "come back later (overloaded)"),
        ('{"type":"error","message":"boom"}', "boom"),
        ('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', "Overloaded (overloaded_error)"),
        ('{"detail":"Not Found"}', "Not Found"),
        ('{"detail":[{"loc":["body","model"],"msg":"field required","type":"missing"}]}', "body/model: field required"),
        ('{"message":"no credit","code":402}', "no credit (402)"),
        ('{"code":"1301","msg":"unsafe"}', "unsafe (1301)"),
        ('{"status":"error","message":"boom"}', "boom"),
        ('{"success":false,"message":"boom"}', "boom"),
        ('{"error_code":17,"error_msg":"quota"}', "quota (17)"),
        ('{"errors":["boom"]}', "boom"),
        ('{"errors":[{"message":"boom","code":5}]}', "boom (5)"),
        ('{"object":"error","message":"too long","code":400}', "too long (400)"),
        ('[{"error":{"code":503,"message":"busy"}}]', "busy (503)"),
        ('{"type":"response.failed","response":{"error":{"code":"quota","message":"no"}}}', "no (quota)"),
        ('{"choices":[{"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"gone"}}', "gone (502)"),
        ('{"choices":[{"delta":{},"error":{"code":502,"message":"gone"}}]}', "gone (502)"),
        ('{"choices":[{"delta":{}}],"error_message":"gone"}', "gone"),
        ('{"choices":[],"error":"half \\ud83d"}', "half \ufffd"),
    ],
)  # fmt: skip
def test_an_error_is_told_in_the_servers_words_whatever_its_shape(
    tmp_path: Path, scripted: Any, frame: str, told: str
) -> None:
    assert ended(answered(tmp_path, scripted, content("a"), event(frame))) == ("failed", "error_event", told)


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"message":"boom","code":5}}',
        b'{\n  "error": {\n    "message": "boom",\n    "code": 5\n  }\n}\n',
    ],
    ids=["one-line", "several-lines"],
)
def test_an_error_beside_the_events_is_one(tmp_path: Path, scripted: Any, body: bytes) -> None:
    assert ended(answered(tmp_path, scripted, content("a"), body)) == ("failed", "error_event", "boom (5)")


def test_words_that_are_no_error_are_told_if_the_stream_then_ends(tmp_path: Path, scripted: Any) -> None:
    _, error, message = ended(answered(tmp_path, scripted, content("a"), event('{"message":"going down"}')))

    assert (error, message) == (
        "truncated", 'the stream ended after 1 token chunk without a finish reason; it also said: {"message":"going down"}'
    )  # fmt: skip


HALVES = (
    event('{"choices":[{"delta":{"content":"a\\ud83d"}}]}'),
    event('{"choices":[{"delta":{"content":"\\ude00b"}}]}'),
)


def test_halves_of_a_character_in_two_events_are_the_character(tmp_path: Path, scripted: Any) -> None:
    log = answered(tmp_path, scripted, *HALVES, FINISH)

    assert (ended(log), kinds_and_texts(log)) == (OK, [("c", "a"), ("c", "\U0001f600b")])


def test_a_half_alone_in_its_event_waits_for_the_other(tmp_path: Path, scripted: Any) -> None:
    half = event('{"choices":[{"delta":{"content":"\\ud83d"}}]}')
    log = answered(tmp_path, scripted, content("a"), half, HALVES[1], FINISH)

    assert kinds_and_texts(log) == [("c", "a"), ("c", "\U0001f600b")]


@pytest.mark.parametrize(
    ("then", "chunks"),
    [
        ([content("b")], [("c", "a"), ("c", "\ufffdb")]),
        ([delta(reasoning_content="b")], [("c", "a"), ("c", "\ufffd"), ("r", "b")]),
        ([], [("c", "a"), ("c", "\ufffd")]),
    ],
    ids=["text", "another-kind", "the-end"],
)
def test_a_half_whose_other_does_not_come_is_the_replacement_character(
    tmp_path: Path, scripted: Any, then: list[bytes], chunks: list[tuple[str, str]]
) -> None:
    log = answered(tmp_path, scripted, HALVES[0], *then, FINISH)

    assert (ended(log), kinds_and_texts(log)) == (OK, chunks)


NOT_PARTED = "its events are parted by one newline alone, and so are all one event: a server-sent event ends with a blank line"


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_events_parted_by_one_newline_are_named_at_once(tmp_path: Path, scripted: Any, ending: bytes) -> None:
    lines = [piece.strip() for piece in (content("a"), content("b"), FINISH, DONE)]
    server = scripted(stays_open(ending.join(lines[:3]) + ending))

    assert ended(recorded(tmp_path, server.url)) == ("failed", "malformed", NOT_PARTED)


@pytest.mark.parametrize("between", [b"", b" "])
def test_two_json_texts_in_one_event_are_named(tmp_path: Path, scripted: Any, between: bytes) -> None:
    two = b"data: " + content("a")[6:-2] + between + content("b")[6:-2] + b"\n\n"
    status, error, message = ended(answered(tmp_path, scripted, two, FINISH))

    assert (status, error) == ("failed", "malformed")
    assert "several JSON texts, but an event is one message: between two belongs a blank line" in message


def test_done_on_the_line_below_the_last_message_ends_both(tmp_path: Path, scripted: Any) -> None:
    log = answered(tmp_path, scripted, content("a"), FINISH[:-1], DONE)

    assert (ended(log), kinds_and_texts(log)) == (OK, [("c", "a")])


def test_a_json_error_in_pieces_is_told_from_all_of_them(tmp_path: Path, scripted: Any) -> None:
    pieces = [b"{", b'"error"', b': {"message": "overloaded"}', b"}"]

    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.sendall(HEAD.replace(b"text/event-stream", b"application/json") + chunked(*pieces))

    _, error, message = ended(recorded(tmp_path, scripted(script).url))

    assert (error, message) == (
        "malformed",
        'answered with application/json, not with an event stream: {"error": {"message": "overloaded"}}',
    )


@pytest.mark.parametrize(
    ("counts", "told"),
    [({}, ""), ({"completion_tokens": 64}, "; the server counted 64 tokens that it did not send")],
)
def test_an_answer_without_any_text_is_no_success(
    tmp_path: Path, scripted: Any, counts: dict[str, int], told: str
) -> None:
    log = answered(tmp_path, scripted, delta(role="assistant"), FINISH, usage(**counts), DONE)

    assert ended(log) == ("failed", "empty", f"the answer ended (stop) without any text{told}")
