"""What a package imports that adds a dialect (docs/howto/dialect.md); the names here stay."""

from racelog_recorder.dialects.complaint import complaint, error_text, finish_word
from racelog_recorder.dialects.dialect import Dialect, MakeBody, bearer, key_header, no_models, prompt_of
from racelog_recorder.dialects.framing import BadFraming, Framing, StreamTooLong
from racelog_recorder.dialects.message import (
    Done,
    Failed,
    MalformedMessage,
    Message,
    Payload,
    decoded,
    plain_json,
)
from racelog_recorder.dialects.ndjson import NDJSONParser
from racelog_recorder.dialects.sse import SSEParser
from racelog_recorder.dialects.usage import TokenUsage, usage_of

__all__ = [
    "BadFraming",
    "Dialect",
    "Done",
    "Failed",
    "Framing",
    "MakeBody",
    "MalformedMessage",
    "Message",
    "NDJSONParser",
    "Payload",
    "SSEParser",
    "StreamTooLong",
    "TokenUsage",
    "bearer",
    "complaint",
    "decoded",
    "error_text",
    "finish_word",
    "key_header",
    "no_models",
    "plain_json",
    "prompt_of",
    "usage_of",
]
