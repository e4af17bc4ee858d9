"""A server's counts under every name it has for them, and what is no count."""

from typing import Any

import pytest

from racelog_recorder.dialects.usage import TokenUsage, fuller, usage_of, usage_of_timings

OPENAI = {
    "prompt_tokens": 339, "completion_tokens": 83, "total_tokens": 422,
    "prompt_tokens_details": {"cached_tokens": 320}, "completion_tokens_details": {"reasoning_tokens": 39},
}  # fmt: skip
WHOLE = TokenUsage(339, 83, 320, 39, 422)


@pytest.mark.parametrize(
    "told",
    [
        OPENAI,
        {
            "input_tokens": 339, "output_tokens": 83, "total_tokens": 422, "input_tokens_details": {"cached_tokens": 320},
            "output_tokens_details": {"reasoning_tokens": 39},
        },
        {
            "prompt_tokens": 339, "completion_tokens": 83, "total_tokens": 422, "prompt_cache_hit_tokens": 320,
            "prompt_cache_miss_tokens": 19, "completion_tokens_details": {"reasoning_tokens": 39},
        },
        {
            "input_tokens": 9, "cache_read_input_tokens": 320, "cache_creation_input_tokens": 10, "output_tokens": 83,
            "reasoning_tokens": 39, "total_tokens": 422,
        },
        {
            "promptTokenCount": 339, "candidatesTokenCount": 83, "totalTokenCount": 422, "cachedContentTokenCount": 320,
            "thoughtsTokenCount": 39,
        },
        {**OPENAI, "input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 320},
        {**OPENAI, "prompt_tokens": "339", "completion_tokens": 83.0},
    ],
    ids=["openai", "responses", "deepseek", "anthropic", "gemini", "gateway", "digits"],
)  # fmt: skip
def test_a_count_is_found_under_every_name_for_it(told: dict[str, Any]) -> None:
    assert usage_of(told) == WHOLE


def test_ollamas_counts_are_found_under_its_own_names() -> None:
    assert usage_of({"prompt_eval_count": 26, "eval_count": 3}) == TokenUsage(26, 3)


@pytest.mark.parametrize(
    "told",
    [
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "prompt_tokens_details": {"cached_tokens": 0}},
        {}, None, [], "usage", 5, {"prompt_tokens": None}, {"queue_time": 0.1},
    ],
)  # fmt: skip
def test_zeros_and_what_is_no_object_are_no_usage(told: Any) -> None:
    assert usage_of(told) is None


@pytest.mark.parametrize(
    "number", [-1, 10**30, 1.5, True, "many", "", [3], float("nan"), float("inf"), "9" * 5000]
)
def test_what_cannot_be_a_count_is_unknown(number: Any) -> None:
    assert usage_of({"prompt_tokens": 3, "completion_tokens": number}) == TokenUsage(3)


def test_details_that_are_no_object_are_passed_over() -> None:
    assert usage_of({"prompt_tokens": 3, "prompt_tokens_details": [1]}) == TokenUsage(3)


def test_a_zero_of_cached_tokens_is_known() -> None:
    assert usage_of({"prompt_tokens": 40, "prompt_tokens_details": {"cached_tokens": 0}}) == TokenUsage(
        40, None, 0
    )


def test_of_two_usages_the_larger_count_stands() -> None:
    assert fuller(TokenUsage(40, 64, 27), TokenUsage(0, 70, None, 5)) == TokenUsage(40, 70, 27, 5)


@pytest.mark.parametrize(("known", "more"), [(None, WHOLE), (WHOLE, None)])
def test_one_usage_alone_stands(known: TokenUsage | None, more: TokenUsage | None) -> None:
    assert fuller(known, more) == WHOLE


def test_llama_cpps_timings_count_what_was_computed_beside_its_cache() -> None:
    assert usage_of_timings(
        {"cache_n": 27, "prompt_n": 7, "predicted_n": 24, "prompt_ms": 55.8}
    ) == TokenUsage(34, 24, 27)


def test_timings_without_the_cache_do_not_tell_the_prompt() -> None:
    assert usage_of_timings({"prompt_n": 7, "predicted_n": 24}) == TokenUsage(None, 24)


@pytest.mark.parametrize("timings", [{}, {"total_duration": 5}, {"predicted_n": "x"}])
def test_timings_that_count_nothing_are_no_usage(timings: dict[str, Any]) -> None:
    assert usage_of_timings(timings) is None
