"""The load's view: how lanes started, what was paused, in a few words."""

from racelog.events import Control, LaneFacts, LaneStart, RaceFacts
from racelog.replay.race import RaceTracks
from racelog.views.evidence.load import race_load

MS = 1_000_000


def race(**facts: object) -> RaceFacts:
    return RaceFacts(t=0, race_id="r", name="r", started_at="", seed=0, **facts)  # type: ignore[arg-type]


def lanes(*starts_ns: int) -> list[LaneFacts | LaneStart]:
    told: list[LaneFacts | LaneStart] = []
    for lane, t in enumerate(starts_ns):
        told += [
            LaneFacts(t=0, lane=lane, engine=f"e{lane}", model="m", url="u"),
            LaneStart(t=t, lane=lane, cpus=[lane]),
        ]
    return told


def test_the_spread_is_the_last_start_minus_the_first() -> None:
    load = race_load(RaceTracks([race(), Control(t=10 * MS, what="go"), *lanes(10_020_000, 10_170_000)]))

    assert load.start_spread_us == 150
    assert [(start.late_us, start.cpus) for start in load.starts] == [(20, [0]), (170, [1])]


def test_lanes_of_a_time_trial_have_no_spread_and_each_its_own_lateness() -> None:
    orders = [Control(t=MS, what="go", lane=0), Control(t=50 * MS, what="go", lane=1)]
    load = race_load(RaceTracks([race(), *orders, *lanes(MS + 1000, 50 * MS + 2000)]))

    assert load.start_spread_us is None
    assert [start.late_us for start in load.starts] == [1, 2]


def test_an_old_log_tells_no_lateness() -> None:
    assert [start.late_us for start in race_load(RaceTracks([race(), *lanes(5)])).starts] == [None]


def test_pauses_add_up_and_a_stop_ends_one() -> None:
    orders = [
        Control(t=1_000 * MS, what="pause"),
        Control(t=1_500 * MS, what="resume"),
        Control(t=2_000 * MS, what="pause"),
        Control(t=2_250 * MS, what="stop"),
    ]

    assert race_load(RaceTracks([race(), *orders])).paused_s == 0.75


def test_an_order_told_twice_counts_once() -> None:
    orders = [Control(t=1_000 * MS, what="pause"), Control(t=1_500 * MS, what="resume")]

    assert race_load(RaceTracks([race(), *orders, *orders])).paused_s == 0.5


def test_the_words_tell_a_closed_loop_from_an_open_one() -> None:
    closed = race_load(RaceTracks([race(concurrency=8)]))
    opened = race_load(RaceTracks([race(concurrency=0, rate_per_s=50.0, arrival="poisson", max_open=200)]))

    assert closed.words == "closed loop, concurrency 8"
    assert opened.words == "open loop, 50/s poisson, at most 200 open"
