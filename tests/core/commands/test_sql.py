"""``racelog sql``: what goes to standard output, what to standard error, and the exit status."""

import io
import json

import duckdb
import pytest

from racelog.cli import run
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from tests.core.query.contract.test_tables import ISSUE_QUERY
from tests.core.query.recorded import store


@pytest.fixture
def race(home):
    return store(home, ScriptedRace([Plan("slow"), Plan("fast", ttft_ms=40, gap_ms=11, fail=(2,))]))


def test_the_query_of_the_readme_prints_a_table(race, capfd):
    status = run(["sql", ISSUE_QUERY + " order by 1"])

    assert (status, capfd.readouterr().err) == (0, "")


def test_a_table_lists_engines_with_numbers_set_right(race, capfd):
    run(
        [
            "sql",
            "select engine, median(ttft_ms) as ms from requests join lanes using (race_id, lane_id) group by 1 order by 1",
        ]
    )

    assert capfd.readouterr().out.splitlines() == [
        "engine     ms", "──────  ─────", "fast     40.0", "slow    100.0",
    ]  # fmt: skip


def test_a_query_comes_from_standard_input(race, capfd, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("select race_id from races"))

    run(["sql", "-f", "json", "-"])

    assert json.loads(capfd.readouterr().out) == [{"race_id": RACE_ID}]


def test_only_the_races_named_are_queried(race, home, capfd):
    store(home, ScriptedRace([Plan("other")]), "20261122-000000-00000002")

    run(["sql", "-f", "csv", "select count(*) as races from races", RACE_ID])

    assert capfd.readouterr().out.split() == ["races", "1"]


@pytest.mark.parametrize("query", ["drop table races", "from nowhere", "select 1; select 2", "selec 1", ""])
def test_a_refused_query_exits_2_with_a_message_and_no_traceback(race, query, capfd):
    status = run(["sql", query])

    out, err = capfd.readouterr()
    assert (status, out) == (2, "")
    assert err.startswith("racelog: ")
    assert "Traceback" not in err


def test_an_unknown_race_exits_2(race, capfd):
    assert run(["sql", "select 1", "1999"]) == 2
    assert "no race '1999'" in capfd.readouterr().err


def test_an_unreadable_race_is_one_line_on_standard_error(race, home, capfd):
    (home / "races" / "broken.rlog").write_bytes(b"nothing")

    status = run(["sql", "-f", "csv", "select count(*) from lanes"])

    out, err = capfd.readouterr()
    assert (status, out.split()[1]) == (0, "2")
    assert [line.split(" was skipped")[0] for line in err.splitlines()] == [
        f"racelog: {home}/races/broken.rlog"
    ]


def test_an_empty_home_says_how_to_record(capfd):
    status = run(["sql", "from races"])

    assert status == 0
    assert "Record one: racelog record" in capfd.readouterr().err


def test_a_plan_is_printed_as_it_is_drawn(race, capfd):
    run(["sql", "explain from races"])

    assert len(capfd.readouterr().out.splitlines()) > 3


def test_a_terminal_is_never_driven_by_a_value(race, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    for form in ("table", "csv", "json", "md"):
        run(["sql", "-f", form, "select chr(27) || '[2J' as c, e'\\u009b2J' as d"])

    shown = capsys.readouterr().out.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert "\x1b" not in shown
    assert "\x9b" not in shown


def test_a_result_goes_to_a_file_that_is_not_written_over(race, tmp_path, capfd):
    out = tmp_path / "rows.csv"

    assert run(["sql", "-f", "csv", "-o", str(out), "select 1 as a"]) == 0
    assert run(["sql", "-f", "csv", "-o", str(out), "select 2 as a"]) == 2
    assert out.read_bytes() == b"a\r\n1\r\n"
    assert run(["sql", "-f", "csv", "-o", str(out), "--force", "select 2 as a"]) == 0
    assert out.read_bytes() == b"a\r\n2\r\n"
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("rows.csv", b'a\r\n"1,5"\r\n'),
        ("rows.JSON", b'[\n  {"a": "1,5"}\n]\n'),
        ("rows.jsonl", b'{"a": "1,5"}\n'),
        ("rows.md", b"| a |\n| --- |\n| 1,5 |\n"),
        ("rows.txt", "a\n───\n1,5\n".encode()),
    ],
)
def test_a_file_s_name_tells_the_form(name, written, race, tmp_path):
    assert run(["sql", "-o", str(tmp_path / name), "select '1,5' as a"]) == 0

    assert (tmp_path / name).read_bytes() == written


def test_a_failing_query_leaves_no_file(race, tmp_path):
    out = tmp_path / "rows.csv"

    assert run(["sql", "-f", "csv", "-o", str(out), "select cast(engine as int) from lanes"]) == 2
    assert list(tmp_path.glob("rows*")) == []


def test_json_lines_are_an_object_a_line(race, capfd):
    run(["sql", "-f", "jsonl", "select engine, lane_id from lanes order by 2"])

    assert capfd.readouterr().out == '{"engine": "slow", "lane_id": 0}\n{"engine": "fast", "lane_id": 1}\n'


def test_parquet_keeps_the_types_of_the_query(race, tmp_path, capfd):
    out = tmp_path / "rows.parquet"
    query = "select 1::TINYINT as a, [1, 2] as b, null::DOUBLE as c, {'d': 'x'} as \"d e\", timestamp '2026-01-01' as f, 1.50::DECIMAL(5, 2) as g"

    assert run(["sql", "-f", "parquet", "-o", str(out), query + " from range(20001)"]) == 0

    with duckdb.connect() as reader:
        said = reader.execute(f"describe from '{out}'").fetchall()
        assert [row[:2] for row in said] == [
            ("a", "TINYINT"), ("b", "INTEGER[]"), ("c", "DOUBLE"), ("d e", "STRUCT(d VARCHAR)"), ("f", "TIMESTAMP"),
            ("g", "DECIMAL(5,2)"),
        ]  # fmt: skip
        assert reader.execute(f"select count(*), count(c), sum(b[2]) from '{out}'").fetchall() == [
            (20001, 0, 40002)
        ]


def test_parquet_is_not_for_a_terminal(capfd):
    assert run(["sql", "-f", "parquet", "select 1"]) == 2
    assert "-o rows.parquet" in capfd.readouterr().err
