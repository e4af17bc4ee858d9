"""Was the client the bottleneck? Each rule just below and just above its threshold, over scripted logs."""

from typing import Any

import msgspec
import pytest

from racelog.clock import NS_PER_MS
from racelog.events import (
    AnyEvent,
    Calibration,
    Control,
    Gap,
    HostSamples,
    LaneFacts,
    LaneStart,
    RaceFacts,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    Tokens,
)
from racelog.replay.health import LATE_SEND_NS
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import Plan, ScriptedRace, recorder_readings
from racelog.views.evidence.health import LEAST_SAMPLES, RaceHealth, health_line, race_health

PLAN = Plan("vLLM", requests=10, tokens=10, start_ms=1000, ttft_ms=100, gap_ms=100)
"""Races from 1 s to 11 s: a hundred chunks, and a hundred readings at ten a second."""


def readings(**changes: Any) -> HostSamples:
    """Return readings of this lane's recorder."""
    return recorder_readings("vLLM", **changes)


def calibration(**changes: Any) -> Calibration:
    """Return a calibration that found a client in order."""
    fields = {
        "t": 0, "lane": 0, "streams": 64, "tokens": 3200, "coalesced": 3, "p50_us": 12.0, "p99_us": 31.0, "max_us": 400.0,
        "stamp": "kernel", "tokens_per_s": 3200.0, **changes,
    }  # fmt: skip
    return Calibration(**fields)


def health(*more: AnyEvent, stamps: str = "", plan: Plan = PLAN) -> RaceHealth:
    """Return the verdict on a scripted race with ``more`` in its log, its chunks stamped by ``stamps`` in turn."""
    events = [*ScriptedRace([plan]).events(), *more]
    if stamps:
        events = [
            msgspec.structs.replace(event, s=stamps[: len(event.r)]) if isinstance(event, Tokens) else event
            for event in events
        ]
    replay = Replay(RaceTracks(sorted(events, key=lambda event: event.t)))
    replay.seek_end()
    return race_health(replay)


def rows(value: float, count: int, rest: float) -> list[float]:
    """Return a hundred readings, ``count`` of them ``value``."""
    return [value] * count + [rest] * (100 - count)


def test_a_log_that_tells_nothing_of_its_recorder_is_not_judged() -> None:
    assert (health().client_limited, health_line(health())) == (None, "")


def test_a_client_that_kept_up_says_how_well() -> None:
    found = health(readings(), calibration())

    assert not found.client_limited
    assert health_line(found) == "the recorder kept up: clock checked, +-0.031 ms (p99) at 64 streams"


def test_without_a_calibration_it_says_so() -> None:
    assert health_line(health(readings())) == "the recorder kept up (its clock was not checked)"


@pytest.mark.parametrize(("busy", "limited"), [(9, False), (10, True)])
def test_a_core_in_use_for_a_tenth_of_the_race_is_the_limit(busy: int, limited) -> None:
    found = health(readings(cpu_pct=rows(90.0, busy, 89.9), loop_lag_us=2_000.0))

    assert found.client_limited is limited


def test_a_core_in_use_by_a_loop_in_time_is_no_limit() -> None:
    assert health(readings(cpu_pct=100.0, loop_lag_us=1_999.0)).client_limited is False


def test_without_a_lag_the_core_decides() -> None:
    assert health(readings(cpu_pct=100.0, loop_lag_us=[None] * 100)).client_limited is True


def test_the_reason_has_the_number() -> None:
    found = health(readings(cpu_pct=rows(99.0, 34, 50.0), loop_lag_us=9_000.0))

    assert health_line(found) == (
        "measuring machine too slow - recorder too busy: its CPU was full for 34.0 % of vLLM's race"
    )


def test_readings_before_the_start_and_after_the_end_do_not_count() -> None:
    busy = [
        readings(start_ms=0, rows=9, cpu_pct=100.0, loop_lag_us=9_000.0),
        readings(),
        readings(start_ms=11_100, rows=50, cpu_pct=100.0, loop_lag_us=9_000.0),
    ]

    assert health(*busy).lanes[0].full_share == 0.0


def test_a_race_of_a_moment_is_not_judged_by_its_first_burst() -> None:
    few = readings(rows=LEAST_SAMPLES - 1, cpu_pct=100.0, loop_lag_us=9_000.0)

    assert health(few, stamps="K" * 10).client_limited is False


