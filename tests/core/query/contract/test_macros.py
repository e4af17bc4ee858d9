"""Each peer's numbers, worked out by hand for one request whose every message is known."""

from functools import cache
from itertools import pairwise

import msgspec
import pytest

from racelog.errors import InputError
from racelog.events import (
    AnyEvent,
    LaneFacts,
    LaneStart,
    RaceFacts,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    Tokens,
    Usage,
)
from racelog.query.connection.connect import connect
from racelog.query.connection.statement import run_statement
from racelog.query.contract.macros import DIALECTS
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from tests.core.query.recorded import MS, store, write_log

SENT = 100
ROLE, REASONING, FIRST, SECOND, FINISH, USAGE, END = 110, 120, 150, 170, 175, 176, 180
"""Arrivals in ms; the second content chunk carries two tokens, so there are four in all."""


@pytest.fixture
def answered(tmp_path):
    arrivals = [ROLE, REASONING, FIRST, SECOND, FINISH, USAGE]
    gaps = [0, *((b - a) * MS for a, b in pairwise(arrivals))]
    events: list[AnyEvent] = [
        RaceFacts(t=0, race_id=RACE_ID, name="n", started_at="2026-11-21T01:30:00Z", seed=1),
        LaneFacts(t=0, lane=0, engine="e", model="m", url="u"),
        LaneStart(t=0, lane=0),
        RequestScheduled(t=SENT * MS, lane=0, req=0, prompt=0),
        RequestSent(t=SENT * MS, lane=0, req=0),
        Tokens(t=ROLE * MS, lane=0, r=[0] * 6, d=gaps, x=["", "h", "a", "b c", "", ""], c="orccmm", n=[None, 1, 1, 2, None, None]),
        Usage(t=USAGE * MS, lane=0, req=0, input_tokens=1, output_tokens=4),
        RequestEnd(t=END * MS, lane=0, req=0, status="ok"),
    ]  # fmt: skip
    return connect(write_log(tmp_path / "race.rlog", events))


