"""Every column of every table, against values worked out by hand."""

from datetime import datetime

import msgspec
import pytest

from racelog.clock import NS_PER_S
from racelog.events import Gap
from racelog.log.read.reader import open_log
from racelog.query.connection.connect import connect
from racelog.query.contract.tables import TABLES
from racelog.query.project.project import MOST_STANDINGS, standing_positions
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from racelog.views.summary import race_summary
from racelog.views.verdict import RECORDER_DIED
from tests.core.query.recorded import EVERY_KIND, MS, write_log

ISSUE_QUERY = (
    "select engine, count(*), median(ttft_ms), median(tpot_ms), sum(output_tokens) "
    "from requests join lanes using (race_id, lane_id) group by 1"
)


@pytest.fixture
def every_kind(tmp_path):
    return connect(write_log(tmp_path / "every.rlog", EVERY_KIND))


def records(connection, table):
    cursor = connection.execute(f"from {table}")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_the_race_is_one_row(every_kind, tmp_path):
    expected = {
        "race_id": RACE_ID, "name": "every kind", "path": str(tmp_path / "every.rlog"),
        "started_at": datetime.fromisoformat("2026-11-21 01:30:00.250"), "duration_s": 0.03, "status": "partial", "seed": 9,
        "mono_origin_ns": 7_000, "racelog_version": "0.1.0", "format_version": 1, "grid": "time-trial",
        "concurrency": 2, "winner_lane_id": None, "damaged_bytes": 0, "client_limited": False, "client_limited_reason": None,
        "rate_per_s": None, "arrival": None, "max_open": None, "start_spread_us": None,
        "imported_from": None, "no_winner": "no lane was recorded to the end", "not_like_for_like": None, "caveat": None,
        "finish_share": 0.95,
    }  # fmt: skip

    assert [expected] == records(every_kind, "races")


def test_a_lane_is_one_row(every_kind):
    expected = {
        "race_id": RACE_ID, "lane_id": 3, "t_start_ns": 10 * MS, "engine": "e3", "model": "m3", "url": "http://h/v1",
        "dialect": "ollama", "color": "#fff", "emoji": "*", "transport": "pump", "status": "died",
        "t_end_ns": 40 * MS, "reason": "killed", "kept": "all", "final_place": None, "dnf": RECORDER_DIED, "cached_share": 0.75,
        "request_path": "api/chat",
    }  # fmt: skip

    assert [expected] == records(every_kind, "lanes")


def test_a_request_is_one_row_with_every_time_and_number(every_kind):
    expected = {
        "race_id": RACE_ID, "lane_id": 3, "request_id": 1, "prompt_id": 5, "phase": "race", "status": "ok",
        "error_kind": None, "http_status": 200, "t_scheduled_ns": 10 * MS, "t_sent_ns": 12 * MS,
        "t_headers_ns": 20 * MS, "t_first_token_ns": 25 * MS, "t_last_token_ns": 32 * MS, "t_end_ns": 34 * MS,
        "input_tokens": 4, "output_tokens": 6, "token_basis": "usage", "chunks": 3, "ttft_ms": 13.0,
        "tpot_ms": 7 / 5, "e2e_ms": 22.0, "finish_reason": "stop", "prompt": "Why?", "response": "hmSo be it",
        "ttfo_ms": 20.0, "error_message": None, "connection": "reopened", "queue_ms": 2.0,
        "connect_ms": 0.9, "dns_ms": None, "tcp_ms": 0.15, "tls_ms": 0.7,
        "t_first_chunk_ns": 22 * MS, "t_last_chunk_ns": 32 * MS, "lead_chunks": 1, "trail_chunks": 0,
        "cached_tokens": 3, "reasoning_tokens": 2, "total_tokens": 10, "one_piece": False,
    }  # fmt: skip

    assert expected == records(every_kind, "requests")[0]


def test_what_never_happened_to_a_request_is_null(every_kind):
    warmup = records(every_kind, "requests")[1]
    missing = {name for name, value in warmup.items() if value is None}

    assert missing == {
        "http_status", "t_sent_ns", "t_headers_ns", "input_tokens", "ttft_ms", "tpot_ms", "e2e_ms", "finish_reason",
        "ttfo_ms", "connection", "queue_ms", "connect_ms", "dns_ms", "tcp_ms", "tls_ms",
        "cached_tokens", "reasoning_tokens", "total_tokens",
    }  # fmt: skip
    assert tuple(
        warmup[name]
        for name in ("phase", "status", "error_kind", "error_message", "token_basis", "output_tokens")
    ) == ("warmup", "failed", "reset", "peer left", "chunks", 1)


def test_an_order_to_the_lanes_is_one_row(every_kind):
    assert every_kind.execute("from controls").fetchall() == [(RACE_ID, 4, "pause", None, "user", "lunch")]


def test_a_token_chunk_is_one_row_and_a_role_is_none(every_kind):
    expected = [
        (RACE_ID, 3, 1, 0, 25 * MS, "reasoning", "hm", 1, "kernel", False),
        (RACE_ID, 3, 2, 0, 25 * MS, "content", "?", None, "kernel", True),
        (RACE_ID, 3, 1, 1, 30 * MS, "tool", "So", 2, "user", True),
        (RACE_ID, 3, 1, 2, 32 * MS, "content", " be it", None, "kernel", False),
    ]

    assert expected == every_kind.execute("from tokens").fetchall()