@pytest.mark.parametrize(("stamps", "limited"), [("k" * 10, False), ("u" * 10, True)])
def test_a_late_loop_is_the_limit_only_while_it_stamps(stamps: str, limited) -> None:
    found = health(readings(loop_lag_us=rows(5_001.0, 10, 800.0)), stamps=stamps)

    assert found.client_limited is limited


def test_user_stamps_of_a_loop_in_time_are_no_limit() -> None:
    assert health(readings(loop_lag_us=rows(5_000.0, 10, 800.0)), stamps="u" * 10).client_limited is False


@pytest.mark.parametrize(("lag_us", "limited"), [(2_000.0, False), (2_001.0, True)])
def test_coalesced_chunks_are_the_clients_only_when_its_loop_was_late(lag_us: float, limited) -> None:
    found = health(readings(loop_lag_us=rows(lag_us, 10, 800.0)), stamps="Kkkkkkkkkk")

    assert found.lanes[0].coalesced_share == 0.1
    assert found.client_limited is limited


def test_a_server_that_joins_chunks_is_not_held_against_the_client() -> None:
    assert health(readings(), stamps="KKKKKkkkkk").client_limited is False


Send = dict[str, Any]


def open_loop(late: list[Send], *, sends: int = 100, max_open: int | None = None) -> RaceHealth:
    """Return the verdict on an open loop of ``sends`` requests, the first of which went out as ``late`` says.

    A send's ``by`` is in nanoseconds; its request ends in time for the next, or stays open.
    """
    facts = RaceFacts(
        t=0, race_id="r", name="", started_at="", seed=1, concurrency=0, rate_per_s=1000.0, max_open=max_open
    )
    events: list[AnyEvent] = [
        facts, LaneFacts(t=0, lane=0, engine="e", model="m", url="http://h"), LaneStart(t=0, lane=0),
        recorder_readings("e", start_ms=0.0),
    ]  # fmt: skip
    for req in range(sends):
        send = late[req] if req < len(late) else {}
        due = (100 + req * 100) * NS_PER_MS
        sent = {name: value for name, value in send.items() if name not in ("by", "stays")}
        events += [
            RequestScheduled(t=due, lane=0, req=req, prompt=0),
            RequestSent(t=due + send.get("by", 0), lane=0, req=req, **sent),
        ]
        if not send.get("stays"):
            events.append(RequestEnd(t=due + 99 * NS_PER_MS, lane=0, req=req, status="ok"))
    replay = Replay(RaceTracks(sorted(events, key=lambda event: event.t)))
    replay.seek_end()
    return race_health(replay)


LATE: Send = {"by": LATE_SEND_NS + 1}


@pytest.mark.parametrize(
    ("late", "limited"), [([LATE] * 5, False), ([LATE] * 6, True), ([{"by": LATE_SEND_NS}] * 100, False)]
)
def test_an_open_loop_that_sends_late_is_limited(late: list[Send], limited) -> None:
    assert open_loop(late).client_limited is limited


def test_late_sends_are_a_reason_with_their_share() -> None:
    assert open_loop([LATE] * 7).reasons == [
        "recorder too busy: 7.0 % of e's requests left more than 5 ms late"
    ]


def test_what_connecting_took_is_not_the_clients() -> None:
    assert open_loop([{**LATE, "connect_ns": 1}] * 100).client_limited is False


def test_a_second_send_after_the_server_dropped_a_connection_is_not_the_clients() -> None:
    again = RequestSent(t=500 * NS_PER_MS, lane=0, req=0, connection="reopened")
    events = [*ScriptedRace([PLAN]).events(), again]
    replay = Replay(RaceTracks(sorted(events, key=lambda event: event.t)))
    replay.seek_end()

    assert (replay.lanes[0].sends, sum(replay.lanes[0].late_sends.values())) == (10, 0)


def test_a_wait_for_room_is_what_max_open_asks_for() -> None:
    full = [{"stays": True}, *[LATE] * 50]

    assert open_loop(full, max_open=1).lanes[0].late_send_share == 0.0
    assert open_loop(full, max_open=2).client_limited is True


def test_a_handful_of_requests_is_not_judged_by_their_sends() -> None:
    assert open_loop([LATE] * 19, sends=19).client_limited is False
    assert open_loop([LATE] * 19, sends=20).client_limited is True


def test_a_closed_loop_has_no_schedule_to_be_late_for() -> None:
    late = [
        msgspec.structs.replace(event, t=event.t + 20 * NS_PER_MS)
        if isinstance(event, RequestSent)
        else event
        for event in ScriptedRace([Plan("vLLM", requests=30)]).events()
    ]
    replay = Replay(RaceTracks([*late, readings()]))
    replay.seek_end()
    found = race_health(replay)

    assert (found.client_limited, found.lanes[0].late_send_share) == (False, None)


