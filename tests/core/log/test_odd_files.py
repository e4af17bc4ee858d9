"""What lies where a log is looked for and is no file: named, passed over, never waited for; and very many segments."""

import os
from pathlib import Path

import pytest

import racelog
from racelog.cli import run
from racelog.log.read.index import MOST_OPEN, LogIndex
from racelog.log.read.reader import open_log
from racelog.testing.races import Plan, ScriptedRace

RACE = ScriptedRace([Plan("a", requests=2, tokens=3)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = RACE.write_segments(tmp_path / "race.live")
    os.mkfifo(folder / "d.rlog")
    (folder / "e.rlog").mkdir()
    (folder / "f.rlog").symlink_to("nowhere")
    return folder


def test_what_is_no_file_among_segments_is_passed_over(folder: Path, tmp_path: Path) -> None:
    alone = RACE.write_segments(tmp_path / "alone")

    assert open_log(folder).events == open_log(alone).events
    with racelog.open(folder) as log:
        assert list(log.select()) == open_log(alone).events


@pytest.mark.parametrize("verb", ["info", "cat", "verify"])
def test_it_is_named(verb: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run([verb, str(folder)]) == 0

    err = capfd.readouterr().err
    for name, kind in (("d", "a pipe"), ("e", "a folder"), ("f", "a link to nothing")):
        assert f"{folder / name}.rlog is {kind}, not a file: passed over" in err


@pytest.mark.parametrize("verb", ["info", "dump", "verify", "play", "card", "sql", "recover"])
def test_a_device_or_a_pipe_is_refused_at_once(
    verb: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    query = ("select 1", "--no-cache") if verb == "sql" else ()

    for path in ("/dev/zero", str(folder / "d.rlog")):
        assert run([verb, *query, path]) == 2
        assert f"{path} is a " in capfd.readouterr().err


def test_segments_by_the_hundred_are_opened_one_at_a_time(tmp_path: Path) -> None:
    folder = RACE.write_segments(tmp_path / "race")
    lane = folder / "lane-0.rlog"
    for number in range(2 * MOST_OPEN):
        (folder / f"copy-{number:03}.rlog").write_bytes(lane.read_bytes())
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0

    with LogIndex(folder) as index:
        opened = len(list(Path("/proc/self/fd").iterdir())) - before if before else MOST_OPEN
        assert opened <= MOST_OPEN
        assert [len(index.read(span)) for span in index.spans] == [1] * len(index)
