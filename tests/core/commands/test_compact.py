"""``racelog compact``: smaller, proven equal, or as it was."""

import json
import os

import pytest

from racelog.cli import run
from racelog.events import Mark
from racelog.log.read.reader import open_log
from racelog.log.rewrite import rewrite
from racelog.log.rows.fingerprint import fingerprint
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import RACE_ID, Plan, ScriptedRace

RACE = ScriptedRace([Plan("a", requests=3, tokens=6), Plan("b", requests=3, tokens=6)])


@pytest.fixture
def race(tmp_path):
    return RACE.write_file(tmp_path / "race.rlog", per_unit=2)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_by_a_smaller_one_that_holds_the_same(race, tmp_path, capfd):
    before, events = race.stat().st_size, open_log(race).events

    assert run(["compact", str(race)]) == 0
    assert race.stat().st_size < before / 2
    assert fingerprint(events) == fingerprint(open_log(race).events)
    assert names(tmp_path) == ["race.rlog"]
    assert capfd.readouterr().out.startswith(
        f"{race}: {before:,} bytes; {race}: {race.stat().st_size:,} bytes, "
    )


def test_what_is_compact_stays_as_it_is(race, capfd):
    run(["compact", str(race)])
    before = race.read_bytes()
    capfd.readouterr()

    assert run(["compact", str(race), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["replaced"] is False
    assert before == race.read_bytes()


def test_a_race_that_was_never_sealed_is_sealed(home, capfd):
    live = RACE.write_segments(home / "races" / f"{RACE_ID}.live")
    events = open_log(live).events

    assert run(["compact", "latest"]) == 0
    assert names(home / "races") == [f"{RACE_ID}.rlog"]
    assert fingerprint(events) == fingerprint(open_log(home / "races" / f"{RACE_ID}.rlog").events)


def test_with_a_name_the_original_stays(race, tmp_path):
    before = race.read_bytes()

    assert run(["compact", str(race), "-o", str(tmp_path / "small.rlog")]) == 0
    assert before == race.read_bytes()
    assert run(["compact", str(race), "-o", str(tmp_path / "small.rlog")]) == 2


def test_a_link_keeps_pointing_at_the_file(race, tmp_path):
    link = tmp_path / "link.rlog"
    link.symlink_to(race)

    assert run(["compact", str(link)]) == 0
    assert link.is_symlink()
    assert open_log(race).report.units == 3


@pytest.mark.parametrize("harm", [lambda data: data[:-9], lambda data: b"\0" * 9 + data])
def test_a_log_that_is_not_whole_is_refused_and_untouched(race, harm, capfd):
    harmed = harm(race.read_bytes())
    race.write_bytes(harmed)

    assert run(["compact", str(race)]) == 1
    assert "try: racelog recover" in capfd.readouterr().err
    assert harmed == race.read_bytes()


def test_what_does_not_read_back_equal_replaces_nothing(race, tmp_path, monkeypatch, capfd):
    before = race.read_bytes()
    answers = iter([["what was written"], ["what should have been"]])
    monkeypatch.setattr(rewrite, "fingerprint", lambda _events: next(answers))

    assert run(["compact", str(race)]) == 1
    assert "does not read back equal; nothing was replaced" in capfd.readouterr().err
    assert (before, ["race.rlog"]) == (race.read_bytes(), names(tmp_path))


@pytest.mark.parametrize("fault", ["write", "fsync", "fdatasync"])
def test_a_disk_that_fails_leaves_the_original(race, tmp_path, monkeypatch, fault):
    before = race.read_bytes()

    def refuse(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, fault, refuse)
    assert run(["compact", str(race)]) == 4
    assert (before, ["race.rlog"]) == (race.read_bytes(), names(tmp_path))


def test_a_rename_that_fails_leaves_the_original(race, tmp_path, monkeypatch):
    before = race.read_bytes()

    def refuse(self, target):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    assert run(["compact", str(race)]) == 4
    assert (before, ["race.rlog"]) == (race.read_bytes(), names(tmp_path))


def test_a_race_that_is_being_recorded_is_refused(home, monkeypatch, capfd):
    live = RACE.write_segments(home / "races" / f"{RACE_ID}.live")
    with SegmentWriter(live / "new.rlog", RACE.head(writer=9)) as writer:
        writer.commit([Mark(t=1, label="still at it")])
    monkeypatch.setattr("racelog.log.read.writer_alive._is_racelog", lambda pid: True)

    assert run(["compact", RACE_ID]) == 1
    assert "is still being recorded by process 4242" in capfd.readouterr().err
