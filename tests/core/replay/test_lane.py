"""The fold over one lane: every number by hand, and no log makes it fall over."""

import itertools
from collections.abc import Sequence
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.clock import NS_PER_MS
from racelog.events import (
    AnyEvent,
    LaneEnd,
    LaneFacts,
    LaneStart,
    Phase,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    ResponseHeaders,
    Tokens,
    Usage,
)
from racelog.replay.lane import LaneFold
from racelog.replay.race import RaceTracks, Replay
from racelog.replay.request import RequestState
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.race import race_view
from racelog.views.summary import race_summary

FACTS = LaneFacts(t=0, lane=0, engine="a", model="m", url="http://127.0.0.1/v1")


Outcome = Literal["ok", "failed", "cancelled"]


def folded(*events: AnyEvent, until: int = 1 << 40) -> LaneFold:
    """Return the lane fold of ``events`` at ``until``."""
    fold = LaneFold(RaceTracks([FACTS, *events]).lanes[0])
    fold.advance(until)
    return fold


def request(req: int = 0, *, sent: int = 0, phase: Phase = "race") -> list[AnyEvent]:
    return [
        RequestScheduled(t=sent, lane=0, req=req, prompt=0, phase=phase),
        RequestSent(t=sent, lane=0, req=req),
    ]


def chunks(*times: int, req: int = 0, c: str = "", n: Sequence[int | None] = ()) -> Tokens:
    gaps = [0, *(later - earlier for earlier, later in itertools.pairwise(times))]
    return Tokens(t=times[0], lane=0, r=[req] * len(times), d=gaps, x=["x"] * len(times), c=c, n=list(n))


def end(t: int, req: int = 0, status: Outcome = "ok", error: str = "") -> RequestEnd:
    return RequestEnd(t=t, lane=0, req=req, status=status, error=error)


def test_ttft_is_the_first_token_chunk_minus_sent() -> None:
    fold = folded(*request(sent=10 * NS_PER_MS), chunks(35 * NS_PER_MS, 50 * NS_PER_MS))

    assert fold.ttft_ms == [25.0]


def test_a_role_chunk_is_no_first_token() -> None:
    fold = folded(*request(), chunks(5 * NS_PER_MS, 9 * NS_PER_MS, c="oc"))

    assert (fold.ttft_ms, fold.requests[0].chunks) == ([9.0], 1)


def test_reasoning_is_a_first_token_but_not_first_content() -> None:
    state = folded(*request(), chunks(5, 9, c="rc")).requests[0]

    assert (state.t_first, state.t_first_content) == (5, 9)


def test_a_token_at_the_very_instant_of_sending_is_counted() -> None:
    state = folded(*request(sent=7), chunks(7, 9), end(9)).requests[0]

    assert (state.ttft_ns, state.chunks) == (0, 2)


def test_tpot_is_the_time_between_first_and_last_token_over_the_tokens_between() -> None:
    usage = Usage(t=50 * NS_PER_MS, lane=0, req=0, output_tokens=5)
    fold = folded(*request(), chunks(10 * NS_PER_MS, 50 * NS_PER_MS), usage, end(50 * NS_PER_MS))

    assert fold.tpot_ms == [10.0]


def test_one_token_has_no_tpot() -> None:
    assert folded(*request(), chunks(10), end(10)).tpot_ms == []


@pytest.mark.parametrize(
    ("usage", "n", "basis", "tokens"),
    [
        (5, (2, 2), "usage", 5),
        (None, (2, 2), "server", 4),
        (None, (2, None), "chunks", 2),
        (None, (), "chunks", 2),
    ],
)
def test_output_tokens_come_from_the_best_basis_and_the_basis_is_told(
    usage: int | None, n: tuple[int | None, ...], basis: str, tokens: int
) -> None:
    fold = folded(*request(), chunks(1, 2, n=n), Usage(t=2, lane=0, req=0, output_tokens=usage), end(2))

    assert (basis, tokens) == (fold.requests[0].token_basis, fold.output_tokens)


