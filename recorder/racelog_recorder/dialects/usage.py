"""What a server counted of a request's tokens, under whatever names it says so. Pure.

OpenAI says ``prompt_tokens`` and ``completion_tokens``, its Responses and Anthropic ``input_tokens`` and ``output_tokens``, Ollama
``prompt_eval_count`` and ``eval_count``, Gemini ``promptTokenCount`` and ``candidatesTokenCount``, Bedrock
``inputTokens`` and ``outputTokens``, and gateways mix them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

MOST = 2**53
"""A count beyond what a JSON number holds exactly is none."""

NAMES = {
    "prompt_tokens": (
        "prompt_tokens", "input_tokens", "prompt_eval_count", "promptTokenCount", "total_input_tokens",
        "inputTokens", "promptTokens", "inputTokenCount",
    ),
    "completion_tokens": (
        "completion_tokens", "output_tokens", "eval_count", "candidatesTokenCount", "total_output_tokens",
        "outputTokens", "completionTokens", "outputTokenCount",
    ),
    "cached_tokens": (
        "cached_tokens", "cache_read_input_tokens", "prompt_cache_hit_tokens", "cachedContentTokenCount",
        "total_cached_tokens", "cacheReadInputTokens",
    ),
    "reasoning_tokens": ("reasoning_tokens", "thoughtsTokenCount", "total_thought_tokens", "reasoningTokens"),
    "total_tokens": ("total_tokens", "totalTokenCount", "totalTokens"),
}  # fmt: skip
"""What servers call each count; the last three stand in the details too."""

DETAILS = frozenset({
    "prompt_tokens_details", "input_tokens_details", "completion_tokens_details", "output_tokens_details",
})  # fmt: skip

_COUNT_OF = {name: place for place, names in enumerate(NAMES.values()) for name in names}


class TokenUsage(Struct, frozen=True):
    """The server's count of a request's tokens; None where it did not say.

    ``prompt_tokens`` are all of the prompt's, ``cached_tokens`` those of them that came from a cache. Whether
    ``completion_tokens`` has the ``reasoning_tokens`` in it differs between servers: ``total_tokens`` tells.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    total_tokens: int | None = None


def usage_of(told: Any) -> TokenUsage | None:
    """Return the counts in a usage object; None where it is no object or counts nothing.

    Under several names for one count the largest stands: gateways fill those they do not know with 0. Numbers that are
    negative, absurd or no whole numbers count nothing.
    """
    if not isinstance(told, dict):
        return None
    found: list[int | None] = [None] * len(NAMES)
    _gather(told, found)
    for name in DETAILS.intersection(told):
        _gather(told[name], found)
    if "cache_read_input_tokens" in told and "prompt_tokens" not in told and found[0] is not None:
        # Anthropic's input_tokens are those beside its cache
        found[0] += sum(count(told.get(f"cache_{what}_input_tokens")) or 0 for what in ("read", "creation"))
    return TokenUsage(*found) if any(found) else None


def _gather(told: Any, found: list[int | None]) -> None:
    """Raise what was ``found`` to what is ``told``; nothing, where it is no object."""
    for name, value in told.items() if isinstance(told, dict) else ():
        if (place := _COUNT_OF.get(name)) is not None:
            number, known = count(value), found[place]
            if number is not None and (known is None or number > known):
                found[place] = number


def usage_of_timings(timings: Mapping[str, Any]) -> TokenUsage | None:
    """Return the counts in llama.cpp's timings: of the prompt what it computed and, beside it, what its cache held."""
    computed, cached = count(timings.get("prompt_n")), count(timings.get("cache_n"))
    prompt = None if computed is None or cached is None else computed + cached
    found = (prompt, count(timings.get("predicted_n")), cached)
    return TokenUsage(*found) if any(found) else None


def fuller(known: TokenUsage | None, more: TokenUsage | None) -> TokenUsage | None:
    """Return what two usages of one request say together: a count only grows, so the larger of each stands."""
    if known is None or more is None:
        return known or more
    fields = TokenUsage.__struct_fields__
    return TokenUsage(*(_largest_of((getattr(known, name), getattr(more, name))) for name in fields))


def count(value: Any) -> int | None:
    """Return a token count as servers write it: a number, or its digits; None for what cannot be one."""
    if type(value) is int:  # as nearly every one is
        return value if 0 <= value <= MOST else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(MOST)):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
        return None
    return int(value) if value == int(value) else None


def _largest_of(counts: Iterable[int | None]) -> int | None:
    return max((number for number in counts if number is not None), default=None)
