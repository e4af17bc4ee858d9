"""Every saved query runs, says what it is, and answers rightly over a race whose answers are known by hand."""

import re

import pytest

from racelog.cli import run
from racelog.errors import InputError
from racelog.events import AnyEvent, GpuSamples, HostSamples, LaneFacts, RequestScheduled, Tokens
from racelog.query.connection.connect import connect
from racelog.query.connection.statement import run_statement
from racelog.query.contract.saved import bound, listing, saved_queries, saved_query, value_of
from racelog.testing.races import RACE_ID, Plan, ScriptedRace, recorder_readings
from tests.core.query.recorded import MS, store, write_log

QUERIES = saved_queries()
SLOW, FAST = (
    Plan("slow", requests=4, tokens=8, fail=(3,)),
    Plan("fast", ttft_ms=40, gap_ms=10, requests=4, tokens=8),
)


@pytest.fixture
def connection(tmp_path):
    race = ScriptedRace([SLOW, FAST])
    samples: list[AnyEvent] = [
        GpuSamples(t=1000 * MS, source="nvml", device=0, d=[0, 100 * MS], name="H1", util_pct=[10.0, 90.0], power_w=[100.0, 300.0], energy_j=[5.0, 33.0]),
        HostSamples(t=0, process="host", d=[0], cpu_pct=[1.0], rss_mib=[1.0], loop_lag_us=[7.0]),
    ]  # fmt: skip
    return connect(write_log(tmp_path / "race.rlog", [*race.events(), *samples]))


def asked(connection, name, **given):
    query = saved_query(name)
    result = run_statement(connection, query.sql, bound(query, given))
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def columns(rows, *names):
    return [tuple(row[name] for name in names) for row in rows]


@pytest.mark.parametrize("name", QUERIES)
def test_a_saved_query_runs_explains_itself_and_gives_distinct_columns(name, connection):
    query = QUERIES[name]
    result = run_statement(connection, query.sql, query.parameters)
    list(result.rows)

    assert len(set(result.columns)) == len(result.columns)
    assert re.match(r"[A-Z].{30,}[.?]$", query.explanation)
    assert set(re.findall(r"\$(\w+)", query.sql)) == set(query.parameters)


@pytest.mark.parametrize("name", QUERIES)
def test_a_saved_query_answers_the_same_twice(name, connection):
    assert asked(connection, name) == asked(connection, name)


@pytest.mark.parametrize("name", QUERIES)
def test_a_saved_query_runs_over_no_race_at_all(name):
    assert asked(connect(), name) == []


def test_the_leaderboard_ranks_by_median_ttft(connection):
    rows = columns(
        asked(connection, "leaderboard"),
        "engine",
        "requests",
        "ok",
        "ttft_p50_ms",
        "tpot_p50_ms",
        "tokens_per_s",
    )

    assert rows == [
        ("fast", 4, 4, 40.0, 10.0, pytest.approx(32 / 0.44)), ("slow", 4, 3, 100.0, 20.0, pytest.approx(24 / 0.82)),
    ]  # fmt: skip


def test_the_leaderboard_has_who_did_not_finish_below_all_others(tmp_path):
    dead = Plan("dead", ttft_ms=10, requests=4, tokens=8, fail=(1, 2, 3))
    connection = connect(write_log(tmp_path / "race.rlog", ScriptedRace([dead, FAST]).events()))

    assert columns(asked(connection, "leaderboard"), "place", "engine", "dnf") == [
        (1, "fast", None),
        (None, "dead", "1 of 4 requests finished, 25.0 %; the bound is 95 %"),
    ]


def test_the_slowest_tokens_come_with_the_gpu_s_reading_before_them(connection):
    rows = asked(connection, "slowest-tokens", n=3)

    assert columns(rows, "race_id", "engine", "request_id", "seq", "gap_ms", "util_pct") == [
        (RACE_ID, "slow", 0, seq, 20.0, 90.0) for seq in (1, 2, 3)
    ]  # fmt: skip


def test_paired_differences_set_the_same_request_against_itself(connection):
    (row,) = asked(connection, "paired-differences")

    assert (row["engine"], row["against"], row["pairs"]) == ("slow", "fast", 3)
    assert (row["ttft_difference_p50_ms"], row["standard_error_ms"], row["share_slower"]) == (-60.0, 0.0, 0.0)


