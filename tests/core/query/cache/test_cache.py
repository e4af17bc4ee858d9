"""The cache: what it spares, when it is rebuilt, and that everything works without it."""

import os
import shutil
import subprocess
import sys
import threading

import msgspec
import psutil
import pytest

import racelog
from racelog.errors import StorageError
from racelog.events import Mark, RaceFacts
from racelog.log.read.reader import open_log
from racelog.query.cache import cache as cache_module
from racelog.query.cache.cache import Cache
from racelog.query.connection import catalog as catalog_module
from racelog.query.connection.connect import load_races
from racelog.query.connection.files import ReadOnlyFiles
from racelog.query.contract.tables import TABLES
from racelog.query.project.project import race_batches
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from tests.core.query.recorded import EVERY_KIND, store, write_log

RACE = ScriptedRace([Plan("a", requests=2, tokens=3), Plan("b", ttft_ms=30, requests=2, tokens=3)])


def everything(connection):
    return {table: sorted(map(repr, connection.execute(f"from {table}").fetchall())) for table in TABLES}


@pytest.fixture
def logs_read(monkeypatch):
    """Return a list that grows by each log that is read."""
    read = []

    def reading(path):
        read.append(path.name)
        return open_log(path)

    monkeypatch.setattr("racelog.query.connection.connect.open_log", reading)
    return read


def entries(home):
    return sorted(home.glob("cache/v*/*/entry.json"))


def zeroed(file):
    """Leave a file its size and nothing else, as a power failure may."""
    file.write_bytes(bytes(file.stat().st_size))


def test_a_log_is_read_once(home, logs_read):
    path = store(home, RACE)

    first, second = everything(racelog.connect()), everything(racelog.connect())

    assert logs_read == [path.name]
    assert first == second


def test_cached_rows_are_those_of_the_log(home, tmp_path):
    path = write_log(tmp_path / "every.rlog", EVERY_KIND)
    racelog.connect(path)

    assert everything(racelog.connect(path, cache=False)) == everything(racelog.connect(path))


def test_without_a_cache_nothing_is_kept(home, logs_read):
    store(home, RACE)

    racelog.connect(cache=False)

    assert not (home / "cache").exists()


def test_a_log_that_changed_is_read_anew_even_if_its_size_and_time_did_not(home, logs_read):
    path = store(home, RACE)
    racelog.connect()
    seen = path.stat()
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))

    racelog.connect()

    assert len(logs_read) == 2


def test_another_projection_is_built_anew(home, logs_read, monkeypatch):
    store(home, RACE)
    racelog.connect()
    monkeypatch.setattr(cache_module, "PROJECTION", cache_module.PROJECTION + 1)

    racelog.connect()

    assert len(logs_read) == 2


@pytest.mark.parametrize(
    "harm",
    [
        lambda entry: entry.write_bytes(b"not json"),
        lambda entry: entry.unlink(),
        lambda entry: (entry.parent / "tokens.parquet").unlink(),
        lambda entry: (entry.parent / "tokens.parquet").write_bytes(b"PAR1"),
        lambda entry: zeroed(entry.parent / "tokens.parquet"),
        lambda entry: zeroed(entry.parent / "requests.parquet"),
        lambda entry: shutil.rmtree(entry.parent),
        lambda entry: shutil.rmtree(entry.parent.parent.parent),
    ],
)
def test_a_cache_that_was_harmed_or_deleted_is_built_again(home, harm, logs_read):
    store(home, RACE)
    before = everything(racelog.connect())
    harm(entries(home)[0])

    after = everything(racelog.connect())

    assert before == after
    assert len(logs_read) == 2
    assert len(entries(home)) == 1


def test_an_open_connection_outlives_the_cache_being_built_anew(home):
    path = store(home, RACE)
    connection = racelog.connect()
    os.utime(path)

    racelog.connect()

    assert connection.execute("select count(*) from tokens").fetchall() == [(12,)]
    assert len(entries(home)) == 2


def test_an_earlier_state_is_swept_once_nobody_can_be_reading_it(home, monkeypatch):
    path = store(home, RACE)
    racelog.connect()
    monkeypatch.setattr(cache_module, "GRACE_S", -1)
    os.utime(path)

    racelog.connect()

    assert len(entries(home)) == 1


def test_a_cache_that_cannot_be_written_is_told_once_and_everything_is_there(home):
    for number in range(2):
        store(home, RACE, f"20261121-01300{number}-0a1b2c3d")
    (home / "cache").write_text("in the way")

    loaded = load_races()

    assert len(loaded.problems) == 1
    assert loaded.problems[0].startswith(
        "nothing is cached, so every question reads the logs again: cannot write"
    )
    assert loaded.connection.execute("select count(*) from tokens").fetchall() == [(24,)]


