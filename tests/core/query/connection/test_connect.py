"""Which races a connection holds, what it says of those it could not read, and how far it can reach."""

import duckdb
import pytest

import racelog
from racelog.cli import run
from racelog.errors import LogError, NotALog, RaceNotFound
from racelog.events import AnyEvent, LaneFacts, Mark
from racelog.query.connection.connect import RaceWarning, load_races
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from tests.core.query.recorded import store, write_log

RACE = ScriptedRace([Plan("a", requests=2, tokens=3)])
OLDER, NEWER = "20261120-010101-00000001", "20261122-010101-00000002"


def race_ids(connection):
    return connection.execute("select race_id from races order by all").fetchall()


@pytest.fixture
def two_races(home):
    return store(home, RACE, OLDER), store(home, RACE, NEWER)


def test_every_race_of_the_home_is_there_when_none_is_named(two_races):
    assert race_ids(racelog.connect()) == [(OLDER,), (NEWER,)]


@pytest.mark.parametrize("name", ["latest", NEWER, "20261122"])
def test_a_race_is_named_by_latest_id_or_prefix(two_races, name):
    assert race_ids(racelog.connect(name)) == [(NEWER,)]


def test_a_race_named_twice_is_there_once(two_races):
    assert race_ids(racelog.connect("latest", two_races[1], NEWER)) == [(NEWER,)]


def test_another_home_can_be_given(two_races, tmp_path):
    store(tmp_path / "elsewhere", RACE)

    assert race_ids(racelog.connect(home=tmp_path / "elsewhere")) == [(RACE_ID,)]


def test_a_running_race_is_read_as_far_as_it_got_without_a_complaint(home):
    segments = RACE.write_segments(home / "races" / f"{RACE_ID}.live")
    lane = segments / "lane-0.rlog"
    lane.write_bytes(lane.read_bytes()[: lane.stat().st_size // 2])

    loaded = load_races()

    assert loaded.problems == []
    assert loaded.connection.execute("select status from races").fetchall() == [("unfinished",)]


def test_a_race_that_is_sealed_after_it_was_looked_up_is_found(two_races, monkeypatch):
    monkeypatch.setattr("racelog.query.sources.homes.find_race", lambda *_: two_races[1].with_suffix(".live"))

    assert race_ids(racelog.connect("latest")) == [(NEWER,)]


def test_a_copy_of_a_race_is_told_and_left_out(two_races, tmp_path):
    copy = tmp_path / "copy.rlog"
    copy.write_bytes(two_races[0].read_bytes())

    loaded = load_races(OLDER, copy)

    assert [f"{copy} was skipped: it is race {OLDER}, as {two_races[0]} is"] == loaded.problems
    assert loaded.connection.execute("select count(*) from lanes").fetchall() == [(1,)]


def test_an_unreadable_race_is_warned_of_and_the_rest_loads(two_races):
    two_races[0].write_bytes(b"no log at all")

    with pytest.warns(RaceWarning, match=f"{OLDER}.rlog was skipped: it is not a racelog file"):
        connection = racelog.connect()

    assert race_ids(connection) == [(NEWER,)]


def test_a_damaged_race_is_warned_of_and_loads_as_far_as_it_reads(home, tmp_path):
    path = RACE.write_file(tmp_path / "race.rlog")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    with pytest.warns(RaceWarning, match=r"is damaged: race.rlog: [\d,]+ bytes at offset [\d,]+"):
        connection = racelog.connect(path)

    ((damaged,),) = connection.execute("select damaged_bytes from races").fetchall()
    assert 0 < damaged < len(data)


def test_naming_only_races_that_cannot_be_read_is_an_error(tmp_path):
    path = tmp_path / "no.rlog"
    path.write_bytes(b"no log at all")

    with pytest.raises(NotALog, match=r"no\.rlog is not a racelog file"):
        racelog.connect(path)


def test_naming_a_race_that_is_not_there_is_an_error(two_races):
    with pytest.raises(RaceNotFound, match="no race '1999'"):
        racelog.connect("1999")


def test_a_value_that_fits_no_column_leaves_its_race_out_whole(tmp_path):
    events: list[AnyEvent] = [
        LaneFacts(t=0, lane=1 << 40, engine="e", model="m", url="u"),
        Mark(t=0, label="x"),
    ]
    path = write_log(tmp_path / "wide.rlog", events)

    with pytest.raises(LogError, match="a value does not fit its column"):
        racelog.connect(path)


@pytest.mark.parametrize(
    "statement",
    [
        "from read_csv('/etc/passwd')",
        "from '/etc/passwd'",
        "from read_text('/etc/passwd')",
        "from glob('/etc/*')",
        "copy marks to '{out}'",
        "copy (select 1) to '{out}' (format parquet)",
        "attach '{out}' as other",
        "export database '{out}'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "reset temp_directory",
        "from secret_of_the_caller",
    ],
)
def test_a_connection_reaches_no_file_no_extension_and_no_variable(statement, tmp_path):
    out = tmp_path / "out"
    secret_of_the_caller = {"column": [1]}
    connection = racelog.connect()

    with pytest.raises(duckdb.Error):
        connection.execute(statement.format(out=out))

    assert not out.exists()
    assert secret_of_the_caller


def test_a_pattern_stands_for_every_log_that_matches(home, tmp_path):
    for number in range(3):
        store(tmp_path / f"run{number}", RACE, f"2026112{number}-010101-00000001")
    (tmp_path / "run0" / "races" / "notes.txt").write_text("no log")

    connection = racelog.connect(f"{tmp_path}/run[01]/**/*")

    assert race_ids(connection) == [("20261120-010101-00000001",), ("20261121-010101-00000001",)]


def test_a_pattern_without_a_match_is_an_error(tmp_path):
    with pytest.raises(RaceNotFound, match="no log matches"):
        racelog.connect(f"{tmp_path}/*.rlog")


def test_several_homes_are_one(home, tmp_path, capfd):
    store(tmp_path / "one", RACE, OLDER)
    store(tmp_path / "two", RACE, NEWER)
    homes = [tmp_path / "one", tmp_path / "two"]

    assert race_ids(racelog.connect(home=homes)) == [(OLDER,), (NEWER,)]
    assert race_ids(racelog.connect("latest", home=homes)) == [(NEWER,)]
    assert race_ids(racelog.connect("20261122", home=homes)) == [(NEWER,)]
    assert (
        run(
            [
                "sql",
                "-f",
                "csv",
                "select count(*) from races",
                "--home",
                str(homes[0]),
                "--home",
                str(homes[1]),
            ]
        )
        == 0
    )
    assert capfd.readouterr().out.split() == ["count_star()", "2"]
