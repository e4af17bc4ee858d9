"""How an engine is spoken to: for each dialect where requests go, what they say, and how its stream is read.

A dialect is data and pure functions; a new one is an entry in `DIALECTS` and a module beside `openai`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from racelog_recorder.dialects import ollama, openai
from racelog_recorder.dialects.message import Message
from racelog_recorder.dialects.ndjson import NDJSONParser
from racelog_recorder.dialects.sse import SSEParser

DEFAULT_DIALECT = "openai-chat"


class StreamParser(Protocol):
    """Turns the bytes of a body into its messages, whatever the reads they come in."""

    @property
    def pending(self) -> bool:
        """True when anything has come after the last message."""
        ...

    @property
    def aside(self) -> bytes:
        """How the first line begins that is no part of any message; known when the body has ended."""
        ...

    def feed(self, data: bytes) -> list[bytes]:
        """Return the payloads of the messages that ``data`` completes; raise `StreamTooLong` beyond the limit."""
        ...

    def finish(self) -> list[bytes]:
        """Return what the end of the body completes."""
        ...


class MakeBody(Protocol):
    """Makes the JSON body of a streaming request."""

    def __call__(
        self, model: str, messages: list[dict[str, Any]], params: dict[str, Any], *, ask_usage: bool = True
    ) -> dict[str, Any]:
        """Return the body; ``ask_usage`` asks for the server's token counts where the dialect has to ask."""
        ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """One dialect. ``path`` and ``models_path`` stand under the base URL; ``stream_type`` is its content type."""

    name: str
    path: str
    models_path: str
    stream_type: str
    base_url: str
    parser: Callable[[], StreamParser]
    body: MakeBody
    parse: Callable[[bytes], Message]
    listed: Callable[[bytes], list[str]]

    def is_stream(self, content_type: str) -> bool:
        """Return True for the content type of this dialect's streams, parameters and case aside."""
        return content_type.partition(";")[0].strip().lower() == self.stream_type


_EVENTS = "text/event-stream"

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            DEFAULT_DIALECT, "chat/completions", "models", _EVENTS, "usually ends in /v1",
            SSEParser, openai.chat_body, openai.parse_message, openai.listed_models,
        ),
        Dialect(
            "openai-completions", "completions", "models", _EVENTS, "usually ends in /v1",
            SSEParser, openai.completion_body, openai.parse_message, openai.listed_models,
        ),
        Dialect(
            "ollama", "api/chat", "api/tags", "application/x-ndjson", "usually has no path, as in http://localhost:11434",
            NDJSONParser, ollama.ollama_body, ollama.parse_line, ollama.listed_models,
        ),
    )
}  # fmt: skip
