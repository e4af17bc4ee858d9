"""Every dialect end to end: its request on the wire, its stream as facts; real bytes where an engine gave them."""

import json
import socket
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.events import RequestEnd, Tokens, Usage
from racelog_recorder.dialects.openai import completion_body
from racelog_recorder.dialects.registry import DIALECTS
from racelog_recorder.journal.chunks import ChunkColumns
from racelog_recorder.requests.stream import StreamFacts, StreamSink
from racelog_recorder.transports.pump.stamps import Arrival
from tests.recorder.requesting import outcome, recorded

SAMPLES = Path(__file__).parents[1] / "samples"
ENGINES = ("xllamacpp", "vllm", "transformers-serve", "llama-cpp-python")


def sunk(dialect: str, *reads: bytes) -> tuple[str, str, StreamFacts]:
    """Feed reads to a stream of ``dialect``; return its text, its chunks' kinds, and its facts."""
    columns = ChunkColumns(0)
    sink = StreamSink(columns, 0, 0, DIALECTS[dialect])
    for number, data in enumerate(reads):
        sink.read_begins(Arrival(number, "k"))
        sink.body(data)
        sink.read_ends()
    sink.body_ends()
    batch = columns.take()
    return ("".join(batch.x), batch.c or "c" * len(batch.x), sink.facts) if batch else ("", "", sink.facts)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_real_engines_completion_is_24_tokens_with_a_finish_reason(engine: str) -> None:
    text, codes, facts = sunk("openai-completions", (SAMPLES / f"{engine}.completions.sse").read_bytes())

    assert (text[:10], codes.count("c"), facts.finish_reason) == (", the city", 24, "length")
    assert facts.done is (engine != "transformers-serve")


@pytest.mark.parametrize("engine", ENGINES[:3])
def test_usage_of_a_completion_is_found_wherever_the_engine_puts_it(engine: str) -> None:
    _, _, facts = sunk("openai-completions", (SAMPLES / f"{engine}.completions.sse").read_bytes())

    assert facts.usage is not None
    assert (facts.usage.prompt_tokens, facts.usage.completion_tokens) == (4, 24)


def test_a_completions_prompt_is_the_text_of_its_messages() -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]

    assert completion_body("m", messages, {"max_tokens": 5}) == {
        "model": "m", "prompt": "Be brief.\n\nHi", "stream_options": {"include_usage": True}, "max_tokens": 5,
        "stream": True,
    }  # fmt: skip


def test_usage_is_not_asked_for_where_the_engine_refuses() -> None:
    bodies = [DIALECTS[name].body("m", [], {}, ask_usage=False) for name in DIALECTS]

    assert not any("stream_options" in body for body in bodies)


def test_an_ollama_stream_is_text_usage_and_timings() -> None:
    text, codes, facts = sunk("ollama", (SAMPLES / "ollama.ndjson").read_bytes())

    assert (text, codes, facts.finish_reason, facts.done) == ("The sky is blue.", "cccm", "stop", True)
    assert facts.timings["eval_duration"] == 4535599000


def test_an_ollama_stream_may_end_without_a_newline() -> None:
    _, _, facts = sunk("ollama", (SAMPLES / "ollama.ndjson").read_bytes().rstrip())

    assert facts.done


STREAMS = [
    *(("openai-completions", SAMPLES / f"{engine}.completions.sse") for engine in ENGINES),
    *(("openai-chat", SAMPLES / f"{engine}.sse") for engine in ENGINES),
    ("ollama", SAMPLES / "ollama.ndjson"),
]


@pytest.mark.parametrize(("dialect", "sample"), STREAMS, ids=lambda value: getattr(value, "name", value))
@given(st.data())
def test_any_split_of_a_real_stream_gives_the_same_chunks_and_facts(
    dialect: str, sample: Path, data: st.DataObject
) -> None:
    stream = sample.read_bytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))

    assert sunk(dialect, *(stream[a:b] for a, b in pairwise([0, *cuts, len(stream)]))) == sunk(
        dialect, stream
    )


@pytest.mark.parametrize(("dialect", "sample"), STREAMS, ids=lambda value: getattr(value, "name", value))
def test_a_real_stream_cut_at_any_byte_gives_a_beginning_of_its_text(dialect: str, sample: Path) -> None:
    stream = sample.read_bytes()
    whole, _, _ = sunk(dialect, stream)

    for cut in range(0, len(stream), 97):
        text, _, facts = sunk(dialect, stream[:cut])
        assert whole.startswith(text)
        assert facts.failure is None or facts.failure[0] == "malformed"


def stream_of(wire: Any, head: bytes, body: bytes, seen: list[bytes]) -> Any:
    def script(connection: socket.socket, _number: int) -> None:
        seen.append(wire.read_request(connection))
        connection.sendall(head + wire.chunked(body))

    return script


def asked(seen: list[bytes]) -> tuple[str, Any]:
    """Return the request line's target and the JSON body of the only request."""
    head, _, body = seen[0].partition(b"\r\n\r\n")
    return head.split()[1].decode(), json.loads(body)


def test_a_completion_is_asked_for_and_recorded(tmp_path: Path, scripted: Any, wire: Any) -> None:
    seen: list[bytes] = []
    sample = (SAMPLES / "vllm.completions.sse").read_bytes()
    server = scripted(stream_of(wire, wire.HEAD, sample, seen))
    log = recorded(tmp_path, server.url, dialect="openai-completions")

    assert outcome(log) == ("ok", "")
    assert asked(seen) == (
        "/v1/completions",
        {"model": "m", "prompt": "hi", "stream_options": {"include_usage": True}, "stream": True},
    )
    assert [(usage.input_tokens, usage.output_tokens) for usage in log.of(Usage)] == [(4, 24)]


NDJSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_an_ollama_chat_is_asked_for_and_recorded(tmp_path: Path, scripted: Any, wire: Any) -> None:
    seen: list[bytes] = []
    server = scripted(stream_of(wire, NDJSON_HEAD, (SAMPLES / "ollama.ndjson").read_bytes(), seen))
    log = recorded(
        tmp_path, server.url.removesuffix("/v1"), dialect="ollama", params={"max_tokens": 3, "temperature": 0}
    )

    assert outcome(log) == ("ok", "")
    assert asked(seen) == (
        "/api/chat",
        {
            "model": "m", "messages": [{"role": "user", "content": "hi"}],
            "options": {"num_predict": 3, "temperature": 0}, "stream": True,
        },
    )  # fmt: skip
    assert "".join(text for batch in log.of(Tokens) for text in batch.x) == "The sky is blue."
    assert [(usage.input_tokens, usage.output_tokens) for usage in log.of(Usage)] == [(26, 3)]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"message":{"content":"a"},"done":false}\n{"error":"runner stopped"}\n', "error_event"),
        (b'{"message":{"content":"a"},"done":false}\n', "truncated"),
        (b"data: {}\n\n", "malformed"),
    ],
)
def test_what_goes_wrong_in_an_ollama_stream_has_a_name(
    tmp_path: Path, scripted: Any, wire: Any, body: bytes, kind: str
) -> None:
    server = scripted(stream_of(wire, NDJSON_HEAD, body, []))

    assert outcome(recorded(tmp_path, server.url, dialect="ollama")) == ("failed", kind)


def test_an_event_stream_where_lines_were_due_is_named(tmp_path: Path, scripted: Any, wire: Any) -> None:
    server = scripted(stream_of(wire, wire.HEAD, b"", []))
    (end,) = recorded(tmp_path, server.url, dialect="ollama").of(RequestEnd)

    assert end.message == "answered with text/event-stream, not with application/x-ndjson"