def test_a_failed_request_leaves_the_ttft_ranking() -> None:
    events = [*request(), chunks(5 * NS_PER_MS), end(9 * NS_PER_MS, status="failed", error="reset")]

    assert folded(*events, until=6 * NS_PER_MS).ttft_ms == [5.0]
    assert folded(*events).ttft_ms == []
    assert folded(*events).errors == {"reset": 1}


def test_a_cancelled_request_is_no_failure() -> None:
    fold = folded(*request(), end(9, status="cancelled"))

    assert (fold.ok, fold.failed, fold.cancelled) == (0, 0, 1)


def test_warmup_requests_do_not_count() -> None:
    fold = folded(*request(phase="warmup"), chunks(5), end(9))

    assert (fold.ok, fold.ttft_ms, fold.output_tokens) == (0, [], 0)


def test_an_open_request_counts_its_chunks_so_far() -> None:
    fold = folded(*request(), chunks(5, 6, 7), until=6)

    assert (fold.output_tokens, list(fold.open)) == (2, [0])


def left_open(*later: AnyEvent) -> LaneFold:
    """Fold an answer of 10 ms, and a request with a first token after 2 ms that its lane's end leaves open."""
    answer = *request(sent=0), chunks(10 * NS_PER_MS, 12 * NS_PER_MS), end(12 * NS_PER_MS)
    cut_off = *request(1, sent=20 * NS_PER_MS), chunks(22 * NS_PER_MS, req=1)
    return folded(*answer, *cut_off, LaneEnd(t=30 * NS_PER_MS, lane=0, status="died"), *later)


def test_what_the_end_of_a_lane_left_open_counts_in_no_number() -> None:
    fold = left_open()

    assert (fold.ttft_ms, fold.output_tokens, list(fold.open)) == ([10.0], 2, [1])


def test_a_request_that_ended_after_its_lane_counts_again() -> None:
    fold = left_open(end(40 * NS_PER_MS, req=1))

    assert (fold.ttft_ms, fold.output_tokens, fold.ok) == ([2.0, 10.0], 3, 2)


def test_an_open_request_has_a_first_token_and_is_no_answer() -> None:
    fold = folded(*request(), chunks(5 * NS_PER_MS))

    assert (fold.ttft_ms, fold.answered_ttft_ms()) == ([5.0], [])


def test_an_end_without_a_beginning_changes_nothing() -> None:
    fold = folded(end(9), Usage(t=9, lane=0, req=0, output_tokens=3), chunks(3))

    assert (fold.ok, fold.requests, fold.output_tokens) == (0, {}, 0)


def test_a_second_end_of_a_request_changes_nothing() -> None:
    fold = folded(*request(), end(5), end(6, status="failed"))

    assert (fold.ok, fold.failed, fold.requests[0].t_end) == (1, 0, 5)


def test_a_request_sent_twice_leaves_no_trace_in_the_ranking_when_it_fails() -> None:
    again = RequestSent(t=20, lane=0, req=0)

    assert folded(*request(), chunks(10), again, end(30, status="failed")).ttft_ms == []


def test_a_token_stamped_before_its_sending_does_not_stop_the_fold() -> None:
    scheduled, sent = request(sent=5)
    early = RequestScheduled(t=1, lane=0, req=0, prompt=0)

    assert folded(early, sent, chunks(3), end(9, status="failed")).failed == 1
    assert scheduled.t == sent.t


def test_a_lane_told_twice_keeps_what_ran_on_it() -> None:
    tracks = RaceTracks([FACTS, LaneStart(t=1, lane=0), chunks(5)])
    tracks.extend([LaneFacts(t=0, lane=0, engine="renamed", model="m", url="u")])

    assert (tracks.lanes[0].facts.engine, len(tracks.lanes[0].t)) == ("renamed", 1)


