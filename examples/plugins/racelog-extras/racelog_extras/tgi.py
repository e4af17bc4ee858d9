"""A dialect: the own API of Hugging Face's Text Generation Inference, ``POST /generate_stream``.

Every event is a token; the last one has the finish reason and the counts too. A prompt is one text, and parameters stand apart.
"""

from typing import Any

import msgspec
from msgspec import Struct

from racelog_recorder.dialects.api import (
    Dialect,
    Failed,
    Message,
    Payload,
    TokenUsage,
    decoded,
    error_text,
    prompt_of,
)

RENAMED = {"max_tokens": "max_new_tokens", "max_completion_tokens": "max_new_tokens"}


class _Token(Struct):
    text: str
    special: bool = False


class _Details(Struct):
    finish_reason: str = ""
    generated_tokens: int | None = None
    input_length: int | None = None


class _Event(Struct):
    token: _Token | None = None
    details: _Details | None = None
    error: Any = None


class _Info(Struct):
    model_id: str


_events = msgspec.json.Decoder(_Event)
_info = msgspec.json.Decoder(_Info)


def make_body(
    model: str, messages: list[dict[str, Any]], params: dict[str, Any], *, ask_usage: bool = True
) -> dict[str, Any]:
    """Return the body of a request. A server has one model, and counts are asked for by ``details``."""
    del model, ask_usage
    asked = {RENAMED.get(name, name): value for name, value in params.items()}
    if (
        asked.get("temperature") == 0
    ):  # which the server refuses: it takes the likeliest token unless told to sample
        del asked["temperature"]
    return {"inputs": prompt_of(messages), "parameters": {**asked, "details": True}}


def list_models(content: bytes) -> list[str]:
    """Return the one model that ``/info`` names."""
    try:
        return [_info.decode(content).model_id]
    except msgspec.DecodeError:
        return []


def parse(payload: bytes) -> Payload:
    """Return what an event says."""
    event = decoded(_events, payload, "token of TGI")
    if event.error is not None or event.token is None:
        return Failed(error_text(event.error or "an event without a token"))
    token, details = event.token, event.details
    said = Message("m") if token.special or not token.text else Message("c", token.text, tokens=1)
    if details is None:
        return said
    usage = TokenUsage(prompt_tokens=details.input_length, completion_tokens=details.generated_tokens)
    return msgspec.structs.replace(said, finish_reason=details.finish_reason, usage=usage, done=True)


TGI = Dialect(
    name="tgi",
    path="generate_stream",
    body=make_body,
    parse=parse,
    models_path="info",
    listed=list_models,
    length_params=("max_tokens", "max_completion_tokens", "max_new_tokens"),
    base_hint="usually has no path, as in http://localhost:8080",
)
