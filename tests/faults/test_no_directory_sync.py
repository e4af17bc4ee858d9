"""A file system that cannot sync a directory, as some network and overlay mounts: everything is written all the same."""

from pathlib import Path

import pytest

from racelog.cli import run
from racelog.log.read.reader import open_log
from racelog.log.write.atomic import publish
from racelog.testing.disks import FaultyDisk, without_directory_sync
from racelog.testing.races import Plan, ScriptedRace
from racelog_player.settings.profile import Profile, keep_profile, load_profile
from racelog_player.settings.settings import recall, remember
from tests.soak.fault_table import Race

RACE = ScriptedRace([Plan("a", requests=2, tokens=3), Plan("b", requests=2, tokens=3)])

VERBS = {
    "cut": ("race.rlog", "--lane", "0", "-o", "part.rlog"),
    "merge": ("live.live/lane-0.rlog", "race.rlog", "-o", "merged.rlog"),
    "recover": ("live.live",),
    "compact": ("live.live",),
    "card": ("race.rlog", "-o", "card.svg"),
    "export": ("race.rlog", "-f", "jsonl", "-o", "."),
    "sql": ("from requests", "race.rlog", "-o", "rows.csv"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    RACE.write_segments(tmp_path / "live.live")
    RACE.write_file(tmp_path / "race.rlog")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def disk(tmp_path: Path) -> FaultyDisk:
    return FaultyDisk(tmp_path, kind="fsync", at=None, action=without_directory_sync)


def test_a_race_is_recorded_and_sealed(tmp_path: Path, disk: FaultyDisk) -> None:
    race = Race(tmp_path)

    with disk.installed():
        race.run()

    assert disk.struck.startswith("fsync")
    assert [file.name for file in tmp_path.iterdir()] == ["race.rlog"]
    assert open_log(race.sealed).report.finished


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_writes_its_file(verb: str, folder: Path, disk: FaultyDisk) -> None:
    with disk.installed():
        code = run([verb, *(str(folder / one) if "." in one else one for one in VERBS[verb])])

    assert (code, [file for file in folder.rglob("*") if ".partial" in file.name]) == (0, [])


def test_a_file_takes_its_name(tmp_path: Path, disk: FaultyDisk) -> None:
    with disk.installed():
        publish(tmp_path / "file", b"old")
        publish(tmp_path / "file", b"new", force=True)

    assert (disk.struck, (tmp_path / "file").read_bytes()) == (f"fsync {tmp_path.name}", b"new")


def test_a_setting_and_what_the_viewer_earned_are_kept(tmp_path: Path, disk: FaultyDisk) -> None:
    profile = Profile(explanations=frozenset({"ttft"}))

    with disk.installed():
        told = remember(tmp_path, "theme", "light")
        keep_profile(tmp_path, profile)

    assert (told, recall(tmp_path)[0].theme, load_profile(tmp_path)) == ("", "light", profile)
    assert disk.struck == f"fsync {tmp_path.name}"
