"""The rule of the standings: each case by hand, then the same one in every view."""

from typing import Any

import pytest

from racelog.views.verdict import LaneRun, Verdict, verdict


def run(lane: int = 0, **facts: Any) -> LaneRun:
    """Return a lane that finished 250 requests in 100 ms each, but for ``facts``."""
    plain: dict[str, Any] = {
        "engine": "ab"[lane] if lane < 2 else f"e{lane}", "status": "finished", "target": 250, "ok": 250,
        "ttft_p50_ms": 100.0 + lane, "ttft_max_ms": 200.0,
    }  # fmt: skip
    return LaneRun(lane=lane, **{**plain, **facts})


def reason(**facts: Any) -> str:
    """Return why a lane is DNF, or "" when it is not."""
    return verdict([run(**facts)]).dnf.get(0, "")


def against(**facts: Any) -> Verdict:
    """Return how a lane that is ahead stands against one that finished."""
    return verdict([run(0, **facts), run(1)])


def test_an_engine_that_failed_most_of_its_requests_is_below_one_that_answered_them() -> None:
    found = against(ok=69, failed=181)
    assert (found.standings, found.places, found.winner) == ([1, 0], {1: 1}, 1)
    assert found.dnf == {0: "69 of 250 requests finished, 27.6 %; the bound is 95 %"}


def test_an_engine_whose_process_died_is_dnf_whatever_it_answered() -> None:
    found = against(status="died")
    assert (found.standings, found.winner, found.dnf) == ([1, 0], 1, {0: "racelog's own recorder of it died"})


@pytest.mark.parametrize(("failed", "dnf"), [(12, False), (13, True)])
def test_the_bound_itself_is_enough(failed: int, *, dnf: bool) -> None:
    assert bool(reason(ok=250 - failed, failed=failed)) is dnf


@pytest.mark.parametrize(("bound", "winner"), [(0.0, 0), (0.276, 0), (0.277, 1), (1.0, 1)])
def test_the_bound_is_the_plan_s(bound: float, winner: int) -> None:
    assert verdict([run(0, ok=69, failed=181), run(1)], bound).winner == winner


@pytest.mark.parametrize("percent", [1, 7, 57.5, 95, 99, 99.9, 100])
def test_a_lane_exactly_at_the_bound_has_finished(percent: float) -> None:
    answered = round(percent * 10)
    assert verdict([run(ok=answered, failed=1_000 - answered)], percent / 100).dnf == {}


def test_a_racing_lane_is_not_dnf_for_what_it_has_not_done_yet() -> None:
    assert reason(status="racing", ok=3, failed=12) == ""


def test_a_racing_lane_is_dnf_once_it_can_no_longer_finish() -> None:
    found = reason(status="racing", ok=3, failed=13)
    assert found == "13 of 250 requests failed already; the bound is 95 %"


@pytest.mark.parametrize(
    ("ok", "failed", "found"),
    [(0, 19, ""), (19, 1, ""), (18, 2, "so far 18 of 20 requests finished, 90.0 %; the bound is 95 %")],
)
def test_against_the_clock_a_racing_lane_is_judged_by_what_ended_so_far(
    ok: int, failed: int, found: str
) -> None:
    assert reason(status="racing", target=None, ok=ok, failed=failed) == found


def test_what_the_end_of_a_race_cancelled_does_not_count() -> None:
    assert reason(target=None, ok=40, cancelled=16, unanswered_ms=[150.0] * 16) == ""


def test_an_engine_that_never_answered_is_dnf_though_all_was_cancelled() -> None:
    assert reason(ok=0, cancelled=16, ttft_p50_ms=None, ttft_max_ms=None) == "none of 16 requests finished"


def test_an_engine_that_stopped_answering_is_judged_by_what_it_left_waiting() -> None:
    found = reason(target=None, ok=3, cancelled=4, unanswered_ms=[8_000.0] * 4)
    assert found == "3 of 7 requests finished, 42.9 %; the bound is 95 %"


def test_a_stopped_race_is_judged_by_what_ended() -> None:
    assert reason(status="stopped", ok=20, failed=1, cancelled=4) == ""
    assert (
        reason(status="stopped", ok=18, failed=2) == "18 of 20 requests finished, 90.0 %; the bound is 95 %"
    )


