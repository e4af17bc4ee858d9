"""What of ended requests the standings ask: the cache's share, and who was left waiting."""

from racelog.clock import NS_PER_MS
from racelog.replay.request import RequestState
from racelog.replay.tally import Tally


def ended(
    input_tokens: int | None, cached_tokens: int | None, status: str = "ok", first_ms: int | None = 5
) -> RequestState:
    """Return a request that was sent at 0 and ended at 100 ms."""
    return RequestState(
        lane=0, req=0, prompt=0, phase="race", t_scheduled=0, t_sent=0,
        t_first=None if first_ms is None else first_ms * NS_PER_MS, t_end=100 * NS_PER_MS,
        status=status, input_tokens=input_tokens, cached_tokens=cached_tokens,  # type: ignore[arg-type]  # a test's word
    )  # fmt: skip


def share(*requests: RequestState) -> float | None:
    tally = Tally()
    for request in requests:
        tally.take(request)
    return tally.cached_share


def test_the_share_is_over_all_prompt_tokens_not_over_requests() -> None:
    assert share(ended(90, 90), ended(10, 0)) == 0.9


def test_a_server_that_never_says_is_unknown() -> None:
    assert share(ended(90, None), ended(10, None)) is None


def test_a_server_that_leaves_out_a_zero_had_nothing_there() -> None:
    assert share(ended(80, None), ended(20, 20)) == 0.2


def test_failed_requests_say_nothing_of_the_cache() -> None:
    assert share(ended(90, 90, "failed"), ended(10, 0)) == 0.0


def test_more_from_the_cache_than_was_asked_is_all_of_it() -> None:
    assert share(ended(10, 99)) == 1.0


def test_a_cancelled_request_without_a_token_was_left_waiting() -> None:
    tally = Tally()
    tally.take(ended(None, None, "cancelled", first_ms=None))
    tally.take(ended(None, None, "cancelled", first_ms=5))
    assert tally.unanswered_ms == [100.0]