def test_goodput_takes_its_limits(connection):
    assert columns(asked(connection, "goodput", ttft_ms=50), "engine", "good", "requests") == [
        ("slow", 0, 4),
        ("fast", 4, 4),
    ]
    assert columns(asked(connection, "goodput"), "engine", "good") == [("slow", 3), ("fast", 4)]


def test_cost_is_the_lane_s_time_at_the_price_of_an_hour(connection):
    rows = {row["engine"]: row for row in asked(connection, "cost", per_hour=36)}

    assert rows["fast"]["cost"] == pytest.approx(0.44 / 100)
    assert rows["fast"]["cost_per_million_tokens"] == pytest.approx(0.44 / 100 / 32 * 1e6)


def test_energy_is_the_counter_s_difference(connection):
    (row,) = asked(connection, "energy")

    assert (row["joules"], row["mean_w"], row["joules_per_token"]) == (28.0, 200.0, pytest.approx(28 / 56))


def test_stalls_are_gaps_far_above_the_median(connection):
    assert asked(connection, "stalls") == []
    assert len(asked(connection, "stalls", times=0.5)) == 7 * 7


def test_concurrency_tells_the_time_at_each_level(connection):
    rows = columns(asked(connection, "concurrency"), "engine", "in_flight", "seconds", "share")

    assert rows == [("fast", 1, pytest.approx(0.44), 1.0), ("slow", 1, pytest.approx(0.82), 1.0)]


def test_each_lane_has_the_lag_of_its_own_recorder(tmp_path):
    lags = [
        recorder_readings("slow", loop_lag_us=900.0),
        recorder_readings("fast", loop_lag_us=[float(i) for i in range(100)]),
    ]
    con = connect(write_log(tmp_path / "race.rlog", [*ScriptedRace([SLOW, FAST]).events(), *lags]))

    rows = columns(asked(con, "stamps"), "engine", "chunks", "loop_lag_p99_us")

    told = dict(
        con.execute("SELECT engine, loop_lag_p99_us FROM health JOIN lanes USING (lane_id)").fetchall()
    )
    assert rows == [("fast", 32, told["fast"]), ("slow", 24, 900.0)]
    assert told["fast"] < 100


def test_the_energy_of_two_machines_is_told_apart(tmp_path):
    gpus = [
        GpuSamples(t=1000 * MS, source=source, device=0, d=[0, 100 * MS], energy_j=[5.0, 5.0 + joules])
        for source, joules in (("here", 10.0), ("there", 30.0))
    ]
    con = connect(write_log(tmp_path / "race.rlog", [*ScriptedRace([SLOW, FAST]).events(), *gpus]))

    assert columns(asked(con, "energy"), "source", "device", "joules") == [
        ("here", 0, 10.0),
        ("there", 0, 30.0),
    ]


def test_prompt_lengths_of_two_races_are_told_apart(home):
    for race_id, ttft_ms in (("20261101-000000-00000001", 10), ("20261102-000000-00000002", 30)):
        store(home, ScriptedRace([Plan("a", ttft_ms=ttft_ms)]), race_id)

    rows = columns(asked(connect(), "ttft-by-prompt-length"), "race_id", "ttft_p50_ms")

    assert rows == [("20261101-000000-00000001", 10.0), ("20261102-000000-00000002", 30.0)]


@pytest.fixture
def warmed_up(tmp_path):
    """Return a connection over a race whose first request of the lane is of the warm-up, and slow."""
    events = [
        RequestScheduled(t=e.t, lane=e.lane, req=e.req, prompt=e.prompt, phase="warmup")
        if isinstance(e, RequestScheduled) and e.req == 0
        else e
        for e in ScriptedRace([Plan("a", requests=2, tokens=4)]).events()
    ]
    return connect(write_log(tmp_path / "race.rlog", events))


def test_tokens_of_the_warm_up_are_not_the_slowest(warmed_up):
    assert {row["request_id"] for row in asked(warmed_up, "slowest-tokens")} == {1}


def test_gaps_of_the_warm_up_are_no_stalls(warmed_up):
    assert {row["request_id"] for row in asked(warmed_up, "stalls", times=0.5)} == {1}


