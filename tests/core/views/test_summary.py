"""A finished race in numbers, each worked out by hand."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from racelog.events import AnyEvent, LaneEnd, Tokens
from racelog.log.read.library import Log
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from racelog.views.summary import RaceSummary, ending, log_summary, race_status, race_summary, spread

FAST = Plan("fast", ttft_ms=100, gap_ms=20, requests=4, tokens=8)
SLOW = Plan("slow", ttft_ms=300, gap_ms=40, requests=2, tokens=5)


Change = Callable[[list[AnyEvent]], list[AnyEvent]]


def summary(*plans: Plan, change: Change = list) -> RaceSummary:
    """Return the summary of a scripted race of ``plans``."""
    return race_summary(Replay(RaceTracks(change(ScriptedRace(list(plans)).events()))))


def test_every_number_of_a_lane_by_hand() -> None:
    lane = summary(FAST).lanes[0]

    assert (lane.requests, lane.ok, lane.failed, lane.cancelled, lane.open) == (4, 4, 0, 0, 0)
    assert lane.duration_s == pytest.approx(4 * 0.24)
    assert (lane.input_tokens, lane.output_tokens, lane.token_basis) == (4 * 5, 4 * 8, ["usage"])
    assert lane.tokens_per_s == pytest.approx(32 / 0.96)
    assert lane.requests_per_s == pytest.approx(4 / 0.96)
    assert (lane.success_rate, lane.stamps, lane.coalesced) == (1.0, {"kernel": 32}, 0)


def test_every_latency_of_a_lane_by_hand() -> None:
    lane = summary(FAST).lanes[0]

    assert lane.ttft_ms
    assert lane.tpot_ms
    assert lane.itl_ms
    assert lane.e2e_ms
    assert [lane.ttft_ms.n, lane.tpot_ms.n, lane.itl_ms.n, lane.e2e_ms.n] == [4, 4, 4 * 7, 4]
    assert [lane.ttft_ms.p50, lane.tpot_ms.p50, lane.itl_ms.p99, lane.e2e_ms.max] == [
        100.0,
        20.0,
        20.0,
        240.0,
    ]


def test_an_answer_in_one_piece_has_no_pace_and_no_gaps() -> None:
    def in_one_piece(events: list[AnyEvent]) -> list[AnyEvent]:
        return [
            msgspec.structs.replace(event, d=[0] * len(event.d), s="K" * (len(event.d) - 1) + "k") if isinstance(event, Tokens) else event
            for event in events
        ]  # fmt: skip

    lane = summary(FAST, change=in_one_piece).lanes[0]

    assert (lane.one_piece, lane.tpot_ms, lane.itl_ms) == (4, None, None)


def test_chunks_of_one_message_have_no_gap_between_them() -> None:
    def twice(events: list[AnyEvent]) -> list[AnyEvent]:
        return [
            msgspec.structs.replace(
                event, r=event.r * 2, d=[*event.d, *[0] * len(event.d)], x=event.x * 2, n=event.n * 2
            )
            if isinstance(event, Tokens)
            else event
            for event in events
        ]

    alone, joined = (
        summary(Plan("f", tokens=2, requests=1)),
        summary(Plan("f", tokens=2, requests=1), change=twice),
    )

    assert joined.lanes[0].itl_ms == alone.lanes[0].itl_ms


def test_a_spread_is_mean_and_quantiles() -> None:
    of = spread([4.0, 1.0, 3.0, 2.0])

    assert of
    assert (of.n, of.mean, of.p50, of.max) == (4, 2.5, 2.5, 4.0)
    assert (of.p90, of.p99) == pytest.approx((3.7, 3.97))


def test_a_spread_of_nothing_is_none() -> None:
    assert spread([]) is None


def test_the_lower_median_ttft_wins() -> None:
    result = summary(SLOW, FAST)

    assert (result.winner, result.standings, result.ranked_by) == (1, [1, 0], "median TTFT")
    assert [lane.place for lane in result.lanes] == [2, 1]


def test_failures_are_counted_and_leave_the_numbers() -> None:
    lane = summary(replace(FAST, fail=(1,))).lanes[0]

    assert (lane.ok, lane.failed, lane.errors, lane.success_rate) == (3, 1, {"http": 1}, 0.75)
    assert lane.ttft_ms
    assert lane.itl_ms
    assert (lane.output_tokens, lane.ttft_ms.n, lane.itl_ms.n) == (24, 3, 21)


def test_nothing_but_failures_has_no_winner() -> None:
    result = summary(replace(FAST, requests=1, fail=(0,)))

    assert (result.winner, result.lanes[0].place, result.lanes[0].ttft_ms) == (None, None, None)


def test_the_timeline_covers_begun_seconds_and_every_token_after_the_start() -> None:
    lane = summary(replace(FAST, requests=10)).lanes[0]

    assert len(lane.timeline_tokens_per_s) == 3
    assert sum(lane.timeline_tokens_per_s) == 80


def test_stamps_say_who_stamped_and_how_many_were_coalesced() -> None:
    def stamped(events: list[AnyEvent]) -> list[AnyEvent]:
        return [msgspec.structs.replace(e, s="kKuUkkkk") if isinstance(e, Tokens) else e for e in events]

    lane = summary(replace(FAST, requests=1), change=stamped).lanes[0]

    assert (lane.stamps, lane.coalesced) == ({"kernel": 6, "user": 2}, 2)


def test_who_raced_what_is_carried_over() -> None:
    result = summary(FAST)

    assert (result.race_id, result.name, result.seed, result.concurrency) == (RACE_ID, "scripted", 7, 1)
    assert (result.status, result.grid, result.host) == ("finished", "together", {"cpu": "test"})


def test_a_race_cut_off_is_unfinished() -> None:
    result = summary(FAST, change=lambda events: [e for e in events if not isinstance(e, LaneEnd)])

    assert (result.status, result.lanes[0].status) == ("unfinished", "racing")


@pytest.mark.parametrize(
    ("lanes", "status"),
    [
        ([], "unfinished"),
        (["finished"], "finished"),
        (["finished", "racing"], "unfinished"),
        (["waiting", "died"], "unfinished"),
        (["finished", "died", "stopped"], "partial"),
        (["finished", "stopped"], "stopped"),
    ],
)
def test_one_word_for_a_race(lanes: list[str], status: str) -> None:
    assert status == race_status(lanes)


def test_the_summary_of_a_log_on_disk_is_that_of_its_events(tmp_path: Path) -> None:
    with Log(ScriptedRace([FAST, SLOW]).write_file(tmp_path / "race.rlog")) as log:
        assert race_summary(Replay(RaceTracks(log.events))) == log_summary(log)


@pytest.mark.parametrize(
    ("status", "died", "words"),
    [
        ("finished", 0, "finished"),
        ("partial", 1, "one lane's recorder died"),
        ("partial", 3, "3 lanes' recorders died"),
        ("stopped", 0, "stopped early"),
        ("unfinished", 0, "no end recorded"),
    ],
)
def test_how_a_race_ended_is_told_in_words(status: str, died: int, words: str) -> None:
    assert ending(status, died) == words
