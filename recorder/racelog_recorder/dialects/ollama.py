"""Ollama's own dialect, ``/api/chat``: request bodies out, lines of JSON in. Pure.

From docs/api.md and docs.ollama.com/api/{chat,streaming,errors}: every line is an object with ``message`` and
``done``; thinking comes in ``message.thinking``, tool calls whole with their arguments as an object; the last line has
``done: true``, ``done_reason`` (left out by older versions), counts, and durations in nanoseconds; an error in a
stream that has begun is a line with ``error`` alone.
"""

from typing import Any

import msgspec
from msgspec import Struct

from racelog_recorder.dialects.complaint import complaint, finish_word
from racelog_recorder.dialects.dialect import Dialect
from racelog_recorder.dialects.message import Failed, Message, Payload, Said, inert, leniently, plain_json
from racelog_recorder.dialects.ndjson import NDJSONParser
from racelog_recorder.dialects.text_places import Delta, said
from racelog_recorder.dialects.usage import count, usage_of

TOP_LEVEL = frozenset({"tools", "format", "options", "keep_alive", "think", "logprobs", "top_logprobs"})
"""Parameters that stand beside the model; all others are the model's and stand under ``options``."""

RENAMED = {"max_tokens": "num_predict", "max_completion_tokens": "num_predict"}
"""What a race's params are called here, so that one plan fits engines of both dialects."""

DURATIONS = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")


class _Said(Struct):
    content: Any = None
    thinking: Any = None
    tool_calls: Any = None


class _Line(Struct):
    message: _Said | None = None
    done: Any = False
    done_reason: Any = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    total_duration: Any = None
    load_duration: Any = None
    prompt_eval_duration: Any = None
    eval_duration: Any = None
    error: Any = None


_decoder = msgspec.json.Decoder(_Line)


class _Model(Struct):
    name: str


class _Models(Struct):
    models: list[_Model] = []


def ollama_body(
    model: str, messages: list[dict[str, Any]], params: dict[str, Any], *, ask_usage: bool = True
) -> dict[str, Any]:
    """Return the body of a streaming chat; usage comes unasked. ``options`` in ``params`` win over single ones."""
    del ask_usage
    top = {name: value for name, value in params.items() if name in TOP_LEVEL and name != "options"}
    options = {RENAMED.get(name, name): value for name, value in params.items() if name not in TOP_LEVEL}
    options |= params.get("options") or {}
    return {
        "model": model,
        "messages": messages,
        **top,
        **({"options": options} if options else {}),
        "stream": True,
    }


def listed_models(content: bytes) -> list[str]:
    """Return the names in an ``/api/tags`` response, none if it holds no such list."""
    try:
        return [model.name for model in msgspec.json.decode(content, type=_Models).models]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def parse_line(payload: bytes) -> Payload:
    """Return what a line of the stream says.

    Raises:
        MalformedMessage: the line is no JSON object of the dialect.
    """
    try:
        line = _decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return inert(_message(leniently(_Line, payload, "Ollama chat line"), payload))
    return _message(line, payload)


def _message(line: _Line, payload: bytes) -> Payload:
    if line.error is not None or (line.message is None and not line.done):
        error = complaint(plain_json(payload), beside_choices=line.message is not None)
        return Failed(error) if error else Message("m")
    (code, text), *more = _chunks(line.message)
    if line.done is not True:
        return Message(code, text, more=tuple(more), odd=bool(more))
    durations = {name: value for name in DURATIONS if (value := count(getattr(line, name))) is not None}
    return Message(
        code,
        text,
        finish_reason=finish_word(line.done_reason, "stop"),
        usage=usage_of({"prompt_eval_count": line.prompt_eval_count, "eval_count": line.eval_count}),
        timings=durations or None,
        done=True,
        more=tuple(more),
        odd=bool(more),
    )


def _chunks(message: _Said | None) -> list[Said]:
    """Return the kinds and texts of a message; one without text is bookkeeping, not a token."""
    if message is None:
        return [_NOTHING]
    if type(message.content) is str and message.content and not (message.thinking or message.tool_calls):
        return [("c", message.content)]
    delta = Delta(content=message.content, thinking=message.thinking, tool_calls=message.tool_calls)
    return said(delta) or [_NOTHING]


_NOTHING: Said = ("m", "")

OLLAMA = Dialect(
    name="ollama",
    path="api/chat",
    body=ollama_body,
    models_path="api/tags",
    listed=listed_models,
    length_params=("max_tokens", "max_completion_tokens", "num_predict"),
    stream_type="application/x-ndjson",
    framing=NDJSONParser,
    parse=parse_line,
    base_hint="usually has no path, as in http://localhost:11434",
)
"""Ollama's own chat."""