def test_samples_come_one_row_a_reading_with_null_where_the_driver_gave_none(every_kind):
    host = [
        (RACE_ID, "host", 1, 50.0, 1.5, None, None, None, None),
        (RACE_ID, "host", 5, None, 2.5, None, None, None, None),
        (RACE_ID, "lane:e3", 15 * MS, 20.0, 9.0, 4.0, 1.5, 3.0, 0.0),
        (RACE_ID, "lane:e3", 20 * MS, 40.0, 9.5, None, 2.0, 2.0, 2.0),
    ]
    nothing = (None,) * 5
    gpu = [
        (RACE_ID, "nvml", 1, 2, 99.0, *nothing, 1.0, "H1"),
        (RACE_ID, "nvml", 1, 8, None, *nothing, 2.0, "H1"),
    ]

    assert host == every_kind.execute("from host_samples").fetchall()
    assert gpu == every_kind.execute("from gpu_samples").fetchall()


def test_what_an_engine_says_of_itself_comes_one_row_a_reading(every_kind):
    rows = [
        (RACE_ID, 3, 5, 2.0, 0.0, 12.5, None, 100.0, None, None, "prometheus"),
        (RACE_ID, 3, 12, 3.0, None, 13.0, None, 140.0, None, None, "prometheus"),
    ]

    assert rows == every_kind.execute("from engine_samples").fetchall()


def test_what_a_lanes_recorder_noted_of_itself_is_one_row(every_kind):
    expected = {
        "race_id": RACE_ID, "lane_id": 3, "client_limited": False, "reason": None, "samples": 2, "cpu_pct_p50": 30.0,
        "full_share": 0.0, "loop_lag_p99_us": 4.0, "longest_lag_ms": 0.004, "late_start_ms": None, "coalesced_share": 1 / 3, "late_send_share": None, "user_share": 1 / 3, "most_waiting": 2,
        "lost_chunks": 0, "lost_events": 0, "calibration_streams": 8, "calibration_tokens_per_s": 400.0,
        "calibration_p50_us": 11.0, "calibration_p99_us": 30.0, "calibration_max_us": 90.0, "calibration_stamp": "kernel", "calibration_tls": False,
    }  # fmt: skip

    assert [expected] == records(every_kind, "health")


def test_a_bottleneck_is_a_column_of_the_race(tmp_path):
    gap = Gap(t=5, reason="the disk stalled", chunks=3, lane=3)
    connection = connect(write_log(tmp_path / "lost.rlog", [*EVERY_KIND, gap]))

    rows = connection.execute("select client_limited, client_limited_reason from races").fetchall()

    assert rows == [(True, "the recorder lost 3 chunks and 0 events of e3")]


def test_standings_tell_each_second_and_the_end(tmp_path):
    race = ScriptedRace([Plan("slow", requests=2), Plan("fast", ttft_ms=40, requests=2)])
    connection = connect(race.write_file(tmp_path / "race.rlog"))

    rows = connection.execute(
        "select position_s, lane_id, place, ttft_p50_ms, ok, output_tokens, status from standings"
    ).fetchall()

    assert rows == [
        (0.0, 0, None, None, 0, 0, "racing"), (0.0, 1, None, None, 0, 0, "racing"),
        (0.48, 1, 1, 40.0, 2, 16, "finished"), (0.48, 0, 2, 100.0, 2, 16, "finished"),
    ]  # fmt: skip


@pytest.mark.parametrize("seconds", [0, 1, 3600, 3601, 1 << 32])
def test_standings_never_come_by_the_million(seconds):
    positions = standing_positions(seconds * NS_PER_S)

    assert len(positions) <= MOST_STANDINGS + 1
    assert positions == sorted(set(positions))


def test_a_mark_is_one_row(every_kind):
    assert every_kind.execute("from marks").fetchall() == [(RACE_ID, 3, "here", "user")]


@pytest.mark.parametrize("table", TABLES)
def test_an_empty_home_has_every_table_with_the_declared_types(table):
    declared = [(column.name, column.type) for column in TABLES[table]]

    rows = connect().execute(f"describe {table}").fetchall()

    assert declared == [row[:2] for row in rows]
    assert connect().execute(f"from {table}").fetchall() == []


def test_a_column_explains_itself(every_kind):
    query = "select comment from duckdb_columns() where table_name = 'requests' and column_name = 'ttft_ms'"

    assert every_kind.execute(query).fetchall() == [("first token chunk minus sent",)]


def test_the_query_of_the_readme_answers_as_printed(tmp_path):
    race = ScriptedRace([Plan("slow"), Plan("fast", ttft_ms=40, gap_ms=11, fail=(2,))])
    connection = connect(race.write_file(tmp_path / "race.rlog"))

    rows = sorted(connection.execute(ISSUE_QUERY).fetchall())

    assert rows == [("fast", 4, 40.0, 11.0, 24), ("slow", 4, 100.0, 20.0, 32)]


def test_sql_and_the_summary_agree_on_every_quantile(tmp_path):
    path = ScriptedRace([Plan("a", gap_ms=7.3, requests=5), Plan("b", ttft_ms=33.3, fail=(0,))]).write_file(
        tmp_path / "race.rlog"
    )
    lanes = msgspec.to_builtins(race_summary(Replay(RaceTracks(open_log(path).events))))["lanes"]

    rows = connect(path).execute(
        "select lane_id, median(ttft_ms), median(tpot_ms), quantile_cont(e2e_ms, 0.9), quantile_cont(e2e_ms, 0.99) "
        "from requests where phase = 'race' and status = 'ok' group by 1 order by 1"
    )

    expected = [
        (s["lane"], s["ttft_ms"]["p50"], s["tpot_ms"]["p50"], s["e2e_ms"]["p90"], s["e2e_ms"]["p99"])
        for s in lanes
    ]
    assert expected == [pytest.approx(row) for row in rows.fetchall()]