def test_the_first_end_of_a_lane_is_its_end() -> None:
    fold = folded(
        LaneStart(t=1, lane=0),
        LaneEnd(t=5, lane=0, status="died", reason="x"),
        LaneEnd(t=9, lane=0, status="finished"),
    )

    assert (fold.status, fold.reason, fold.track.duration_ns()) == ("died", "x", 4)


def test_an_end_that_arrives_after_later_chunks_were_folded_is_folded_before_them() -> None:
    events = [FACTS, LaneStart(t=0, lane=0), *request(), chunks(10, 50)]
    tracks = RaceTracks(events)
    replay = Replay(tracks)
    replay.seek(100)
    tracks.extend([end(30)])
    replay.seek(100)

    assert replay.lanes[0].finished_chunks == folded(*events[1:], end(30)).finished_chunks == 1


def test_events_of_an_unknown_lane_wait_until_it_is_announced() -> None:
    tracks = RaceTracks([chunks(5)])
    tracks.extend([FACTS])

    assert len(tracks.lanes[0].t) == 1


def test_scripted_numbers_come_out_as_planned() -> None:
    race = ScriptedRace([Plan("a", ttft_ms=120, gap_ms=15, requests=3, tokens=5)])
    fold = LaneFold(RaceTracks(race.events()).lanes[0])
    fold.advance(1 << 40)

    assert (fold.ttft_ms, fold.tpot_ms, fold.output_tokens) == ([120.0] * 3, [15.0] * 3, 15)


def test_a_request_not_sent_has_no_times() -> None:
    state = RequestState(lane=0, req=0, prompt=0, phase="race", t_scheduled=0, t_first=5, t_end=9)

    assert (state.ttft_ms, state.e2e_ms, state.tpot_ms) == (None, None, None)


TIMES = st.integers(0, 6)
REQUESTS = st.integers(0, 2)
lane_events = st.one_of(
    st.builds(LaneStart, t=TIMES, lane=st.just(0)),
    st.builds(LaneEnd, t=TIMES, lane=st.just(0), status=st.sampled_from(["finished", "died"])),
    st.builds(RequestScheduled, t=TIMES, lane=st.just(0), req=REQUESTS, prompt=st.just(0)),
    st.builds(RequestSent, t=TIMES, lane=st.just(0), req=REQUESTS),
    st.builds(ResponseHeaders, t=TIMES, lane=st.just(0), req=REQUESTS, status=st.just(200)),
    st.builds(Usage, t=TIMES, lane=st.just(0), req=REQUESTS, output_tokens=st.none() | st.integers(0, 5)),
    st.builds(
        RequestEnd, t=TIMES, lane=st.just(0), req=REQUESTS, status=st.sampled_from(["ok", "failed", "cancelled"])
    ),
    st.builds(lambda t, r: chunks(*([t] * len(r))) if not r else Tokens(t=t, lane=0, r=r, d=[0] * len(r), x=["x"] * len(r)),
              t=TIMES, r=st.lists(REQUESTS, min_size=1, max_size=3)),
)  # fmt: skip


@given(st.lists(lane_events, max_size=25), TIMES)
def test_no_sequence_of_facts_however_senseless_stops_a_view(events: list[AnyEvent], position: int) -> None:
    replay = Replay(RaceTracks([FACTS, *events]))
    replay.seek(position)

    assert msgspec.json.encode(race_view(replay))
    assert msgspec.json.encode(race_summary(replay))


@given(st.lists(lane_events, max_size=25), st.lists(TIMES, max_size=4))
def test_senseless_facts_too_fold_the_same_by_any_route(events: list[AnyEvent], route: list[int]) -> None:
    replay = Replay(RaceTracks([FACTS, *events]))
    for position in [*route, 3]:
        replay.seek(position)
    fresh = Replay(RaceTracks([FACTS, *events]))
    fresh.seek(3)

    assert msgspec.json.encode(race_view(fresh)) == msgspec.json.encode(race_view(replay))
