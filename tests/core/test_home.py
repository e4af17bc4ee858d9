"""Where races live, and how a RACE argument finds one."""

import errno
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from racelog.errors import InputError, RaceNotFound
from racelog.home import IMPORTED, find_race, home_folder, new_race_id, note_import, own_folder, stored_races
from racelog.log.format.units import Trailer, UnitKind, encode_unit

UNIT = encode_unit(b"{}\n", Trailer(kind=UnitKind.DATA, writer=1, seq=0, t_min=0, t_max=0, n_events=1))
OLD, MID, NEW = "20261119-080000-aaaaaaaa", "20261121-013000-0a1b2c3d", "20261121-090000-bbbbbbbb"


@pytest.fixture
def stocked(home: Path) -> Path:
    races = home / "races"
    (races / f"{MID}.live").mkdir(parents=True)
    for name in (f"{OLD}.rlog", f"{MID}.live/000-conductor.rlog", f"{NEW}.rlog"):
        (races / name).write_bytes(UNIT)
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


NEWER = "20261122-000000-cccccccc"


def test_a_file_without_a_unit_is_not_the_latest_race(stocked: Path) -> None:
    (stocked / "races" / f"{NEWER}.rlog").touch()
    (stocked / "races" / f"{NEWER}0.rlog").write_bytes(b"nothing of ours")

    assert find_race("latest", stocked) == stocked / "races" / f"{NEW}.rlog"


@pytest.mark.parametrize("segments", [(), ("000-conductor.rlog",)])
def test_a_running_race_that_has_written_nothing_is_not_the_latest_one(
    stocked: Path, segments: tuple[str, ...]
) -> None:
    live = stocked / "races" / f"{NEWER}.live"
    live.mkdir()
    for name in segments:
        (live / name).touch()

    assert find_race("latest", stocked) == stocked / "races" / f"{NEW}.rlog"


def test_a_damaged_file_is_the_latest_race_while_any_unit_is_marked_in_it(stocked: Path) -> None:
    damaged = stocked / "races" / f"{NEWER}.rlog"
    damaged.write_bytes(b"\0" * ((1 << 20) - len(UNIT) + 60) + UNIT)

    assert find_race("latest", stocked) == damaged


def test_where_no_file_holds_a_unit_there_is_no_latest_race(home: Path) -> None:
    (home / "races").mkdir(parents=True)
    (home / "races" / f"{NEWER}.rlog").touch()

    with pytest.raises(RaceNotFound, match=r"nothing in .*/races holds a unit of a log\. See .*: racelog ls"):
        find_race("latest", home)


def test_a_race_without_a_unit_is_found_by_its_id(stocked: Path) -> None:
    (stocked / "races" / f"{NEWER}.rlog").touch()

    assert find_race(NEWER, stocked) == stocked / "races" / f"{NEWER}.rlog"


def _file(home: Path) -> None:
    home.write_text("mine")


def _loop(home: Path) -> None:
    home.symlink_to(home)


def _link_to_nothing(home: Path) -> None:
    home.symlink_to("/nowhere/at/all")


def _races_is_a_file(home: Path) -> None:
    home.mkdir()
    (home / "races").write_text("mine")


def _races_is_a_loop(home: Path) -> None:
    home.mkdir()
    (home / "races").symlink_to("races")


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (_file, "{home} is a file, not a folder"),
        (_loop, "{home} is a link that leads nowhere"),
        (_link_to_nothing, "{home} is a link that leads nowhere"),
        (_races_is_a_file, "{home}/races is a file, not a folder"),
        (_races_is_a_loop, "{home}/races is a link that leads nowhere"),
    ],
)
def test_a_home_that_is_no_folder_is_named_with_what_it_is(
    make: Callable[[Path], None], wrong: str, tmp_path: Path
) -> None:
    home = tmp_path / "odd"
    make(home)

    with pytest.raises(InputError) as caught:
        stored_races(home)

    assert str(caught.value) == (
        f"no race can be looked for in {home}/races: {wrong.format(home=home)}. "
        "Name another folder: --home or RACELOG_HOME"
    )


def test_a_home_that_may_not_be_read_says_so(stocked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)

    with pytest.raises(InputError, match=r"/races: permission denied\. Name another folder"):
        stored_races(stocked)


def test_races_that_may_be_listed_and_not_looked_at_are_told(
    stocked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.stat

    def refuse(self: Path, **how: bool) -> os.stat_result:
        if self.suffix == ".rlog":
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return real(self, **how)

    monkeypatch.setattr(Path, "stat", refuse)

    with pytest.raises(InputError, match="permission denied"):
        stored_races(stocked)


def test_a_link_that_leads_nowhere_beside_races_hides_none(stocked: Path) -> None:
    (stocked / "races" / f"{NEWER}.rlog").symlink_to("/nowhere/x.rlog")

    assert len(stored_races(stocked)) == 3
