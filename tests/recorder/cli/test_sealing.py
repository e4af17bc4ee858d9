"""What becomes of a race's segments when the race was told to stop, however long it was."""

from pathlib import Path

import pytest

from racelog.events import Head
from racelog.log.read.reader import open_log
from racelog.log.rows.fingerprint import fingerprint
from racelog.testing.races import Plan, ScriptedRace
from racelog_recorder.cli import sealing
from racelog_recorder.cli.sealing import seal_race
from racelog_recorder.conductor.paths import Paths

RACE = ScriptedRace([Plan("a", requests=3, tokens=6)])


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(RACE.write_segments(tmp_path / "race.live", per_unit=2), tmp_path / "race.rlog")


def roles(path: Path) -> list[str]:
    return [head.role for head in open_log(path).of(Head)]


@pytest.mark.parametrize("stopped", [False, True], ids=["raced to its end", "stopped"])
def test_a_short_race_is_packed_whether_it_was_stopped_or_not(paths: Paths, *, stopped: bool) -> None:
    assert seal_race(paths, lambda: stopped, quiet=True)
    assert roles(paths.sealed) == ["seal"]


def test_a_long_race_that_raced_to_its_end_is_packed(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "AT_STOP_BYTES", 0)

    assert seal_race(paths, lambda: False, quiet=True)
    assert roles(paths.sealed) == ["seal"]


@pytest.mark.parametrize("asked", [1, 2, 5], ids=["before", "as sealing begins", "while it is sealed"])
def test_a_long_race_that_is_stopped_is_one_file_with_the_same_facts_and_nothing_is_left_beside_it(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, asked: int
) -> None:
    monkeypatch.setattr(sealing, "AT_STOP_BYTES", 0)
    facts = fingerprint(open_log(paths.live).events)
    questions = iter(range(1, 100))

    packed = seal_race(paths, lambda: next(questions) >= asked, quiet=True)

    assert (packed, fingerprint(open_log(paths.sealed).events)) == (False, facts)
    assert roles(paths.sealed) == ["conductor", "lane"]
    assert [file.name for file in paths.sealed.parent.iterdir()] == ["race.rlog"]
