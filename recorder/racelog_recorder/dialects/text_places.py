"""Where a message of an OpenAI-like stream may hold text: a delta, or a whole message -> its chunks' kinds and texts. Pure.

Reasoning stands under five names, of which gateways fill several with the same text; content may be a list of parts; tool
calls may be the old ``function_call``, their arguments an object. A refusal is what the reader gets: content.
"""

from typing import Any

from msgspec import Struct

from racelog_recorder.dialects.message import Said, as_json

REASONING = (
    "reasoning_content",
    "reasoning",
    "reasoning_text",
    "thinking",
    "reasoning_details",
    "thinking_blocks",
)
"""Fields of reasoning, in which the first that has text counts: they say the same in different ways."""

TEXT_OF_PART = ("text", "thinking", "reasoning", "refusal", "content", "summary", "transcript", "value")
REASONING_PARTS = frozenset({"thinking", "reasoning", "reasoning_content", "thought", "summary_text"})
MOST_DEPTH = 8
"""Parts within parts that are looked into; Mistral's thinking has two."""


class Delta(Struct, gc=False):
    """What a choice adds, or all it says; of any types."""

    role: Any = None
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: Any = None
    reasoning_details: Any = None
    reasoning_text: Any = None
    thinking: Any = None
    thinking_blocks: Any = None
    refusal: Any = None
    function_call: Any = None
    audio: Any = None


def said(delta: Delta) -> list[Said]:
    """Return every kind and text of a delta, in the order in which a reader gets them; none has an empty text."""
    found: list[Said] = []
    if (
        delta.reasoning_content or delta.reasoning or delta.reasoning_text or delta.thinking or delta.reasoning_details
        or delta.thinking_blocks
    ):  # fmt: skip
        found += next(filter(None, (_reasoned(getattr(delta, name)) for name in REASONING)), [])
    if (content := delta.content) and type(content) is str:
        found.append(("c", content))
    elif content is not None:
        found += _parts(content, "c", 0)
    if delta.refusal or delta.audio:
        found += _parts([delta.refusal, delta.audio], "c", 0)
    if (delta.tool_calls or delta.function_call) and (
        calls := called(delta.tool_calls) + _function(delta.function_call)
    ):
        found.append(("t", calls))
    return found if len(found) < 2 else _joined(found)  # noqa: PLR2004 - one has no neighbour


def _joined(found: list[Said]) -> list[Said]:
    """Return neighbours of one kind as one."""
    joined: list[Said] = []
    for code, text in found:
        if joined and joined[-1][0] == code:
            joined[-1] = (code, joined[-1][1] + text)
        else:
            joined.append((code, text))
    return joined


def _reasoned(value: Any) -> list[Said]:
    return [("r", text) for _, text in _parts(value, "r", 0)]


def _parts(value: Any, code: str, depth: int) -> list[Said]:
    """Return the texts of a value: of a string, a number, a part, or a list of those."""
    if isinstance(value, str):
        return [(code, value)] if value else []
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [(code, as_json(value))]
    if depth >= MOST_DEPTH:
        return []
    if isinstance(value, list):
        return [found for part in value for found in _parts(part, code, depth + 1)]
    if not isinstance(value, dict):
        return []
    kind = "r" if code == "r" or value.get("type") in REASONING_PARTS else code
    texts = (
        _parts(value.get(name), kind, depth + 1)
        for name in TEXT_OF_PART
        if not isinstance(value.get(name), int | float)
    )
    return next(filter(None, texts), [])


def called(calls: Any) -> str:
    """Return the name and arguments of tool calls, one after another."""
    if not isinstance(calls, list):
        calls = [calls]
    if len(calls) == 1 and type(calls[0]) is dict:  # as nearly always
        return _call(calls[0])
    return "".join(_call(call) for call in calls if isinstance(call, dict))


def _call(call: dict[str, Any]) -> str:
    function = call.get("function") or call.get("custom")
    return _function(function if type(function) is dict else call)


def _function(function: Any) -> str:
    """Return a function's name and arguments: text as it is, anything else as JSON."""
    if not isinstance(function, dict):
        return ""
    name, arguments = function.get("name"), function.get("arguments", function.get("input"))
    told = arguments if type(arguments) is str else "" if arguments is None else as_json(arguments)
    return name + told if type(name) is str else told
