"""Ollama's /api/chat, by its documents: bodies, lines, and what other versions leave out."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog_recorder.dialects.message import Failed, MalformedMessage, Message
from racelog_recorder.dialects.ndjson import NDJSONParser
from racelog_recorder.dialects.ollama import listed_models, ollama_body, parse_line
from racelog_recorder.dialects.usage import TokenUsage

SAMPLE = (Path(__file__).parents[1] / "samples" / "ollama.ndjson").read_bytes()
MESSAGES = [{"role": "user", "content": "hi"}]


def said(payload: bytes) -> Message:
    message = parse_line(payload)
    assert isinstance(message, Message)
    return message


def test_the_documented_stream_gives_its_text_counts_and_durations() -> None:
    *content, last = [said(line) for line in NDJSONParser().feed(SAMPLE)]

    assert [(message.code, message.text) for message in content] == [
        ("c", "The"),
        ("c", " sky"),
        ("c", " is blue."),
    ]
    assert (last.code, last.finish_reason, last.done) == ("m", "stop", True)
    assert last.usage is not None
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (26, 3)
    assert last.timings == {
        "total_duration": 4883583458, "load_duration": 1334875, "prompt_eval_duration": 342546000,
        "eval_duration": 4535599000,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        ('{"role":"assistant","content":"x"}', "c", "x"),
        ('{"role":"assistant","content":"","thinking":"x"}', "r", "x"),
        ('{"role":"assistant","content":""}', "m", ""),
        (
            '{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]}',
            "t",
            'f{"a":1}',
        ),
        ('{"tool_calls":[{"function":{"name":"f"}}]}', "t", "f"),
    ],
)
def test_a_line_is_a_token_chunk_only_when_it_carries_text(message: str, code: str, text: str) -> None:
    parsed = said(b'{"message":' + message.encode() + b',"done":false}')

    assert (parsed.code, parsed.text) == (code, text)


def test_a_last_line_without_a_reason_has_stopped() -> None:
    parsed = said(b'{"done":true}')

    assert (parsed.finish_reason, parsed.usage, parsed.done) == ("stop", None, True)


def test_a_count_below_zero_is_no_count() -> None:
    assert said(b'{"done":true,"prompt_eval_count":5,"eval_count":-1}').usage == TokenUsage(5)


def test_an_error_line_is_told_apart() -> None:
    assert parse_line(b'{"error":"model runner has unexpectedly stopped"}') == Failed(
        "model runner has unexpectedly stopped"
    )


@pytest.mark.parametrize("payload", [b"hello", b"[1]", b'{"message":5}', b"[" * 5000])
def test_what_is_no_chat_line_is_malformed(payload: bytes) -> None:
    with pytest.raises(MalformedMessage, match="no Ollama chat line"):
        parse_line(payload)


@given(st.binary(max_size=200))
def test_random_bytes_are_a_message_or_malformed_and_nothing_else(payload: bytes) -> None:
    try:
        message = parse_line(payload)
    except MalformedMessage:
        return
    assert isinstance(message, Failed) or (isinstance(message, Message) and message.code in "crtm")


@pytest.mark.parametrize(
    ("params", "body"),
    [
        ({}, {}),
        ({"max_tokens": 5, "temperature": 0}, {"options": {"num_predict": 5, "temperature": 0}}),
        ({"keep_alive": "5m", "think": False}, {"keep_alive": "5m", "think": False}),
        ({"max_tokens": 5, "options": {"num_predict": 7}}, {"options": {"num_predict": 7}}),
    ],
)
def test_a_races_parameters_stand_where_ollama_looks_for_them(
    params: dict[str, Any], body: dict[str, Any]
) -> None:
    assert ollama_body("m", MESSAGES, params) == {"model": "m", "messages": MESSAGES, "stream": True, **body}


def test_models_are_listed_by_name() -> None:
    assert listed_models(b'{"models":[{"name":"llama3.2:latest","size":1},{"name":"q"}]}') == [
        "llama3.2:latest",
        "q",
    ]


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"models":[{}]}', b"\xff"])
def test_what_is_no_list_of_models_lists_none(content: bytes) -> None:
    assert listed_models(content) == []
