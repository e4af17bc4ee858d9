"""The OpenAI chat dialect: request bodies out, stream messages in. Pure.

What real servers differ in, each seen on the wire: the role frame may carry ``content: null``, an empty string or
no content at all; the last text may share a frame with ``finish_reason``; usage may come on the finish frame, in
a frame without choices, on every frame, or never; ``[DONE]`` may be missing.
"""

import json
import re
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Meta, Struct

from racelog.text import REPLACEMENT

DONE = b"[DONE]"
_SURROGATE = re.compile("[\ud800-\udfff]")


Count = Annotated[int, Meta(ge=0, le=2**53)] | None
"""A token count a server may claim; beyond it the message is malformed."""


class _Function(Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(Struct):
    function: _Function | None = None


class _Delta(Struct):
    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(Struct):
    delta: _Delta | None = None
    text: str | None = None
    finish_reason: str | None = None
    token_ids: list[int] | None = None


class _PromptDetails(Struct):
    cached_tokens: Count = None


class _CompletionDetails(Struct):
    reasoning_tokens: Count = None


class TokenUsage(Struct):
    """The server's count of a request's tokens."""

    prompt_tokens: Count = None
    completion_tokens: Count = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class _Frame(Struct):
    choices: list[_Choice] | None = None
    usage: TokenUsage | None = None
    timings: dict[str, Any] | None = None
    error: Any = None


_decoder = msgspec.json.Decoder(_Frame)


class Message(Struct, frozen=True):
    """What one stream message says: at most one chunk, and the facts beside it.

    ``code`` is a letter of `racelog.events.KIND_CODES`; ``tokens`` the server's own count for this chunk.
    """

    code: str
    text: str = ""
    tokens: int | None = None
    finish_reason: str = ""
    usage: TokenUsage | None = None
    timings: dict[str, Any] | None = None
    error: str = ""


class MalformedMessage(ValueError):  # noqa: N818 - reads as the fact it is
    """A stream message is not what the dialect allows."""


def endpoint(base_url: str, path: str) -> str:
    """Return the URL of ``path`` under an OpenAI base URL; a query of the base URL stays at the end."""
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/" + path))


def chat_body(model: str, messages: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a streaming chat request; ``params`` go in as they are and win over the defaults."""
    usage = {"stream_options": {"include_usage": True}}
    return {"model": model, "messages": messages, **usage, **params, "stream": True}


def parse_message(payload: bytes) -> Message:
    """Return what a stream message says.

    Raises:
        MalformedMessage: the payload is no JSON object of the dialect.
    """
    try:
        frame = _decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        frame = _decode_leniently(payload)
    if frame.error is not None:
        return Message("m", error=msgspec.json.encode(frame.error).decode())
    choice = frame.choices[0] if frame.choices else None
    if choice is None:
        return Message("m", usage=frame.usage, timings=frame.timings)
    code, text = _chunk(choice)
    return Message(
        code,
        text,
        len(choice.token_ids) if choice.token_ids else None,
        choice.finish_reason or "",
        frame.usage,
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


def _decode_leniently(payload: bytes) -> _Frame:
    """Decode what msgspec refuses but servers send: halves of surrogate pairs and broken UTF-8 become U+FFFD."""
    try:
        plain = json.loads(payload.decode("utf-8", "replace"))
        return _decoder.decode(_SURROGATE.sub(REPLACEMENT, json.dumps(plain, ensure_ascii=False)))
    except (ValueError, RecursionError) as error:
        head = payload[:80].decode("utf-8", "replace").replace("\x00", REPLACEMENT)
        raise MalformedMessage(f"stream message is no chat chunk: {head!r}: {error}") from error
