"""The OpenAI dialects, chat and completions: request bodies out, stream messages in. Pure.

What real servers differ in, each seen on the wire: the role frame may carry ``content: null``, an empty string or
no content at all; the last text may share a frame with ``finish_reason``; usage may come on the finish frame, in
a frame without choices, on every frame, or never; ``[DONE]`` may be missing.
"""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Struct

from racelog_recorder.message import MalformedMessage, Message, decoded, error_text
from racelog_recorder.usage import TokenUsage, usage_of

__all__ = [
    "DONE",
    "MalformedMessage",
    "Message",
    "TokenUsage",
    "chat_body",
    "completion_body",
    "endpoint",
    "parse_message",
]

DONE = b"[DONE]"


class _Function(Struct, gc=False):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(Struct, gc=False):
    function: _Function | None = None


class _Delta(Struct, gc=False):
    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(Struct, gc=False):
    delta: _Delta | None = None
    text: str | None = None
    finish_reason: str | None = None
    token_ids: list[int] | None = None


class _Frame(Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: Any = None
    timings: dict[str, Any] | None = None
    error: Any = None
    object: str | None = None
    message: Any = None
    type: Any = None
    code: Any = None


_decoder = msgspec.json.Decoder(_Frame)


class _Model(Struct):
    id: str


class _Models(Struct):
    data: list[_Model] = []


def endpoint(base_url: str, path: str) -> str:
    """Return the URL of ``path`` under a base URL; a query of the base URL stays at the end."""
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/" + path))


def chat_body(
    model: str, messages: list[dict[str, Any]], params: dict[str, Any], *, ask_usage: bool = True
) -> dict[str, Any]:
    """Return the body of a streaming chat request; ``params`` go in as they are and win over the defaults."""
    return {"model": model, "messages": messages, **_usage_asked(ask=ask_usage), **params, "stream": True}


def completion_body(
    model: str, messages: list[dict[str, Any]], params: dict[str, Any], *, ask_usage: bool = True
) -> dict[str, Any]:
    """Return the body of a streaming completion: the prompt is the messages' text, a blank line between two."""
    prompt = "\n\n".join(text for message in messages if isinstance(text := message.get("content"), str))
    return {"model": model, "prompt": prompt, **_usage_asked(ask=ask_usage), **params, "stream": True}


def _usage_asked(*, ask: bool) -> dict[str, Any]:
    return {"stream_options": {"include_usage": True}} if ask else {}


def listed_models(content: bytes) -> list[str]:
    """Return the names in a ``/models`` response, none if it holds no such list."""
    try:
        return [model.id for model in msgspec.json.decode(content, type=_Models).data]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def parse_message(payload: bytes) -> Message:
    """Return what a stream message says.

    Raises:
        MalformedMessage: the payload is no JSON object of the dialect.
    """
    frame = decoded(_decoder, payload, "chat chunk")
    if frame.error is not None:
        return Message("m", error=error_text(frame.error))
    if frame.object == "error":  # vLLM's older shape: the error is the whole frame
        return Message(
            "m", error=error_text({"message": frame.message, "type": frame.type, "code": frame.code})
        )
    usage = None if frame.usage is None else usage_of(frame.usage)
    choice = frame.choices[0] if frame.choices else None
    if choice is None:
        return Message("m", usage=usage, timings=frame.timings)
    code, text = _chunk(choice)
    return Message(
        code,
        text,
        len(choice.token_ids) if choice.token_ids else None,
        choice.finish_reason or "",
        usage,
        frame.timings,
    )


def _chunk(choice: _Choice) -> tuple[str, str]:
    """Return the kind code and text of a choice; empty text is bookkeeping, not a token."""
    delta = choice.delta
    if delta is None:
        return ("c", choice.text) if choice.text else ("m", "")
    if delta.content:
        return "c", delta.content
    if reasoning := delta.reasoning_content or delta.reasoning:
        return "r", reasoning
    if delta.tool_calls:
        functions = [call.function for call in delta.tool_calls if call.function]
        text = "".join((function.name or "") + (function.arguments or "") for function in functions)
        return ("t", text) if text else ("m", "")
    return ("o", "") if delta.role else ("m", "")