@pytest.mark.parametrize(
    ("gap", "limited"),
    [
        (Gap(t=2, reason="the disk stalled", chunks=1, lane=0), True),
        (Gap(t=2, reason="the disk stalled", events=1, lane=0), True),
        (Gap(t=2, reason="lost before recovery", events=4, bytes=900, lane=0), False),
    ],
)
def test_what_the_client_dropped_counts_and_what_a_disk_lost_later_does_not(gap: Gap, limited) -> None:
    assert health(readings(), gap).client_limited is limited


@pytest.mark.parametrize(
    ("p99_us", "truth_us", "limited"), [(1_000.0, None, False), (1_001.0, None, True), (1_001.0, 5.0, False)]
)
def test_a_calibration_a_millisecond_off_is_the_limit_less_the_truths_own_error(
    p99_us, truth_us, limited
) -> None:
    assert health(calibration(p99_us=p99_us, truth_p99_us=truth_us)).client_limited is limited


def test_with_several_lanes_the_reason_names_its_lane() -> None:
    events = [
        *ScriptedRace([PLAN, Plan("SGLang")]).events(), readings(),
        Gap(t=2, reason="the disk stalled", chunks=7, lane=1),
    ]  # fmt: skip
    replay = Replay(RaceTracks(events))
    replay.seek_end()

    assert race_health(replay).reasons == ["the recorder lost 7 chunks and 0 events of SGLang"]


def test_the_verdict_is_that_of_the_playhead() -> None:
    late = readings(cpu_pct=[20.0] * 50 + [100.0] * 50, loop_lag_us=9_000.0)
    replay = Replay(RaceTracks([*ScriptedRace([PLAN]).events(), late]))
    verdicts = []
    for second in (4, 8, 4):
        replay.seek(second * 1000 * NS_PER_MS)
        verdicts.append(race_health(replay).client_limited)

    assert verdicts == [False, True, False]


def test_stepping_gives_what_one_step_gives() -> None:
    events = [*ScriptedRace([PLAN]).events(), readings(cpu_pct=[float(i) for i in range(100)]), calibration()]
    stepped, at_once = Replay(RaceTracks(events)), Replay(RaceTracks(events))
    for position in range(0, 10_000, 70):
        stepped.seek(position * NS_PER_MS)
    stepped.seek_end()
    at_once.seek_end()

    assert race_health(at_once) == race_health(stepped)


def test_readings_that_arrive_late_or_out_of_order_are_folded_as_if_they_had_not() -> None:
    early, late = readings(rows=50), readings(start_ms=6_000, rows=50, cpu_pct=100.0, loop_lag_us=9_000.0)
    in_order = Replay(RaceTracks([*ScriptedRace([PLAN]).events(), early, late]))
    tracks = RaceTracks([late, *ScriptedRace([PLAN]).events()])
    mixed = Replay(tracks)
    mixed.seek_end()
    tracks.extend([early])
    for replay in (in_order, mixed):
        replay.seek_end()

    assert race_health(in_order) == race_health(mixed)


@pytest.mark.parametrize(
    ("late_ms", "reasons"),
    [(249.9, []), (4300.0, ["recorder stopped: vLLM started 4.30 s late"])],
)
def test_a_lane_that_began_long_after_the_agreed_instant(late_ms: float, reasons: list[str]) -> None:
    go = Control(t=round((1000 - late_ms) * NS_PER_MS), what="go")

    assert health(readings(), go).reasons == reasons


def test_a_start_that_a_pause_held_back_is_not_late() -> None:
    orders = [(100, "go"), (150, "pause"), (990, "resume")]
    controls = [Control(t=at_ms * NS_PER_MS, what=what) for at_ms, what in orders]  # type: ignore[arg-type]  # three of the words

    assert health(readings(), *controls).lanes[0].late_start_ms == 60.0


@pytest.mark.parametrize(
    ("lag_ms", "reasons"),
    [(999.9, []), (1500.0, ["recorder stopped: vLLM's recorder stood still for 1.50 s"])],
)
def test_a_recorder_that_stood_still_once(lag_ms: float, reasons: list[str]) -> None:
    assert health(readings(loop_lag_us=rows(lag_ms * 1000, 1, 100.0))).reasons == reasons
