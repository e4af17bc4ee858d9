"""The story: every rule at its threshold, once, and never from the future."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.events import (
    AnyEvent,
    Control,
    EngineSamples,
    GpuSamples,
    HostSamples,
    LaneEnd,
    RaceFacts,
    RequestEnd,
    Tokens,
)
from racelog.replay.race import RaceTracks
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.story.engine import Story, story, until
from racelog.views.story.rows import Anomaly
from tests.player.theatre import theatre

MS = 1_000_000
SECOND = 1_000 * MS


def told(*plans: Plan, extra: Sequence[AnyEvent] | None = None) -> Story:
    return story(RaceTracks([*ScriptedRace(list(plans)).events(), *(extra or [])]))


def keys(found: Story) -> list[str]:
    return [comment.key for comment in found.comments]


def anomalies(found: Story, kind: str) -> list[Anomaly]:
    return [row for row in found.anomalies if row.kind == kind]


def joined(lane_a: ScriptedRace, lane_b: ScriptedRace) -> list[AnyEvent]:
    """Return two scripted stretches as one lane: the second begins where the first ends."""
    first = [e for e in lane_a.events() if not isinstance(e, LaneEnd)]
    shift = max(event.t for event in first) - SECOND
    skip = lane_a.plans[0].requests
    whole = skip + lane_b.plans[0].requests
    first = [msgspec.structs.replace(e, requests=whole) if isinstance(e, RaceFacts) else e for e in first]
    later = []
    for event in lane_b.lane_events(0)[1:]:
        changes: dict[str, object] = {"t": event.t + shift}
        if hasattr(event, "req"):
            changes["req"] = event.req + skip
        if hasattr(event, "r"):
            changes["r"] = [req + skip for req in event.r]
        later.append(msgspec.structs.replace(event, **changes))
    return [*first, *later]


def changing(before: Plan, after: Plan, extra: Sequence[AnyEvent] | None = None) -> Story:
    return story(RaceTracks([*joined(ScriptedRace([before]), ScriptedRace([after])), *(extra or [])]))


QUICK = Plan("a", ttft_ms=100, gap_ms=20, requests=40, tokens=20)


@pytest.mark.parametrize(("ttft_ms", "found"), [(140, 0), (160, 1)])
def test_a_latency_spike_is_half_as_much_again(ttft_ms: float, found: int) -> None:
    rows = anomalies(
        changing(QUICK, Plan("a", ttft_ms=ttft_ms, gap_ms=20, requests=40, tokens=20)), "latency-spike"
    )
    assert len(rows) == found
    assert [(row.before, row.now) for row in rows] == [(100.0, 160.0)] * found


@pytest.mark.parametrize(("failing", "found"), [((), 0), ((5, 9), 0), ((5, 9, 13), 1)])
def test_errors_that_rise_by_more_than_a_percent_are_told_once(failing: tuple[int, ...], found: int) -> None:
    assert len(anomalies(told(Plan("a", requests=40, tokens=20, fail=failing)), "error-rise")) == found


def test_errors_that_rise_before_a_minute_is_over_are_not_said_of_a_minute() -> None:
    (row,) = anomalies(told(Plan("a", requests=40, tokens=20, fail=(5, 9, 13))), "error-rise")
    assert row.text == "a: errors are rising: 21.4 % of 14 requests failed in the first 6.00 s"


def test_the_cause_of_rising_errors_is_what_they_said() -> None:
    events = [
        msgspec.structs.replace(event, message="HTTP 503: CUDA out of memory")
        if isinstance(event, RequestEnd) and event.status == "failed"
        else event
        for event in ScriptedRace([Plan("a", requests=40, tokens=20, fail=(5, 9, 13))]).events()
    ]
    (row,) = anomalies(story(RaceTracks(events)), "error-rise")
    assert row.causes == ["3 requests failed: HTTP 503: CUDA out of memory"]


def causes_with(*events: AnyEvent) -> list[str]:
    """Return the causes of the outlier in an even race, with readings and orders beside it."""
    slow = Plan("a", ttft_ms=900, gap_ms=20, requests=1, tokens=20)
    return anomalies(changing(QUICK, slow, events), "outlier")[-1].causes


def test_an_engine_s_full_cache_and_queue_are_causes() -> None:
    readings = EngineSamples(t=2 * SECOND, lane=0, source="p", d=[0], kv_cache_pct=[97.0], waiting=[12.0])
    assert causes_with(readings) == ["its KV cache was 97.0 % full", "12 requests waited in its queue"]


def test_a_measuring_machine_without_a_core_left_is_a_cause() -> None:
    def busy(cpu_pct: float) -> list[str]:
        facts = ScriptedRace([QUICK]).race_events()[1]
        assert isinstance(facts, RaceFacts)
        host = msgspec.structs.replace(facts, requests=41, host={"cores": 2})
        return causes_with(
            host, HostSamples(t=2 * SECOND, process="host", d=[0], cpu_pct=[cpu_pct], rss_mib=[1.0])
        )

    assert busy(198.0) == ["the measuring machine's CPU was 99.0 % busy"]
    assert busy(100.0) == ["nothing else in this log changed at that time"]


def test_a_pause_is_a_cause_and_no_drop_of_throughput() -> None:
    events = [event for event in ScriptedRace([QUICK]).events() if event.t < 18 * SECOND]
    held: list[AnyEvent] = [
        Control(t=18 * SECOND, what="pause"),
        LaneEnd(t=30 * SECOND, lane=0, status="stopped"),
    ]
    assert anomalies(story(RaceTracks([*events, *held])), "throughput-drop") == []


def test_throughput_that_falls_by_a_quarter_is_told() -> None:
    slow = Plan("a", ttft_ms=100, gap_ms=60, requests=40, tokens=20)
    (row,) = anomalies(changing(QUICK, slow), "throughput-drop")
    assert row.now < 0.75 * row.before


def test_even_throughput_is_not_out_of_the_ordinary() -> None:
    assert (
        anomalies(told(Plan("a", ttft_ms=2_000, gap_ms=20, requests=30, tokens=20)), "throughput-drop") == []
    )


def test_a_request_beyond_three_sigma_is_an_outlier() -> None:
    rows = anomalies(changing(QUICK, Plan("a", ttft_ms=500, requests=1)), "outlier")
    assert [(row.req, row.now) for row in rows] == [(40, 500.0)]


def test_a_cause_is_named_only_when_it_was_recorded() -> None:
    steps = [0, *[SECOND] * 59]
    full = GpuSamples(
        t=SECOND, source="local", device=0, d=steps, mem_used_mib=[95.0] * 60, mem_total_mib=[100.0] * 60
    )
    spike = Plan("a", ttft_ms=400, gap_ms=20, requests=40, tokens=20)
    causes = [anomalies(changing(QUICK, spike, extra), "latency-spike")[0].causes for extra in ([], [full])]
    assert causes == [["nothing else in this log changed at that time"], ["GPU 0 memory was 95.0 % full"]]


def test_the_commentator_knows_more_than_ten_things_to_say() -> None:
    late = told(
        Plan("hare", ttft_ms=90, requests=60, tokens=20),
        Plan("tortoise", ttft_ms=91, requests=60, tokens=20, fail=(1,)),
    )
    lead = told(
        Plan("a", ttft_ms=120, requests=1200), Plan("b", ttft_ms=50, requests=1200, fail=tuple(range(60)))
    )
    said = {*keys(late), *keys(lead), *keys(story(RaceTracks(theatre())))}
    assert said >= {
        "start", "first-words", "first-token", "lead", "milestone", "halfway", "first-error", "tokens", "close",
        "finish", "winner", "insight", "achievement", "error-rise",
    }  # fmt: skip


def test_insights_come_at_each_quarter_with_their_numbers() -> None:
    found = told(Plan("a", ttft_ms=100, requests=40), Plan("b", ttft_ms=200, requests=40)).insights
    speed = [row for row in found if row.category == "speed"]
    assert [row.share for row in speed] == [0.25, 0.5, 0.75, 1.0]
    assert speed[-1].text == "a has the lowest TTFT; b's is 2.00x"
    assert speed[-1].reason == "TTFT p50 100 ms of 40 requests against 200 ms of 40"


def test_nothing_is_concluded_from_a_few_requests() -> None:
    assert told(Plan("a", requests=3), Plan("b", requests=3)).insights[:-1] == []


@pytest.mark.parametrize(
    ("key", "plan", "unlocked"),
    [
        ("first-blood", Plan("a", requests=100, tokens=2), True),
        ("first-blood", Plan("a", requests=99, tokens=2), False),
        ("first-blood", Plan("a", requests=100, tokens=2, fail=(3,)), False),
        ("consistency-king", Plan("a", requests=20), True),
        ("consistency-king", Plan("a", requests=19), False),
        ("zero-failures", Plan("a", requests=1000, tokens=2, ttft_ms=5, gap_ms=1), True),
        ("zero-failures", Plan("a", requests=1001, tokens=2, ttft_ms=5, gap_ms=1, fail=(3,)), False),
        ("throughput-beast", Plan("a", requests=30, tokens=500, ttft_ms=5, gap_ms=3), True),
        ("throughput-beast", Plan("a", requests=30, tokens=500, ttft_ms=5, gap_ms=12), False),
        ("speed-demon", Plan("a", requests=310, tokens=2, ttft_ms=150, gap_ms=850), True),
        ("speed-demon", Plan("a", requests=290, tokens=2, ttft_ms=150, gap_ms=850), False),
        ("speed-demon", Plan("a", requests=310, tokens=2, ttft_ms=210, gap_ms=850), False),
    ],
)  # fmt: skip
def test_an_achievement_is_unlocked_at_its_threshold(key: str, plan: Plan, *, unlocked: bool) -> None:
    (row,) = [row for row in told(plan).achievements if row.key == key]
    assert (row.unlocked_at_ns is not None, row.progress == 1) == (unlocked, unlocked)


def test_an_engine_that_fails_at_once_completes_nothing() -> None:
    found = told(Plan("a", requests=100, tokens=2, fail=tuple(range(100))), Plan("b", requests=100, tokens=2))

    assert [
        row.lane for row in found.achievements if row.key == "first-blood" and row.unlocked_at_ns is not None
    ] == [1]
    assert "a has completed" not in " ".join(comment.text for comment in found.comments)


def test_an_engine_that_did_not_finish_earns_nothing_for_what_it_answered() -> None:
    found = told(Plan("a", requests=60, fail=tuple(range(30, 60))))
    king = next(row for row in found.achievements if row.key == "consistency-king")
    assert (king.unlocked_at_ns, king.progress) == (None, 0.99)


def test_only_the_first_draws_first_blood() -> None:
    rows = told(
        Plan("a", requests=110, tokens=2), Plan("b", requests=110, tokens=2, ttft_ms=120)
    ).achievements
    assert [row.unlocked_at_ns is not None for row in rows if row.key == "first-blood"] == [True, False]


@given(st.integers(0, 25 * SECOND))
def test_the_story_live_at_an_instant_is_the_story_replayed_up_to_it(position: int) -> None:
    events = theatre()
    known: list[AnyEvent] = [
        event for event in events if event.t <= SECOND + position and not isinstance(event, Tokens)
    ]
    batches: list[AnyEvent] = [event for event in events if isinstance(event, Tokens)]
    known += batches  # the fold cuts a batch, not we
    whole, live = until(story(RaceTracks(events)), position), until(story(RaceTracks(known)), position)
    assert [row for row in whole.comments if row.key != "insight"] == [
        row for row in live.comments if row.key != "insight"
    ]
    assert (whole.anomalies, whole.insights) == (live.anomalies, live.insights)
    assert [(row.key, row.progress) for row in whole.achievements] == [
        (row.key, row.progress) for row in live.achievements
    ]


def test_the_story_is_the_same_bytes_every_time() -> None:
    one, other = (msgspec.json.encode(story(RaceTracks(theatre()))) for _ in range(2))
    assert one == other


def test_names_are_told_inert() -> None:
    found = told(Plan("\x1b[2Jevil", requests=30), Plan("b", requests=30, fail=(2,)))
    assert [text for text in (row.text for row in found.comments) if not text.isprintable()] == []
