"""The line that tells how far a race is, against the full view of the same events."""

import pytest

from racelog.clock import NS_PER_S
from racelog.events import AnyEvent, Calibration, LaneEnd, RequestEnd, Tokens
from racelog.log.rows.chunks import chunk_rows, columns
from racelog.testing.races import Plan, ScriptedRace
from racelog_recorder.cli.progress_line import Progress, calibration_line

RACE = ScriptedRace(
    [Plan("hare", requests=4, tokens=8), Plan("snail", ttft_ms=250, requests=4, tokens=8, fail=(1,))]
)
"""The hare races 0.96 s, the snail 1.42 s."""


def progress(events: list[AnyEvent]) -> Progress:
    """Return the fold of ``events``."""
    fold = Progress()
    fold.extend(events)
    return fold


def test_a_race_that_is_over_is_told_with_its_numbers() -> None:
    assert progress(RACE.events()).line() == (
        "00:01  hare 4/4 (TTFT 100 ms, 33.3 tok/s, finished) | snail 4/4 (TTFT 250 ms, 16.9 tok/s, 1 failed, finished)"
    )


@pytest.mark.parametrize(
    ("late_s", "told"), [(3.9, ""), (61.0, "  (as it was 61 s ago: this machine is busy)")]
)
def test_a_line_of_what_is_long_past_says_how_long(late_s: float, told: str) -> None:
    fold = progress([RACE.head(1), *RACE.events()])
    head, newest_ns = RACE.head(1), max(event.t for event in RACE.events())
    now_ns = head.mono_origin_ns + newest_ns + round(late_s * NS_PER_S)

    assert fold.line(now_ns) == fold.line() + told


def test_before_a_start_there_is_nothing_to_tell() -> None:
    assert progress(RACE.race_events()).line() == ""


def test_only_lanes_that_race_are_told_while_one_does() -> None:
    events = [event for event in RACE.events() if not (isinstance(event, LaneEnd) and event.lane == 1)]

    assert progress(events).line().startswith("00:01  snail 4/4 (")


def test_a_first_token_counts_though_its_request_ended_in_the_same_unit() -> None:
    """A unit holds events first and the columns last."""
    ends = [event for event in RACE.events() if isinstance(event, RequestEnd | LaneEnd)]
    chunks = [event for event in RACE.events() if isinstance(event, Tokens)]
    others = [event for event in RACE.events() if not isinstance(event, RequestEnd | LaneEnd | Tokens)]

    assert progress([*others, *ends, *chunks]).line() == progress(RACE.events()).line()


def test_piece_by_piece_is_as_all_at_once() -> None:
    stepped = Progress()
    for event in RACE.events():
        stepped.extend([event])

    assert stepped.line() == progress(RACE.events()).line()


def test_chunk_by_chunk_is_as_all_at_once() -> None:
    ends = [event for event in RACE.events() if isinstance(event, RequestEnd | LaneEnd)]
    chunks = [event for event in RACE.events() if isinstance(event, Tokens)]
    stepped = progress([event for event in RACE.events() if event not in ends and event not in chunks])
    for batch in chunks:
        for row in chunk_rows(batch):
            stepped.extend([columns(batch.lane, [row])])
    stepped.extend(ends)

    assert stepped.line() == progress(RACE.events()).line()


def test_nothing_is_kept_of_what_is_over() -> None:
    fold = progress(RACE.events())

    assert [(lane.open, lane.silent) for lane in fold.lanes.values()] == [({}, set())] * 2


def test_a_calibration_is_told_in_milliseconds() -> None:
    found = Calibration(
        t=0, lane=0, streams=1000, tokens=5000, coalesced=0, p50_us=8.4, p99_us=31.0, max_us=90.0, stamp="kernel",
        tokens_per_s=50000.0,
    )  # fmt: skip

    assert calibration_line("hare", found) == (
        "hare: clock checked at 1,000 streams, +-0.008 ms (p50), +-0.031 ms (p99)"
    )
