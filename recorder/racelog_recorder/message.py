"""What one stream message says, whatever the dialect: the types all dialects parse into."""

import json
import re
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from racelog.text import REPLACEMENT
from racelog_recorder.usage import TokenUsage

HEAD_BYTES = 80
"""How much of a malformed message an error shows."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class Message(Struct, frozen=True, gc=False):
    """What one stream message says: at most one chunk, and the facts beside it.

    ``code`` is a letter of `racelog.events.KIND_CODES`; ``tokens`` the server's own count for this chunk; ``done``
    says that the answer is whole.
    """

    code: str
    text: str = ""
    tokens: int | None = None
    finish_reason: str = ""
    usage: TokenUsage | None = None
    timings: dict[str, Any] | None = None
    error: str = ""
    done: bool = False


class MalformedMessage(ValueError):  # noqa: N818 - reads as the fact it is
    """A stream message is not what the dialect allows."""


Frame = TypeVar("Frame")


def decoded(decoder: "msgspec.json.Decoder[Frame]", payload: bytes, what: str) -> Frame:
    """Return ``payload`` decoded; what msgspec refuses but servers send is repaired first.

    Halves of surrogate pairs and broken UTF-8 become U+FFFD.

    Raises:
        MalformedMessage: the payload is no JSON of that type; the message calls it no ``what``.
    """
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    try:
        plain = json.loads(payload.decode("utf-8", "replace"))
        return decoder.decode(_SURROGATE.sub(REPLACEMENT, json.dumps(plain, ensure_ascii=False)))
    except (ValueError, RecursionError) as error:
        head = payload[:HEAD_BYTES].decode("utf-8", "replace").replace("\x00", REPLACEMENT)
        raise MalformedMessage(f"stream message is no {what}: {head!r}: {error}") from error


def error_text(error: Any) -> str:
    """Return what a server said was wrong: its words, type and code behind them; as JSON text where it has no words.

    OpenAI, vLLM, SGLang and llama.cpp send an object of ``message``, ``type`` and ``code``; Ollama and TGI send words alone.
    OpenAI's type and code can be the same (``insufficient_quota``). Never empty.
    """
    words = error.get("message") if isinstance(error, dict) else error
    if not isinstance(words, str) or not words.strip():
        return msgspec.json.encode(error).decode()
    told = [error.get("type"), error.get("code")] if isinstance(error, dict) else []
    kinds = dict.fromkeys(str(kind) for kind in told if kind and isinstance(kind, str | int))
    return f"{words} ({', '.join(kinds)})" if kinds else words


_anything = msgspec.json.Decoder()


def named_error_text(payload: bytes) -> str:
    """Return what an event said that its name calls an error: in JSON or in plain words. Never empty."""
    try:
        said = decoded(_anything, payload, "JSON")
    except MalformedMessage:
        words = payload.decode("utf-8", "replace").replace("\x00", REPLACEMENT).strip()
        return words or "an event named error, without a word"
    inner = said.get("error") if isinstance(said, dict) else None
    return error_text(said if inner is None else inner)
