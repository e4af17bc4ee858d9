"""The OpenAI dialects, chat and completions: request bodies out, stream messages in. Pure.

What real servers differ in, each seen on the wire: the role frame may carry ``content: null``, an empty string or
no content at all; the last text may share a frame with ``finish_reason``; usage may come on the finish frame, in
a frame without choices, on every frame, or never; ``[DONE]`` may be missing. Where texts, counts and complaints may stand is
told in `racelog_recorder.dialects.text_places`, `usage` and `complaint`; fields that racelog does not use may be of any type.
"""

from typing import Any

import msgspec
from msgspec import Struct, structs

from racelog_recorder.dialects.complaint import complaint, error_text, finish_word, is_error
from racelog_recorder.dialects.dialect import Dialect, prompt_of
from racelog_recorder.dialects.message import (
    SEVERAL,
    Failed,
    MalformedMessage,
    Message,
    Payload,
    Said,
    as_json,
    inert,
    leniently,
    plain_json,
    shaped,
)
from racelog_recorder.dialects.text_places import Delta, called, said
from racelog_recorder.dialects.usage import TokenUsage, fuller, usage_of

DONE = b"[DONE]"
"""What a stream ends with."""

HEARTBEATS = ("ping", "heartbeat", "keepalive", "keep-alive")
"""Types of messages that keep a connection busy and say nothing."""

NOTED_CHARACTERS = 512
"""As much is kept of a message that is none of the dialect's: it shows which it is, or what went wrong."""


class _Choice(Struct, gc=False):
    delta: Delta | None = None
    text: Any = None
    finish_reason: Any = None
    token_ids: Any = None
    index: Any = 0
    message: Any = None
    usage: Any = None
    error: Any = None
    native_finish_reason: Any = None


