"""What real servers' stream messages mean, and what broken ones do not do."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog_recorder.dialects import openai
from racelog_recorder.dialects.message import Failed, MalformedMessage, Message
from racelog_recorder.dialects.openai import DONE, chat_body, parse_message
from racelog_recorder.dialects.sse import SSEParser

SAMPLES = Path(__file__).parents[1] / "samples"


def parsed(payload: bytes) -> Message:
    message = parse_message(payload)
    assert isinstance(message, Message)
    return message


def messages(name: str) -> list[Message]:
    payloads = SSEParser().feed((SAMPLES / name).read_bytes())
    return [parsed(payload) for payload in payloads if payload != DONE]


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("xllamacpp.sse", "o" + "c" * 64 + "mm"),
        ("vllm.sse", "o" + "c" * 64 + "m"),
        ("transformers-serve.sse", "o" + "c" * 64 + "m"),
        ("llama-cpp-python.sse", "o" + "c" * 64 + "m"),
    ],
)
def test_every_real_engine_gives_64_content_chunks_for_64_tokens(name: str, codes: str) -> None:
    assert "".join(message.code for message in messages(name)) == codes


@pytest.mark.parametrize("name", ["xllamacpp.sse", "vllm.sse", "transformers-serve.sse"])
def test_usage_is_found_wherever_the_engine_puts_it(name: str) -> None:
    found = [message.usage for message in messages(name) if message.usage]

    assert [(usage.prompt_tokens, usage.completion_tokens) for usage in found] == [(40, 64)]


def test_llama_cpp_tells_its_own_timings() -> None:
    timings = messages("xllamacpp.sse")[-1].timings

    assert timings is not None
    assert (timings["prompt_n"], timings["predicted_n"]) == (40, 64)


def test_vllm_puts_the_finish_reason_on_the_frame_with_the_last_text() -> None:
    last = [message for message in messages("vllm.sse") if message.code == "c"][-1]

    assert (last.text, last.finish_reason) == (" It", "length")


def test_a_stream_cut_by_its_server_has_no_finish_reason() -> None:
    assert {message.finish_reason for message in messages("llama-cpp-python.interrupted.sse")} == {""}


@pytest.mark.parametrize(
    ("delta", "code", "text"),
    [
        ('{"role":"assistant","content":null}', "o", ""),
        ('{"role":"assistant","content":""}', "o", ""),
        ('{"role":"assistant"}', "o", ""),
        ("{}", "m", ""),
        ('{"content":"x"}', "c", "x"),
        ('{"reasoning_content":"x"}', "r", "x"),
        ('{"reasoning":"x"}', "r", "x"),
        ('{"tool_calls":[{"function":{"name":"f","arguments":""}}]}', "t", "f"),
        ('{"tool_calls":[{"function":{"arguments":"{\\"a\\""}}]}', "t", '{"a"'),
        ('{"tool_calls":[{"index":0}]}', "m", ""),
    ],
)
def test_a_delta_is_a_token_chunk_only_when_it_carries_text(delta: str, code: str, text: str) -> None:
    message = parsed(b'{"choices":[{"delta":' + delta.encode() + b"}]}")

    assert (message.code, message.text) == (code, text)


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ('{"error":{"message":"out of memory"}}', "out of memory"),
        (
            '{"error":{"message":"no quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}',
            "no quota (insufficient_quota)",
        ),
        (
            '{"error":{"code":500,"message":"no slot","type":"server_error"}}',
            "no slot (server_error, 500)",
        ),
        (
            '{"object":"error","message":"too long","type":"BadRequestError","param":null,"code":400}',
            "too long (BadRequestError, 400)",
        ),
        ('{"error":"Model is overloaded","error_type":"overloaded"}', "Model is overloaded"),
        ('{"error":""}', '""'),
        ('{"error":{"message":null,"code":500}}', '{"message":null,"code":500}'),
        ('{"error":{"detail":[1]}}', '{"detail":[1]}'),
        ('{"error":["a",1]}', '["a",1]'),
        ('{"error":true}', "true"),
        ('{"error":{"message":"odd","type":{"a":1},"code":0}}', "odd"),
    ],
    ids=["message", "openai", "llama.cpp", "old-vllm", "tgi", "empty", "no-words", "object", "list", "true", "odd"],
)  # fmt: skip
def test_an_error_inside_a_good_stream_is_told_in_the_servers_words(payload: str, told: str) -> None:
    assert parse_message(payload.encode()) == Failed(told)


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    assert parsed(b'{"choices":[{"delta":{"content":"a\\ud83d"}}]}').text == "a\ufffd"


def test_broken_utf8_becomes_the_replacement_character() -> None:
    assert parsed(b'{"choices":[{"delta":{"content":"a\xff"}}]}').text == "a\ufffd"


@pytest.mark.parametrize("payload", [b"", b"hello", b"[1]", b'{"choices":5}', b"[" * 5000])
def test_what_is_no_chat_chunk_is_malformed(payload: bytes) -> None:
    with pytest.raises(MalformedMessage, match="no chat chunk"):
        parse_message(payload)


@given(st.binary(max_size=200))
def test_random_bytes_are_a_message_or_malformed_and_nothing_else(payload: bytes) -> None:
    try:
        message = parse_message(payload)
    except MalformedMessage:
        return
    assert isinstance(message, Failed) or (isinstance(message, Message) and message.code in "crtom")


def test_a_request_streams_and_asks_for_usage_whatever_the_params_say() -> None:
    body = chat_body("m", [{"role": "user", "content": "hi"}], {"max_tokens": 5, "stream": False})

    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stream_options": {"include_usage": True},
        "max_tokens": 5,
        "stream": True,
    }


@pytest.mark.parametrize(
    "delta",
    [
        '{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\\"a\\":"}}]}',
        '{"role":null,"content":null,"tool_calls":[{"function":{"arguments":{"a":1}}},{"function":{"name":"g"}}]}',
        '{"content":"x","tool_calls":[{"function":{"name":"f"}}]}',
        '{"reasoning_content":"x","tool_calls":[{"function":{"name":"f"}}]}',
        '{"content":"","tool_calls":[{"function":{"arguments":""}}]}',
        '{"tool_calls":"odd"}',
        '{"content":"x"}',
        '{"reasoning_content":"x"}',
    ],
)
def test_what_is_read_the_short_way_says_what_the_long_way_does(delta: str) -> None:
    payload = f'{{"choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}'.encode()

    assert parse_message(payload) == openai._message(openai._decode(payload), payload)