EXPECTED: dict[str, dict[str, list[float]]] = {
    "vllm_bench": {
        "ttft": [ROLE - SENT], "tpot": [(FINISH - ROLE) / 3],
        "itl": [REASONING - ROLE, FIRST - REASONING, SECOND - FIRST, FINISH - SECOND], "e2el": [FINISH - SENT],
    },
    "aiperf": {
        "ttft": [REASONING - SENT], "ttfo": [FIRST - SENT], "inter_token_latency": [(SECOND - REASONING) / 3],
        "inter_chunk_latency": [FIRST - REASONING, SECOND - FIRST], "request_latency": [SECOND - SENT],
    },
    "guidellm": {
        "ttft": [REASONING - SENT], "inter_token_latency": [(SECOND - REASONING) / 3] * 3,
        "time_per_output_token": [(SECOND - SENT) / 4] * 4, "request_latency": [END - SENT],
    },
    "genai_perf": {
        "time_to_first_token": [ROLE - SENT], "inter_token_latency": [FIRST - REASONING, (SECOND - FIRST) / 2],
        "request_latency": [END - SENT],
    },
    "llmperf": {
        "ttft": [REASONING - SENT], "inter_token_latency": [(SECOND - SENT) / 3], "end_to_end_latency": [END - SENT],
    },
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialect_reports_what_the_tool_would(dialect, answered):
    rows = answered.execute(f"select metric, n, mean, max, definition from {dialect}('latest')").fetchall()

    assert {metric: (n, mean, most) for metric, n, mean, most, _ in rows} == {
        metric: (len(values), pytest.approx(sum(values) / len(values)), pytest.approx(max(values)))
        for metric, values in EXPECTED[dialect].items()
    }
    assert all(definition for *_, definition in rows)


@pytest.fixture(scope="module")
def asking(tmp_path_factory):
    """Give a function that connects to a home with the races of these ids; each such home is made once."""

    @cache
    def asked(*race_ids):
        home = tmp_path_factory.mktemp("home")
        for race_id in race_ids:
            store(home, ScriptedRace([Plan("a", requests=2, tokens=3, fail=(1,))]), race_id)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RACELOG_HOME", str(home))
            return connect()

    return asked


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialect_takes_an_id_a_prefix_latest_or_all(dialect, asking):
    connection = asking("20261120-010101-00000001", "20261122-010101-00000002")

    def races(argument):
        return connection.execute(f"select distinct race_id from {dialect}({argument}) order by 1").fetchall()

    assert races("") == [("20261120-010101-00000001",), ("20261122-010101-00000002",)]
    assert races("'20261120'") == [("20261120-010101-00000001",)]
    assert races("'latest'") == [("20261122-010101-00000002",)]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("rest", ["", "where metric = 'none'", "where lane_id = 99"])
def test_a_dialect_names_a_race_that_is_not_there_and_those_that_are(dialect, rest, asking):
    connection = asking(*(f"20261120-010101-0000000{number}" for number in range(1, 5)))

    with pytest.raises(InputError) as raised:
        list(run_statement(connection, f"from {dialect}('nosuch') {rest}").rows)

    assert str(raised.value) == (
        "no race 'nosuch' among the 4 here; the newest: "
        "20261120-010101-00000004, 20261120-010101-00000003, 20261120-010101-00000002"
    )


@pytest.mark.parametrize(("race", "named"), [("'nosuch'", "'nosuch'"), ("NULL", "'NULL'")])
def test_a_dialect_says_that_there_is_no_race_at_all(race, named):
    with pytest.raises(InputError, match=f"^no race {named}: there are none here$"):
        list(run_statement(connect(), f"from aiperf({race})").rows)


@pytest.mark.parametrize("race", ["", "'latest'"])
def test_the_latest_and_all_of_no_races_are_no_rows(race):
    assert connect().execute(f"from aiperf({race})").fetchall() == []


@pytest.mark.parametrize("race", ["", "'latest'", "'20261120'"])
def test_a_race_without_an_answer_has_no_rows(race, home):
    store(home, ScriptedRace([Plan("a", tokens=3, requests=1, fail=(0,))]), "20261120-010101-00000001")

    assert connect().execute(f"from vllm_bench({race})").fetchall() == []


def test_guidellm_weighs_by_tokens_and_takes_the_least_value_that_is_reached(home):
    store(home, ScriptedRace([Plan("a", requests=4, tokens=5)]))

    rows = (
        connect()
        .execute("select metric, n, p50, p99 from guidellm() where metric <> 'request_latency'")
        .fetchall()
    )

    assert rows == [
        ("ttft", 4, 100, 100),
        ("inter_token_latency", 16, 20, 20),
        ("time_per_output_token", 20, 36, 36),
    ]


def test_a_lane_of_which_only_the_ends_were_kept_has_no_gaps(tmp_path):
    race = ScriptedRace([Plan("a", requests=2, tokens=2)])
    events = [
        msgspec.structs.replace(event, kept="ends") if isinstance(event, LaneFacts) else event
        for event in race.events()
    ]
    connection = connect(write_log(tmp_path / "ends.rlog", events))

    rows = connection.execute(
        "select metric, n from vllm_bench() union all select metric, n from aiperf() where metric like '%chunk%'"
    ).fetchall()

    assert rows == [("ttft", 2), ("tpot", 2), ("e2el", 2)]


def test_failures_and_open_requests_are_in_no_dialect(home):
    store(home, ScriptedRace([Plan("a", requests=3, tokens=3, fail=(1,))]))

    rows = connect().execute("select n from vllm_bench() where metric = 'ttft'").fetchall()

    assert rows == [(2,)]


def test_a_percentile_macro_is_the_interpolated_quantile():
    query = "select p50(i), p90(i), p95(i), p99(i), p999(i) from range(1001) t(i)"

    assert connect().execute(query).fetchall() == [(500.0, 900.0, 950.0, 990.0, 999.0)]


def test_goodput_counts_what_meets_every_limit_over_the_lane_s_time(home):
    store(home, ScriptedRace([Plan("a", ttft_ms=100, gap_ms=20, requests=4, tokens=3, fail=(1,))]))

    def good(limits):
        return (
            connect().execute(f"select good, requests, share, good_per_s from goodput({limits})").fetchall()
        )

    assert good("") == [(3, 4, 0.75, pytest.approx(3 / 0.52))]
    assert good("most_ttft_ms := 100, most_tpot_ms := 20") == [(3, 4, 0.75, pytest.approx(3 / 0.52))]
    assert good("most_tpot_ms := 19.9") == [(0, 4, 0.0, 0.0)]
    assert good("most_e2e_ms := 139") == [(0, 4, 0.0, 0.0)]
