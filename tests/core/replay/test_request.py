"""What one request's numbers are, by the counts and the arrivals that its log holds."""

from collections.abc import Sequence
from typing import Any

import pytest

from racelog.events import AnyEvent, LaneFacts, RequestEnd, RequestScheduled, RequestSent, Tokens, Usage
from racelog.replay.lane import LaneFold
from racelog.replay.request import RequestState
from racelog.replay.track import LaneTrack

MS = 1_000_000


def folded(
    kinds: str, gaps_ms: Sequence[float], usage: Usage | None = None, stamps: str = ""
) -> RequestState:
    """Return a request sent at 0 whose chunks of ``kinds`` came so many ms after each other, the first 100 ms after sent."""
    track = LaneTrack(LaneFacts(t=0, lane=0, engine="e", model="m", url="u"))
    d = [0, *(round(gap * MS) for gap in gaps_ms)]
    assert len(d) == len(kinds)
    chunks = Tokens(
        t=100 * MS, lane=0, r=[0] * len(d), d=d, x=["word"] * len(d), c=kinds, s=stamps or "k" * len(d)
    )
    end_ns = 100 * MS + sum(d)
    events: list[AnyEvent] = [
        RequestScheduled(t=0, lane=0, req=0, prompt=0),
        RequestSent(t=0, lane=0, req=0),
        chunks,
        *([] if usage is None else [usage]),
        RequestEnd(t=end_ns, lane=0, req=0, status="ok", finish_reason="stop"),
    ]
    for event in events:
        track.add(event)
    fold = LaneFold(track)
    fold.advance(end_ns)
    return fold.requests[0]


def counted(kinds: str, gaps_ms: list[int], **counts: Any) -> RequestState:
    """Return such a request whose server sent these counts."""
    t_ns = (100 + sum(gaps_ms)) * MS
    return folded(kinds, gaps_ms, Usage(t=t_ns, lane=0, req=0, **counts))


def numbers(request: RequestState) -> tuple[int, str, float | None]:
    """Return output tokens, their basis, and TPOT."""
    return request.output_tokens, request.token_basis, request.tpot_ms


def test_zero_tokens_while_text_came_is_no_count() -> None:
    assert numbers(counted("ccc", [10, 10], output_tokens=0)) == (3, "chunks", 10.0)


def test_zero_tokens_of_a_prompt_are_no_count() -> None:
    assert counted("c", [], input_tokens=0, output_tokens=1).input_tokens is None


def test_hidden_reasoning_is_in_the_tokens_and_in_no_pace() -> None:
    request = counted(
        "c" * 20, [10] * 19, input_tokens=5, output_tokens=520, reasoning_tokens=500, total_tokens=525
    )

    assert numbers(request) == (520, "usage", 10.0)


def test_hidden_reasoning_that_the_count_leaves_out_is_in_the_tokens_and_in_no_pace() -> None:
    request = counted(
        "c" * 20, [10] * 19, input_tokens=5, output_tokens=20, reasoning_tokens=500, total_tokens=525
    )

    assert numbers(request) == (520, "usage", 10.0)


def test_streamed_reasoning_that_the_count_leaves_out_is_in_both() -> None:
    request = counted(
        "r" * 20 + "cc", [10] * 21, input_tokens=5, output_tokens=2, reasoning_tokens=20, total_tokens=27
    )

    assert numbers(request) == (22, "usage", 10.0)


def test_reasoning_that_exceeds_the_count_is_left_out_of_it_whatever_the_total() -> None:
    assert counted("c", [], output_tokens=1, reasoning_tokens=290).output_tokens == 291


def test_streamed_reasoning_that_the_count_holds_is_counted_once() -> None:
    request = counted(
        "r" * 20 + "cc", [10] * 21, input_tokens=5, output_tokens=22, reasoning_tokens=20, total_tokens=27
    )

    assert numbers(request) == (22, "usage", 10.0)


def test_a_summary_of_hidden_reasoning_is_not_timed_the_answer_is() -> None:
    request = counted("r" * 5 + "c" * 11, [100] * 5 + [10] * 10, output_tokens=511, reasoning_tokens=500)

    assert numbers(request) == (511, "usage", 10.0)


def test_reasoning_in_chunks_as_large_as_the_answers_is_whole() -> None:
    request = counted("r" * 5 + "c" * 5, [40] * 9, output_tokens=40, reasoning_tokens=20)

    assert numbers(request) == (40, "usage", 360 / 39)


@pytest.mark.parametrize("kinds", ["c", "rrr"])
def test_a_pace_that_cannot_be_known_is_none(kinds: str) -> None:
    assert counted(kinds, [10] * (len(kinds) - 1), output_tokens=501, reasoning_tokens=500).tpot_ms is None


@pytest.mark.parametrize("count", [64, 2])
def test_an_answer_in_one_chunk_has_no_pace(count: int) -> None:
    request = counted("c", [], output_tokens=count)

    assert (request.tpot_ms, request.one_piece) == (None, True)


def test_an_answer_whose_chunks_share_a_stamp_came_in_one_piece() -> None:
    request = folded("ccc", [0, 0], stamps="KKk")

    assert (request.tpot_ms, request.one_piece) == (None, True)


def test_an_answer_that_was_written_at_once_and_read_in_several_has_no_pace() -> None:
    request = folded("c" * 400, [0.0] * 100 + [1.0] + [0.0] * 297 + [1.0], stamps="K" * 400)

    assert (request.tpot_ms, request.one_piece) == (None, True)


def test_a_pace_of_50_microseconds_a_chunk_is_one() -> None:
    request = folded("c" * 41, [0.05] * 40)

    assert request.tpot_ms == pytest.approx(0.05)
    assert not request.one_piece


def test_one_token_is_no_piece_of_several() -> None:
    assert (folded("c", []).one_piece, folded("cc", [1]).one_piece) == (False, False)