def test_a_running_race_is_never_cached_and_grows_between_questions(home):
    live = RACE.write_segments(home / "races" / f"{RACE_ID}.live", per_unit=1)
    lane = live / "lane-1.rlog"
    whole = lane.read_bytes()
    lane.write_bytes(whole[: len(whole) // 2])
    before = racelog.connect().execute("select count(*) from tokens").fetchall()
    lane.write_bytes(whole[:-1])

    after = racelog.connect().execute("select count(*) from tokens").fetchall()

    assert before < after == [(12,)]
    assert entries(home) == []


def test_a_race_whose_recorder_was_killed_is_cached_once_it_is_quiet(home, logs_read):
    path = write_log(home / "races" / f"{RACE_ID}.rlog", [*RACE.events()], finish=False)
    os.utime(path, (1, 1))

    racelog.connect()
    racelog.connect()

    assert len(logs_read) == 1


def test_a_running_and_a_cached_race_stand_side_by_side(home):
    store(home, RACE, "20261120-010101-00000001")
    write_log(
        home / "races" / "20261122-010101-00000002.rlog",
        [Mark(t=1, label="live")],
        race_id="20261122-010101-00000002",
        finish=False,
    )
    racelog.connect()

    rows = racelog.connect().execute(
        "select races.race_id, label from races left join marks using (race_id) order by 1"
    )

    assert rows.fetchall() == [("20261120-010101-00000001", None), ("20261122-010101-00000002", "live")]


def test_what_is_damaged_is_told_from_the_cache_too(home, tmp_path):
    path = RACE.write_file(tmp_path / "race.rlog")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    first, second = load_races(path), load_races(path)

    assert first.problems == second.problems
    assert "is damaged" in first.problems[0]


def test_many_races_are_packed_once_and_say_the_same(home, monkeypatch):
    for number in range(4):
        store(home, RACE, f"20261121-01300{number}-0a1b2c3d")
    loose = everything(racelog.connect())
    monkeypatch.setattr(catalog_module, "PACK_ABOVE", 3)

    packed, again = everything(racelog.connect()), everything(racelog.connect())

    assert loose == packed == again
    assert len(list(home.glob("cache/v*/*.pack.duckdb"))) == 1


def test_a_pack_that_was_harmed_is_built_again(home, monkeypatch):
    monkeypatch.setattr(catalog_module, "PACK_ABOVE", 1)
    for number in range(3):
        store(home, RACE, f"20261121-01300{number}-0a1b2c3d")
    before = everything(racelog.connect())
    (pack,) = home.glob("cache/v*/*.pack.duckdb")
    zeroed(pack)

    assert everything(racelog.connect()) == before


def test_a_broken_cache_that_cannot_be_mended_says_how_to_do_without(home, monkeypatch):
    store(home, RACE)
    racelog.connect()
    zeroed(entries(home)[0].parent / "requests.parquet")
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)  # as on read-only media

    with pytest.raises(StorageError, match="do without: --no-cache"):
        racelog.connect()


def test_two_threads_that_build_the_cache_at_once_agree(home, tmp_path):
    path = store(home, RACE)
    cache = Cache(home)
    kept = []

    def keep():
        log = open_log(path)
        kept.append(cache.keep(cache.name(path), path, race_batches(log), []).entry)

    threads = [threading.Thread(target=keep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(entries(home)) == 1
    assert [msgspec.json.decode(entries(home)[0].read_bytes(), type=type(kept[0]))] * 4 == kept
    assert list(home.glob("cache/v*/.partial-*")) == []


def test_processes_that_build_the_cache_at_once_all_answer(home):
    for number in range(3):
        store(home, RACE, f"20261121-01300{number}-0a1b2c3d")
    asking = [
        subprocess.Popen(
            [sys.executable, "-m", "racelog", "sql", "-f", "csv", "select count(*) from tokens"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]

    assert [process.communicate() for process in asking] == [(b"count_star()\r\n36\r\n", b"")] * 3
    assert len(entries(home)) == 3


def test_questions_hold_no_cached_file_open(home):
    for number in range(4):
        store(home, RACE, f"20261121-01300{number}-0a1b2c3d")
    connection = racelog.connect()

    for _ in range(3):
        connection.execute("select count(*), max(t_ns), max(text) from tokens").fetchall()

    held = [file.path for file in psutil.Process().open_files()]
    assert [file for file in held if file.endswith("tokens.parquet")] == []


def test_a_question_about_one_race_opens_that_races_file_alone(home, monkeypatch):
    for number in range(4):
        store(home, RACE, f"2026112{number}-010101-00000001")
    connection, opened, opening = racelog.connect(), [], ReadOnlyFiles.open

    def noting(files, path, mode="rb", **more):
        opened.append(path)
        return opening(files, path, mode, **more)

    monkeypatch.setattr(ReadOnlyFiles, "open", noting)

    rows = connection.execute(
        "select count(*) from tokens where race_id = (select max(race_id) from races)"
    ).fetchall()

    assert rows == [(12,)]
    assert {path.rpartition("/")[0] for path in opened} == {"racelog://race_id=20261123-010101-00000001"}


@pytest.mark.parametrize(
    "race_id", ["", "a b", "50%25", "x/../y", "race_id=z", "*", "__HIVE_DEFAULT_PARTITION__", "é" * 300]
)
def test_a_race_of_any_id_is_found_by_it(home, race_id):
    events = [
        msgspec.structs.replace(event, race_id=race_id) if isinstance(event, RaceFacts) else event
        for event in EVERY_KIND
    ]
    write_log(home / "races" / "odd.rlog", events, race_id=race_id)
    store(home, RACE)
    racelog.connect()

    rows = racelog.connect().execute(
        "select race_id, count(*) from tokens where race_id = ? group by 1", [race_id]
    )

    assert rows.fetchall() == [(race_id, 4)]
