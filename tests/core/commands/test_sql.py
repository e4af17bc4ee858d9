"""``racelog sql``: what goes to standard output, what to standard error, and the exit status."""

import io
import json

import pytest

from racelog.cli import run
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from tests.core.query.recorded import store
from tests.core.query.test_tables import ISSUE_QUERY


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
