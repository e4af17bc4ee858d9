"""Hostile queries as data, each sent to the bare connection, which has nobody before it to refuse their kind."""

import hashlib
from pathlib import Path

import duckdb
import pytest

import racelog
from racelog.cli import run
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from tests.core.query.recorded import store

LINES = Path(__file__).with_name("hostile.sql").read_text().splitlines()
ATTACKS = [line for line in LINES if not line.startswith("--")]


def contents(*folders):
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """One home for all that follows, asked twice so that its cache is whole: nothing here may change a byte of it."""
    home = tmp_path_factory.mktemp("asked")
    log = store(home, ScriptedRace([Plan("a", requests=2, tokens=3)]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RACELOG_HOME", str(home))
        racelog.connect().close()  # it makes the cache's folder; the next keeps the empty catalogue there
        racelog.connect().close()
    return home, log


@pytest.fixture(autouse=True)
def home(asked, monkeypatch):
    monkeypatch.setenv("RACELOG_HOME", str(asked[0]))
    return asked[0]


@pytest.fixture
def race(asked):
    return asked[1], racelog.connect()


def filled(attack, log, home, tmp_path):
    (cached,) = home.glob("cache/*/*/tokens.parquet")
    return attack.format(
        out=tmp_path / "out", cache=cached, name=f"race_id={RACE_ID}/{cached.parent.name}.parquet", log=log
    )


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_hostile_query_is_refused_and_changes_nothing(attack, race, home, tmp_path):
    log, connection = race
    secret_of_the_caller = {"column": [1]}
    before = contents(home, tmp_path)
    said = connection.execute("select count(*), sum(t_ns) from tokens").fetchall()

    with pytest.raises(duckdb.Error):
        connection.execute(filled(attack, log, home, tmp_path)).fetchall()

    assert before == contents(home, tmp_path)
    assert said == connection.execute("select count(*), sum(t_ns) from tokens").fetchall()
    assert secret_of_the_caller


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_command_refuses_it_too(attack, asked, home, tmp_path, capfd):
    _, log = asked
    before = contents(home, tmp_path)

    status = run(["sql", "--", filled(attack, log, home, tmp_path)])

    out, err = capfd.readouterr()
    assert (status, out) == (2, "")
    assert "Traceback" not in err
    assert before == contents(home, tmp_path)


def test_a_file_outside_is_not_there_under_any_address(race):
    _, connection = race

    assert connection.execute("from read_text('racelog:///etc/passwd')").fetchall() == []


def test_unsafe_reads_and_writes_files_but_no_race(race, tmp_path, capfd):
    out = tmp_path / "out.csv"

    assert run(["sql", "--unsafe", f"copy (select count(*) as n from tokens) to '{out}'"]) == 0
    assert out.read_text().split() == ["n", "6"]
    assert run(["sql", "--unsafe", "delete from lanes"]) == 2
    assert "reads only" in capfd.readouterr().err


def test_a_connection_still_makes_temporary_tables_of_its_own(race):
    _, connection = race
    connection.execute("create temp table mine as from tokens")

    assert connection.execute("select count(*) from mine").fetchall() == [(6,)]
    assert racelog.connect(RACE_ID).execute("show tables").fetchall()
