"""A recorded answer -> what an OpenAI server would send, and when. Pure.

The number of frames is the recording's. Where the recording tells that the last text shared its frame with
``finish_reason`` (no bookkeeping chunk came between it and usage), it does so again. Usage is only sent when the
engine had sent it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from racelog.events import TOKEN_CODES, Usage
from racelog_recorder.serve.answers import Answer

DONE = b"data: [DONE]\n\n"

Frame = tuple[int, bytes]
"""Nanoseconds since the request, and the bytes of one server-sent event."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every frame of one response repeats."""

    id: str
    model: str
    created: int


def stream_frames(answer: Answer, envelope: Envelope, *, include_usage: bool) -> Iterator[Frame]:
    """Yield the events of a streamed answer in order, each with its time; an answer that was cut ends early.

    Frames are made one by one, so that making a long answer never holds up another's deadline.
    """
    if answer.outcome == "cut":
        yield from _body(answer, envelope, len(answer.kinds), finish="")
        return
    body = len(answer.kinds.rstrip("m"))
    usage_ns, slots = _closing(answer, body)
    reason = answer.finish_reason or "stop"
    yield from _body(answer, envelope, body, finish="" if slots else reason)
    for i, slot_ns in enumerate(slots):
        yield slot_ns, _event(envelope, [] if i else [_choice({}, reason)])
    if include_usage and answer.usage is not None:
        yield usage_ns, _event(envelope, [], usage=usage_json(answer.usage))
    yield answer.end_ns, DONE


def completion(answer: Answer, envelope: Envelope) -> dict[str, Any]:
    """Return the answer as the body of a response that is not streamed."""
    by_kind = dict.fromkeys("crt", "")
    for kind, text in zip(answer.kinds, answer.texts, strict=True):
        if kind in by_kind:
            by_kind[kind] += text
    message: dict[str, Any] = {"role": "assistant", "content": by_kind["c"]}
    if by_kind["r"]:
        message["reasoning_content"] = by_kind["r"]
    if by_kind["t"]:
        message["tool_calls"] = [_tool_call(by_kind["t"], first=True)]
    choice = {"index": 0, "message": message, "finish_reason": answer.finish_reason or "stop"}
    usage = {"usage": usage_json(answer.usage)} if answer.usage else {}
    return {**_head(envelope, "chat.completion"), "choices": [choice], **usage}


def usage_json(usage: Usage) -> dict[str, Any]:
    """Return the recorded counts under the names OpenAI gives them; what was not recorded is left out."""
    total = usage.total_tokens
    if total is None and usage.input_tokens is not None and usage.output_tokens is not None:
        total = usage.input_tokens + usage.output_tokens
    told = (
        ("prompt_tokens", usage.input_tokens),
        ("completion_tokens", usage.output_tokens),
        ("total_tokens", total),
    )
    counts: dict[str, Any] = {name: number for name, number in told if number is not None}
    if usage.cached_tokens is not None:
        counts["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    if usage.reasoning_tokens is not None:
        counts["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return counts


def _closing(answer: Answer, body: int) -> tuple[int, list[int]]:
    """Return when usage is sent, and when each bookkeeping frame before it; the first of them says why it ended."""
    tail = answer.delays_ns[body:].tolist()
    usage_ns = answer.end_ns
    if answer.usage is not None and tail:
        usage_ns = tail.pop()
    if not tail and answer.kinds[body - 1 : body] not in TOKEN_CODES:
        tail = [usage_ns]  # no text to ride on
    return usage_ns, tail


def _body(answer: Answer, envelope: Envelope, stop: int, finish: str) -> Iterator[Frame]:
    """Yield the first ``stop`` chunks; ``finish`` goes on the last. The first with text opens the turn if none did."""
    opened = "o" in answer.kinds
    tool_started = False
    for i in range(stop):
        kind = answer.kinds[i]
        delta: dict[str, Any] = {}
        if kind == "o" or (kind in TOKEN_CODES and not opened):
            opened = True
            delta["role"] = "assistant"
        if kind == "t":
            delta["tool_calls"] = [_tool_call(answer.texts[i], first=not tool_started)]
            tool_started = True
        elif kind in _TEXT_FIELD:
            delta[_TEXT_FIELD[kind]] = answer.texts[i]
        yield answer.delays_ns[i], _event(envelope, [_choice(delta, finish if i == stop - 1 else "")])


_TEXT_FIELD = {"c": "content", "r": "reasoning_content", "o": "content"}


def _tool_call(text: str, *, first: bool) -> dict[str, Any]:
    """Return a part of a tool call; the log keeps a call's name and arguments as one text."""
    begin = {"id": "call_recorded", "type": "function"} if first else {}
    return {"index": 0, **begin, "function": {"arguments": text}}


def _choice(delta: dict[str, Any], finish: str) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish or None}


def _event(envelope: Envelope, choices: list[dict[str, Any]], **more: Any) -> bytes:
    head = _head(envelope, "chat.completion.chunk")
    return b"data: " + msgspec.json.encode({**head, "choices": choices, **more}) + b"\n\n"


def _head(envelope: Envelope, kind: str) -> dict[str, Any]:
    return {"id": envelope.id, "object": kind, "created": envelope.created, "model": envelope.model}