def test_an_eliminated_lane_is_dnf_whatever_it_answered() -> None:
    found = against(status="stopped", eliminated=True, ok=40)
    assert (found.winner, found.dnf) == (1, {0: "eliminated after 40 requests"})


def test_a_lane_that_never_started_leaves_nobody_to_win_against() -> None:
    idle = run(1, status="stopped", started=False, ok=0, ttft_p50_ms=None)
    found = verdict([run(0), idle])
    assert (found.winner, found.nobody, found.places) == (None, "No winner: only a was raced", {})
    assert found.dnf == {1: "it never started"}


def test_without_an_answer_nobody_wins() -> None:
    failed = {"ok": 0, "failed": 250, "ttft_p50_ms": None}
    found = verdict([run(0, **failed), run(1, **failed)])
    assert (found.winner, found.nobody) == (None, "No winner: no request was answered")
    assert found.dnf == dict.fromkeys((0, 1), "none of 250 requests finished")


def test_when_no_engine_finished_nobody_wins() -> None:
    found = verdict([run(0, ok=69, failed=181), run(1, ok=100, failed=150)])
    assert (found.winner, found.places, found.nobody) == (None, {}, "No winner: no engine finished")


def test_one_lane_alone_is_first_unless_it_did_not_finish() -> None:
    assert verdict([run()]).winner == 0
    assert verdict([run(ok=69, failed=181)]).winner is None


def test_a_lane_without_a_token_has_no_place_and_no_blame() -> None:
    found = verdict([run(0, ttft_p50_ms=None), run(1)])
    assert (found.standings, found.places, found.dnf) == ([1, 0], {1: 1}, {})


def cached(*shares: float | None, **facts: Any) -> Verdict:
    return verdict([run(lane, cached_share=share, answers=250, **facts) for lane, share in enumerate(shares)])


def test_lanes_whose_caches_gave_more_than_ten_points_apart_are_not_like_for_like() -> None:
    found = cached(0.0, 0.96)
    assert (found.winner, found.places) == (None, {})
    assert found.nobody == ("Not like for like: 96.0 % of b's prompt tokens came from its cache, 0 % of a's")


def test_ten_points_are_like_for_like() -> None:
    assert cached(0.3, 0.4).winner == 0


def test_the_most_and_the_least_of_many_caches_are_named() -> None:
    found = cached(0.2, 0.9, 0.1, 0.5)
    assert found.unlike == "90.0 % of b's prompt tokens came from its cache, 10.0 % of e2's"


def test_a_server_that_does_not_say_is_not_said_to_have_had_nothing() -> None:
    found = cached(None, 0.96)
    assert (found.winner, found.unlike) == (0, "")
    assert found.caveat == (
        "96.0 % of b's prompt tokens came from its cache; a's server does not say what came from its own"
    )


def test_where_no_server_says_anything_there_is_nothing_to_say() -> None:
    assert cached(None, None).caveat == ""


def test_the_cache_of_a_lane_that_did_not_finish_takes_nobody_s_win() -> None:
    found = verdict([run(0, cached_share=0.0), run(1, ok=69, failed=181, cached_share=0.96)])
    assert (found.winner, found.unlike) == (0, "")


def test_a_racing_lane_s_cache_speaks_once_there_are_five_answers() -> None:
    def at(answers: int) -> str:
        runs = [run(n, status="racing", cached_share=float(n), answers=answers) for n in (0, 1)]
        return verdict(runs).unlike

    assert (at(4) == "", at(5) == "") == (True, False)


def test_lanes_that_were_asked_for_other_lengths_are_not_like_for_like() -> None:
    found = verdict([run(0, params={"max_tokens": 64}), run(1, params={"max_tokens": 256, "temperature": 0})])
    assert found.unlike == "max_tokens is 64 for a, 256 for b; temperature is not set for a, 0 for b"


def test_the_same_number_is_no_difference() -> None:
    assert verdict([run(0, params={"temperature": 0}), run(1, params={"temperature": 0.0})]).unlike == ""


def test_parameters_that_one_lane_does_not_know_differ_from_nothing() -> None:
    assert verdict([run(0, params=None), run(1, params={"max_tokens": 9})]).unlike == ""


def test_lanes_that_were_asked_other_prompts_are_not_like_for_like() -> None:
    found = verdict([run(0), run(1)], prompts={(0, 1): (3, 40)})
    assert found.unlike == "only 3 of 40 prompts of a and b are the same"