class _Frame(Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: Any = None
    timings: Any = None
    error: Any = None
    x_groq: Any = None


_decode = msgspec.json.Decoder(_Frame).decode


class _Model(Struct):
    id: str


class _Models(Struct):
    data: list[_Model] = []


def chat_body(
    model: str, messages: list[dict[str, Any]], params: dict[str, Any], *, ask_usage: bool = True
) -> dict[str, Any]:
    """Return the body of a streaming chat request; ``params`` go in as they are and win over the defaults."""
    return {"model": model, "messages": messages, **_usage_asked(ask=ask_usage), **params, "stream": True}


def completion_body(
    model: str, messages: list[dict[str, Any]], params: dict[str, Any], *, ask_usage: bool = True
) -> dict[str, Any]:
    """Return the body of a streaming completion: the prompt is the messages' text, a blank line between two."""
    return {
        "model": model,
        "prompt": prompt_of(messages),
        **_usage_asked(ask=ask_usage),
        **params,
        "stream": True,
    }


def _usage_asked(*, ask: bool) -> dict[str, Any]:
    return {"stream_options": {"include_usage": True}} if ask else {}


def listed_models(content: bytes) -> list[str]:
    """Return the names in a ``/models`` response, none if it holds no such list."""
    try:
        return [model.id for model in msgspec.json.decode(content, type=_Models).data]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def parse_message(payload: bytes) -> Payload:
    """Return what a stream message says.

    Raises:
        MalformedMessage: the payload is no JSON object of the dialect, or several answers speak in it at once.
    """
    try:
        frame = _decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return inert(_message(leniently(_Frame, payload, "chat chunk"), payload))
    choices = frame.choices
    if choices and len(choices) == 1:
        choice = choices[0]
        delta = choice.delta
        if delta is not None and not (  # one text and nothing else, as nearly every chunk: a tenth of the time
            choice.finish_reason or frame.usage or choice.index or choice.token_ids or frame.timings or frame.error
            or frame.x_groq or choice.usage or choice.error or choice.native_finish_reason
            or delta.reasoning or delta.reasoning_details or delta.refusal or delta.function_call
            or delta.audio or delta.thinking or delta.reasoning_text or delta.thinking_blocks
        ):  # fmt: skip
            content, reasoning = delta.content, delta.reasoning_content
            if delta.tool_calls:
                if not (content or reasoning) and (calls := called(delta.tool_calls)):
                    return Message("t", calls)
            elif type(content) is str and content and not reasoning:
                return Message("c", content)
            elif type(reasoning) is str and reasoning and not content:
                return Message("r", reasoning)
    return _message(frame, payload)


def _message(frame: _Frame, payload: bytes) -> Payload:
    """Return what a frame says, whatever stands in it."""
    choices = frame.choices
    if not choices or frame.error is not None:
        return _beside(frame, payload)
    if frame.x_groq is not None and (error := _groqs_error(frame.x_groq)):
        return Failed(error)
    choice = choices[0] if len(choices) == 1 else _speaking(choices)
    delta = choice.delta
    if delta is None or choice.error is not None:
        return _whole(frame, choice, payload)
    if found := said(delta):
        return _told(frame, choice, *found)
    return _bare(frame, choice, payload, "o" if delta.role else "m")


def _told(frame: _Frame, choice: _Choice, first: Said, *more: Said, whole: bool = False) -> Message:
    """Return the message of a choice that says something."""
    usage = None
    if (
        frame.usage is not None
        or choice.usage is not None
        or frame.x_groq is not None
        or choice.message is not None
    ):
        usage = _usage(frame, choice)
    ids = choice.token_ids
    index = choice.index if type(choice.index) is int else 0
    return Message(
        first[0],
        first[1],
        len(ids) if type(ids) is list and ids else None,
        ""
        if choice.finish_reason is None
        else finish_word(choice.finish_reason, choice.native_finish_reason),
        usage,
        frame.timings if type(frame.timings) is dict else None,
        more=more,
        choice=index,
        whole=whole,
        odd=bool(more or index or whole),
    )


def _bare(frame: _Frame, choice: _Choice, payload: bytes, code: str) -> Payload:
    """Return the message of a choice without text; one that says nothing else may be a complaint."""
    message = _told(frame, choice, (code, ""))
    if choice.finish_reason is None and choice.native_finish_reason is not None:
        message = structs.replace(message, finish_reason=finish_word(choice.native_finish_reason))
    if code == "m" and not (message.finish_reason or message.usage or message.timings):
        error = complaint(plain_json(payload), beside_choices=True)
        return Failed(error) if error else message
    return message


def _whole(frame: _Frame, choice: _Choice, payload: bytes) -> Payload:
    """Return the message of a choice without a delta: a text of the completions dialect, a whole answer, or an error."""
    if choice.error is not None:
        if is_error(choice.error, beside_text=True):
            return Failed(error_text(choice.error))
        choice.error = None
        return _message(frame, payload)
    text = choice.text
    if type(text) is str and text:
        return _told(frame, choice, ("c", text))
    answer = isinstance(choice.message, dict)
    found = said(shaped(Delta, choice.message) if answer else Delta(content=text))
    return _told(frame, choice, *found, whole=answer) if found else _bare(frame, choice, payload, "m")


def _groqs_error(beside: Any) -> str:
    """Return why Groq stopped a stream early, which it tells beside the choices; an empty string where it did not."""
    error = beside.get("error") if isinstance(beside, dict) else None
    return error_text(error) if is_error(error, beside_text=True) else ""


def _speaking(choices: list[_Choice]) -> _Choice:
    """Return the one of several choices that says anything, the first where none does.

    Raises:
        MalformedMessage: more than one does.
    """
    speaking = [choice for choice in choices if _texts(choice)]
    if len(speaking) > 1:
        raise MalformedMessage(SEVERAL)
    return speaking[0] if speaking else choices[0]


def _texts(choice: _Choice) -> list[Said]:
    return said(choice.delta or Delta(content=choice.text or choice.message))


def _beside(frame: _Frame, payload: bytes) -> Payload:
    """Return what a frame says without choices, or with an error: usage, a complaint, or something to keep in mind."""
    usage = _usage(frame, None)
    timings = frame.timings if isinstance(frame.timings, dict) else None
    if frame.error is None and (usage or timings):
        return Message("m", usage=usage, timings=timings)
    plain = plain_json(payload)
    plain = plain[0] if isinstance(plain, list) else plain
    if error := complaint(plain, beside_choices=bool(frame.choices)):
        return Failed(error)
    if frame.choices:
        frame.error = None
        return _message(frame, payload)
    for name in ("message", "response"):
        if isinstance(part := plain.get(name), dict):
            usage = fuller(usage, usage_of(part.get("usage")))
    usage = fuller(usage, usage_of(plain.get("usageMetadata")))
    noted = as_json(plain)[:NOTED_CHARACTERS] if plain and plain.get("type") not in HEARTBEATS else ""
    return Message("m", usage=usage, timings=timings, note=noted, odd=bool(noted))


def _usage(frame: _Frame, choice: _Choice | None) -> TokenUsage | None:
    """Return the counts of a frame, wherever they stand in it."""
    usage = None if frame.usage is None else usage_of(frame.usage)
    if isinstance(frame.x_groq, dict):
        usage = fuller(usage, usage_of(frame.x_groq.get("usage")))
    if choice is not None and choice.usage is not None:
        usage = fuller(usage, usage_of(choice.usage))
    if choice is not None and isinstance(choice.message, dict):
        usage = fuller(usage, usage_of(choice.message.get("usage")))
    return usage


CHAT = Dialect(
    name="openai-chat", path="chat/completions", body=chat_body, models_path="models", listed=listed_models,
    end=DONE, parse=parse_message,
)  # fmt: skip
"""The chat API, which nearly every server speaks."""

COMPLETIONS = Dialect(
    name="openai-completions", path="completions", body=completion_body, models_path="models", listed=listed_models,
    end=DONE, parse=parse_message,
)  # fmt: skip
"""The completions API: one text in, its continuation out."""