def test_pairs_without_a_first_token_are_no_pairs(tmp_path):
    events = [
        event
        for event in ScriptedRace([Plan("a", ttft_ms=10), Plan("b", ttft_ms=30)]).events()
        if not (isinstance(event, Tokens) and event.lane == 1 and 2 in event.r)
    ]
    (row,) = asked(connect(write_log(tmp_path / "race.rlog", events)), "paired-differences")

    assert (row["pairs"], row["share_slower"], row["ttft_difference_mean_ms"]) == (3, 1.0, 20.0)


def test_two_kept_tokens_of_a_request_are_no_throughput(tmp_path):
    events = [
        LaneFacts(t=0, lane=0, engine="a", model="m", url="", kept="ends")
        if isinstance(event, LaneFacts)
        else event
        for event in ScriptedRace([Plan("a")]).events()
    ]

    assert asked(connect(write_log(tmp_path / "race.rlog", events)), "tokens-per-second") == []


def test_errors_are_counted_by_kind(connection):
    (row,) = asked(connection, "errors")

    assert row == {
        "race_id": RACE_ID, "engine": "slow", "error_kind": "http", "http_status": 500, "requests": 1, "message": "HTTP 500",
    }  # fmt: skip


def test_tokens_per_second_counts_from_the_lane_s_start(connection):
    rows = columns(asked(connection, "tokens-per-second"), "engine", "second", "chunks")

    assert rows == [("fast", 0, 32), ("slow", 0, 24)]


def test_a_second_without_a_token_counts_as_none(tmp_path):
    connection = connect(
        ScriptedRace([Plan("a", ttft_ms=1500, gap_ms=1500, requests=1, tokens=2)]).write_file(
            tmp_path / "race.rlog"
        )
    )

    rows = columns(asked(connection, "tokens-per-second"), "second", "chunks")

    assert rows == [(0, 0), (1, 1), (2, 0), (3, 1)]


def test_prompt_lengths_are_told_in_powers_of_two(connection):
    rows = columns(
        asked(connection, "ttft-by-prompt-length"), "engine", "input_tokens_from", "requests", "ttft_p50_ms"
    )

    assert rows == [("fast", 4, 4, 40.0), ("slow", 4, 3, 100.0)]


def test_the_lead_changes_once_when_somebody_takes_it(connection):
    assert [row["engine"] for row in asked(connection, "lead-changes")] == ["fast"]


def test_a_parameter_is_what_it_looks_like():
    assert [value_of(text) for text in ("5", "2.5", "fast", "1e3")] == [5, 2.5, "fast", 1000.0]


def test_a_query_that_is_not_saved_lists_those_that_are():
    with pytest.raises(InputError, match=r"no saved query @nothing; there are\n  @concurrency +How many"):
        saved_query("nothing")


def test_a_parameter_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"@cost has no parameter 'per_day'; there are per_hour \(2.5\)"):
        bound(saved_query("cost"), {"per_day": 1})


def test_the_command_runs_a_saved_query_with_parameters(tmp_path, capfd):
    path = ScriptedRace([SLOW, FAST]).write_file(tmp_path / "race.rlog")

    assert run(["sql", "@goodput", str(path), "-p", "ttft_ms=50", "-f", "csv"]) == 0
    assert [line.split(",")[2:4] for line in capfd.readouterr().out.splitlines()[1:]] == [
        ["slow", "0"],
        ["fast", "4"],
    ]


def test_a_parameter_of_a_query_of_one_s_own_is_bound_never_pasted(capfd):
    assert run(["sql", "-f", "jsonl", "select $x as x", "-p", "x=1; drop table races"]) == 0
    assert capfd.readouterr().out == '{"x": "1; drop table races"}\n'


@pytest.mark.parametrize("param", ["ttft_ms", "=5", "a b=1"])
def test_a_parameter_without_a_name_or_value_is_refused(param, capfd):
    assert run(["sql", "select 1", "-p", param]) == 2
    assert "is no NAME=VALUE" in capfd.readouterr().err


def test_the_listing_fits_the_terminal_and_sets_in_what_goes_on():
    lines = listing(80)

    assert max(map(len, lines)) <= 80
    assert {line[:1] for line in lines} == {"@", " "}
    assert [line for line in lines if line.startswith("@goodput")] == [
        "@goodput                Requests per second that meet every service level at"
    ]
