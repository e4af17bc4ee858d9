"""A query's memory is bounded, it spills into the cache's own folder, and one that needs more says so."""

import os
from pathlib import Path

import pytest

import racelog
from racelog.cli import run
from racelog.errors import InputError
from racelog.query.connection.connect import load_races
from racelog.query.connection.memory import (
    LEAST_BYTES,
    SHARE,
    VARIABLE,
    memory_limit_bytes,
    spill_folder,
    there_is_bytes,
)
from racelog.testing.races import Plan, ScriptedRace
from tests.core.query.recorded import store

GIB = 1 << 30


@pytest.fixture
def race(home: Path) -> Path:
    return store(home, ScriptedRace([Plan("a", requests=1, tokens=2)]))


def groups(tmp_path: Path, own: str, **limits: str) -> dict[str, Path]:
    for place, limit in limits.items():
        file = tmp_path / "groups" / place.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / file.name.replace("_max", ".max").replace("_limit", ".limit_in_bytes")).write_text(
            limit
        )
    (tmp_path / "own").write_text(own)
    return {"groups": tmp_path / "groups", "own": tmp_path / "own"}


def test_the_narrowest_group_around_the_process_counts(tmp_path: Path) -> None:
    places = groups(tmp_path, "0::/job/step\n", job__memory_max=f"{GIB}\n", job__step__memory_max="max\n")

    assert there_is_bytes(**places) == GIB


def test_a_group_of_the_first_version_counts(tmp_path: Path) -> None:
    places = groups(tmp_path, "5:cpu:/x\n4:memory:/job\n", memory__job__memory_limit=f"{GIB}\n")

    assert there_is_bytes(**places) == GIB


def test_without_groups_it_is_the_machine(tmp_path: Path) -> None:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    assert there_is_bytes(tmp_path, tmp_path / "none") == machine


@pytest.mark.parametrize(
    ("asked", "limit"),
    [
        ("4GiB", 4 * GIB),
        ("500MB", 500_000_000),
        ("1.5 Gi", 3 * GIB // 2),
        ("1000000000", 1_000_000_000),
        ("1K", LEAST_BYTES),
    ],
)
def test_a_variable_says_another_limit(asked: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, asked)

    assert memory_limit_bytes() == limit


def test_a_share_of_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    usual = memory_limit_bytes()
    monkeypatch.setenv(VARIABLE, f"{100 * SHARE}%")

    assert memory_limit_bytes() == usual


@pytest.mark.parametrize("asked", ["much", "-1GB", "0", "4 GB of it"])
def test_what_is_no_size_is_refused_by_name(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, asked)

    with pytest.raises(InputError, match=f"{VARIABLE} is '{asked}'.*4GiB"):
        memory_limit_bytes()


def test_a_query_beyond_its_memory_says_so_and_how_to_allow_more(
    race: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "128MiB")

    assert run(["sql", "select length(string_agg(repeat('x', 1000) || i, '')) from range(1000000) t(i)"]) == 2

    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "more than the 128 MiB of memory it may take" in err
    assert f"{VARIABLE}=8GiB" in err


def test_a_large_sort_spills_into_the_cache_and_leaves_nothing(
    race: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "128MiB")
    loaded = load_races(race, spill=True)
    (folder,) = loaded.connection.execute("select current_setting('temp_directory')").fetchone() or ("",)

    rows = loaded.connection.execute(
        "select i from range(12000000) t(i) order by hash(i), i limit 1 offset 11000000"
    ).fetchall()

    assert len(rows) == 1
    assert Path(folder).parent == home / "cache" / "spill"
    assert (home / "cache" / "spill").stat().st_mode & 0o777 == 0o700
    loaded.connection.close()
    del loaded
    assert list((home / "cache" / "spill").iterdir()) == []


def test_a_bare_connection_has_nowhere_to_write_to(race: Path) -> None:
    assert racelog.connect(race).execute("select current_setting('temp_directory')").fetchone() == ("",)


def test_what_a_crashed_process_spilled_is_swept(home: Path) -> None:
    left = home / "cache" / "spill" / "999999999-dead"
    left.mkdir(parents=True)
    os.utime(left, (0, 0))

    spill_folder(home / "cache")

    assert not left.exists()
