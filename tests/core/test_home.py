"""Where races live, and how a RACE argument finds one."""

import os
import re
import stat
from pathlib import Path

import pytest

from racelog.errors import InputError, RaceNotFound
from racelog.home import IMPORTED, find_race, home_folder, new_race_id, note_import, own_folder, stored_races

OLD, MID, NEW = "20261119-080000-aaaaaaaa", "20261121-013000-0a1b2c3d", "20261121-090000-bbbbbbbb"


@pytest.fixture
def stocked(home: Path) -> Path:
    races = home / "races"
    races.mkdir(parents=True)
    (races / f"{OLD}.rlog").touch()
    (races / f"{MID}.live").mkdir()
    (races / f"{NEW}.rlog").touch()
    return home


def test_the_home_is_what_is_asked_for_else_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RACELOG_HOME", "/from/environment")

    assert [Path("/asked"), Path("/from/environment")] == [home_folder("/asked"), home_folder()]


def test_a_tilde_is_the_user_s_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/users/ada")

    assert home_folder("~/races") == Path("/users/ada/races")


def test_without_either_it_is_the_platform_s_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RACELOG_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")

    assert home_folder().name == "racelog"


def test_a_race_id_is_its_utc_start_and_chance() -> None:
    ids = {new_race_id(1_795_224_600_000_000_000) for _ in range(20)}

    assert len(ids) == 20
    assert all(re.fullmatch(r"20261121-013000-[0-9a-f]{8}", race_id) for race_id in ids)


def test_races_are_listed_newest_first(stocked: Path) -> None:
    assert [(race.race_id, race.sealed) for race in stored_races(stocked)] == [
        (NEW, True),
        (MID, False),
        (OLD, True),
    ]


def test_a_sealed_race_hides_its_leftover_segments(stocked: Path) -> None:
    (stocked / "races" / f"{MID}.rlog").touch()

    assert [race.sealed for race in stored_races(stocked) if race.race_id == MID] == [True]


def test_other_files_are_no_races(stocked: Path) -> None:
    (stocked / "races" / "notes.txt").touch()
    (stocked / "races" / "x.rlog.sealing").touch()
    (stocked / "races" / "file.live").touch()

    assert len(stored_races(stocked)) == 3


def test_a_home_that_is_not_there_has_no_races(tmp_path: Path) -> None:
    assert stored_races(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("race", "name"),
    [
        ("latest", f"{NEW}.rlog"),
        (OLD, f"{OLD}.rlog"),
        ("20261119", f"{OLD}.rlog"),
        ("20261121-01", f"{MID}.live"),
    ],
)
def test_a_race_is_found_by_latest_id_or_prefix(stocked: Path, race: str, name: str) -> None:
    assert find_race(race, stocked) == stocked / "races" / name


def test_a_path_is_a_path(tmp_path: Path, stocked: Path) -> None:
    path = tmp_path / "elsewhere.rlog"
    path.touch()

    assert find_race(str(path), stocked) == path


def test_an_ambiguous_prefix_lists_what_it_fits(stocked: Path) -> None:
    with pytest.raises(InputError, match=f"'20261121' fits 2 races \\({NEW}, {MID}\\); give a longer prefix"):
        find_race("20261121", stocked)


def test_an_id_that_is_also_a_prefix_of_another_is_itself(stocked: Path) -> None:
    (stocked / "races" / f"{OLD}0.rlog").touch()

    assert find_race(OLD, stocked) == stocked / "races" / f"{OLD}.rlog"


def test_a_missing_race_tells_of_the_newest_and_how_to_list(stocked: Path) -> None:
    with pytest.raises(RaceNotFound, match=f"no race 'zebra' in .*; the newest are {NEW}.*racelog ls"):
        find_race("zebra", stocked)


def test_a_missing_path_says_so(stocked: Path) -> None:
    with pytest.raises(RaceNotFound, match=r"no log at /nowhere/x\.rlog"):
        find_race("/nowhere/x.rlog", stocked)


def test_a_url_is_told_where_it_can_be_read(stocked: Path) -> None:
    with pytest.raises(
        RaceNotFound, match=r"https://e\.co/x\.rlog is a URL, which racelog sql and racelog shell read"
    ):
        find_race("https://e.co/x.rlog", stocked)


def test_an_empty_home_tells_how_to_record(home: Path) -> None:
    with pytest.raises(RaceNotFound, match="Record one: racelog record"):
        find_race("latest", home)


@pytest.mark.parametrize("race", ["select 1 " * 100, "a\0b"])
def test_a_text_that_can_be_no_path_is_no_race(stocked: Path, race: str) -> None:
    with pytest.raises(RaceNotFound):
        find_race(race, stocked)


AFTER_MID_NS, AFTER_NEW_NS = 1_795_225_000_000_000_000, 1_795_300_000_000_000_000


def test_latest_is_what_was_imported_last(stocked: Path) -> None:
    note_import(stocked, OLD, AFTER_NEW_NS)

    assert find_race("latest", stocked) == stocked / "races" / f"{OLD}.rlog"


def test_an_imported_race_takes_its_place_by_when_it_came(stocked: Path) -> None:
    note_import(stocked, OLD, AFTER_MID_NS)

    assert [race.race_id for race in stored_races(stocked)] == [NEW, OLD, MID]


def test_a_race_that_was_imported_again_came_the_last_time(stocked: Path) -> None:
    note_import(stocked, OLD, AFTER_NEW_NS)
    note_import(stocked, OLD, AFTER_MID_NS)

    assert stored_races(stocked)[0].race_id == NEW


@pytest.mark.parametrize("line", ["", "{", "[]", "null", "{}", '{"race_id": []}', "\x00\xff"], ids=repr)
def test_a_broken_line_of_imports_hides_no_race(line: str, stocked: Path) -> None:
    (stocked / IMPORTED).write_text(f"{line}\n", encoding="latin-1")
    note_import(stocked, OLD, AFTER_NEW_NS)

    assert [race.race_id for race in stored_races(stocked)] == [OLD, NEW, MID]


def test_folders_of_our_own_are_their_owners_alone_whatever_the_umask(tmp_path):
    tmp_path.chmod(0o755)
    before = os.umask(0)
    try:
        own_folder(tmp_path / "home" / "cache" / "v1")
    finally:
        os.umask(before)
    made = [tmp_path, *(tmp_path / name for name in ("home", "home/cache", "home/cache/v1"))]

    assert [oct(stat.S_IMODE(folder.stat().st_mode)) for folder in made] == [
        "0o755",
        "0o700",
        "0o700",
        "0o700",
    ]


def test_a_file_where_a_folder_of_ours_should_be_is_an_error(tmp_path):
    (tmp_path / "home").touch()

    with pytest.raises(OSError, match="home"):
        own_folder(tmp_path / "home")
