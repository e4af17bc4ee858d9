"""What a server counted of a request's tokens, under whatever names it says so. Pure.

OpenAI says ``prompt_tokens`` and ``completion_tokens``, its Responses and Anthropic ``input_tokens`` and ``output_tokens``, Ollama
``prompt_eval_count`` and ``eval_count``, Gemini ``promptTokenCount`` and ``candidatesTokenCount``, and gateways mix them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

MOST = 2**53
"""A count beyond what a JSON number holds exactly is none."""

PROMPT = ("prompt_tokens", "input_tokens", "prompt_eval_count", "promptTokenCount", "total_input_tokens")
COMPLETION = (
    "completion_tokens",
    "output_tokens",
    "eval_count",
    "candidatesTokenCount",
    "total_output_tokens",
)
TOTAL = ("total_tokens", "totalTokenCount")
CACHED = (
    "cached_tokens",
    "cache_read_input_tokens",
    "prompt_cache_hit_tokens",
    "cachedContentTokenCount",
    "total_cached_tokens",
)
REASONING = ("reasoning_tokens", "thoughtsTokenCount", "total_thought_tokens")
PROMPT_DETAILS = ("prompt_tokens_details", "input_tokens_details")
COMPLETION_DETAILS = ("completion_tokens_details", "output_tokens_details")


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
    prompt = _largest(told, PROMPT)
    read, written = count(told.get("cache_read_input_tokens")), count(told.get("cache_creation_input_tokens"))
    if (
        "prompt_tokens" not in told and prompt is not None
    ):  # Anthropic's input_tokens are those beside its cache
        prompt += (read or 0) + (written or 0)
    return _or_nothing(
        TokenUsage(
            prompt,
            _largest(told, COMPLETION),
            _largest_of(_largest(part, CACHED) for part in _parts(told, PROMPT_DETAILS)),
            _largest_of(_largest(part, REASONING) for part in _parts(told, COMPLETION_DETAILS)),
            _largest(told, TOTAL),
        )
    )


def usage_of_timings(timings: Mapping[str, Any]) -> TokenUsage | None:
    """Return the counts in llama.cpp's timings: of the prompt what it computed and, beside it, what its cache held."""
    computed, cached = count(timings.get("prompt_n")), count(timings.get("cache_n"))
    prompt = None if computed is None or cached is None else computed + cached
    return _or_nothing(TokenUsage(prompt, count(timings.get("predicted_n")), cached))


def fuller(known: TokenUsage | None, more: TokenUsage | None) -> TokenUsage | None:
    """Return what two usages of one request say together: a count only grows, so the larger of each stands."""
    if known is None or more is None:
        return known or more
    fields = TokenUsage.__struct_fields__
    return TokenUsage(*(_largest_of((getattr(known, name), getattr(more, name))) for name in fields))


def count(value: Any) -> int | None:
    """Return a token count as servers write it: a number, or its digits; None for what cannot be one."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(MOST)):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
        return None
    return int(value) if value == int(value) else None


def _or_nothing(usage: TokenUsage) -> TokenUsage | None:
    """Return ``usage`` unless it counts nothing: zeros alone fill a field that has to be there."""
    return usage if any(getattr(usage, name) for name in TokenUsage.__struct_fields__) else None


def _parts(told: Mapping[str, Any], names: Iterable[str]) -> list[Mapping[str, Any]]:
    return [told, *(part for name in names if isinstance(part := told.get(name), dict))]


def _largest(told: Mapping[str, Any], names: Iterable[str]) -> int | None:
    return _largest_of(count(told.get(name)) for name in names)


def _largest_of(counts: Iterable[int | None]) -> int | None:
    return max((number for number in counts if number is not None), default=None)
