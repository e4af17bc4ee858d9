"""Every number three ways - SQL, fold, and a naive reader of `racelog dump` - on real logs and on races made up."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from racelog.cli import app
from racelog.events import (
    AnyEvent,
    LaneEnd,
    LaneFacts,
    LaneStart,
    RaceFacts,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    Tokens,
    Usage,
)
from racelog.log.read.reader import open_log
from racelog.query.connection.connect import connect
from racelog.query.contract.saved import saved_query
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import RACE_ID
from racelog.views.summary import Spread, race_summary
from tests.core.query.naive import Numbers, numbers_by_lane
from tests.core.query.recorded import write_log

REAL = ["recorder/racelog_recorder/demo/demo.rlog", "tests/bench/corpus/smollm2-vllm.rlog"]

SPREADS = ", ".join(
    f"[count({c}), avg({c}), median({c}), max({c})]" for c in ("ttft_ms", "tpot_ms", "e2e_ms")
)
PER_REQUEST = f"""
    with raced as (from requests where phase = 'race'), answered as (from raced where status = 'ok')
    select lane_id, (select count(*) from answered where lane_id = lanes.lane_id),
        (select count(*) from raced where lane_id = lanes.lane_id and status = 'failed'),
        coalesce(sum(output_tokens), 0), {SPREADS}
    from lanes left join answered using (race_id, lane_id)
    group by lane_id
"""
GAPS = """
    select lane_id, count(gap), avg(gap), median(gap), max(gap) from (
        select lane_id, (t_ns - lag(t_ns) over (partition by lane_id, request_id order by seq)) / 1e6 as gap from tokens
        semi join (from requests where phase = 'race' and status = 'ok' and not one_piece) using (race_id, lane_id, request_id))
    where gap is not null group by lane_id
"""


def dumped(path) -> str:
    result = CliRunner().invoke(app, ["dump", str(path)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def by_sql(path) -> dict[int, Numbers]:
    connection = connect(path, cache=False)
    gaps = {lane: tuple(rest) for lane, *rest in connection.execute(GAPS).fetchall()}
    return {
        lane: {
            "ok": ok, "failed": failed, "output_tokens": tokens, "itl": gaps.get(lane),
            **{name: tuple(s) if s[0] else None for name, s in (("ttft", ttft), ("tpot", tpot), ("e2e", e2e))},
        }
        for lane, ok, failed, tokens, ttft, tpot, e2e in connection.execute(PER_REQUEST).fetchall()
    }  # fmt: skip


def by_fold(path) -> dict[int, Numbers]:
    def told(spread: Spread | None):
        return None if spread is None else (spread.n, spread.mean, spread.p50, spread.max)

    return {
        lane.lane: {
            "ok": lane.ok, "failed": lane.failed, "output_tokens": lane.output_tokens, "ttft": told(lane.ttft_ms),
            "tpot": told(lane.tpot_ms), "e2e": told(lane.e2e_ms), "itl": told(lane.itl_ms),
        }
        for lane in race_summary(Replay(RaceTracks(open_log(path).events))).lanes
    }  # fmt: skip


def rounded(by_lane: dict[int, Numbers]) -> dict[int, dict[str, Any]]:
    """Return the numbers with means to a picosecond: three ways add up in three orders."""
    return {
        lane: {
            name: tuple(round(part, 9) for part in value) if isinstance(value, tuple) else value
            for name, value in numbers.items()
        }
        for lane, numbers in by_lane.items()
    }


@pytest.mark.parametrize("path", REAL)
def test_three_ways_to_each_number_agree_on_a_real_log(path):
    naive = rounded(numbers_by_lane(dumped(path)))

    assert sum(numbers["output_tokens"] for numbers in naive.values()) > 0
    assert naive == rounded(by_sql(path))
    assert naive == rounded(by_fold(path))


def test_the_saved_itl_query_is_the_naive_one_too():
    naive = numbers_by_lane(dumped(REAL[0]))
    rows = connect(REAL[0]).execute(saved_query("itl").sql).fetchall()

    assert {(gaps, p50) for _, _, gaps, _, p50, *_ in rows} == {
        (numbers["itl"][0], numbers["itl"][2]) for numbers in naive.values()
    }


@st.composite
def races(draw) -> list[AnyEvent]:
    """Draw a race: lanes with requests side by side, their chunks interleaved, some failed, some never ending."""
    events: list[AnyEvent] = [
        RaceFacts(t=0, race_id=RACE_ID, name="n", started_at="2026-11-21T01:30:00Z", seed=1)
    ]
    for lane in range(draw(st.integers(1, 3))):
        events += [
            LaneFacts(t=0, lane=lane, engine=f"e{lane}", model="m", url="u"),
            LaneStart(t=0, lane=lane),
        ]
        chunks: list[tuple[int, int, str, int | None]] = []
        latest = 0
        for req in range(draw(st.integers(0, 4))):
            t = draw(st.integers(0, 10**9))
            events.append(
                RequestScheduled(
                    t=t, lane=lane, req=req, prompt=0, phase=draw(st.sampled_from(["race", "warmup"]))
                )
            )
            if not draw(st.integers(0, 9)):
                continue
            events.append(RequestSent(t=t, lane=lane, req=req))
            for gap in draw(st.lists(st.integers(0, 10**8), max_size=6)):
                t += gap + 1
                chunks.append(
                    (t, req, draw(st.sampled_from("ccccrtom")), draw(st.none() | st.integers(0, 5)))
                )
            if draw(st.booleans()):
                events.append(
                    Usage(t=t, lane=lane, req=req, input_tokens=1, output_tokens=draw(st.integers(0, 9)))
                )
            if draw(st.integers(0, 4)):
                events.append(
                    RequestEnd(
                        t=t + 1,
                        lane=lane,
                        req=req,
                        status=draw(st.sampled_from(["ok", "ok", "failed", "cancelled"])),
                    )
                )
            latest = max(latest, t + 1)
        chunks.sort(key=lambda chunk: chunk[0])
        if chunks:
            times = [chunk[0] for chunk in chunks]
            events.append(
                Tokens(
                    t=times[0], lane=lane, r=[c[1] for c in chunks], x=["x"] * len(chunks), c="".join(c[2] for c in chunks),
                    d=[0, *(b - a for a, b in zip(times, times[1:], strict=False))], n=[c[3] for c in chunks],  # noqa: RUF007 - one line
                )
            )  # fmt: skip
        events.append(LaneEnd(t=latest, lane=lane, status="finished"))
    return sorted(events, key=lambda event: event.t)


@given(races())
def test_three_ways_to_each_number_agree_on_any_race(events):
    with tempfile.TemporaryDirectory() as folder:
        path = write_log(Path(folder) / "race.rlog", events)
        naive = rounded(numbers_by_lane(dumped(path)))

        assert naive == rounded(by_sql(path))
        assert naive == rounded(by_fold(path))
