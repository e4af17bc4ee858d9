"""A disk that fills up under any verb that writes a file: one sentence, exit code 4, and the folder is as it was."""

import errno
import os
from pathlib import Path

import pytest

from racelog.cli import run
from racelog.testing.disks import FaultyDisk, Operation, fail_with
from racelog.testing.races import Plan, ScriptedRace

RACE = ScriptedRace([Plan("a", requests=2, tokens=3), Plan("b", requests=2, tokens=3)])

VERBS = {
    "cut": ("race.rlog", "--lane", "0", "-o", "out/part.rlog"),
    "merge": ("live.live/lane-0.rlog", "race.rlog", "-o", "out/merged.rlog"),
    "recover": ("race.rlog", "-o", "out/whole.rlog"),
    "recover torn": ("torn.rlog", "-o", "out/whole.rlog"),
    "recover in place": ("live.live",),
    "compact": ("race.rlog", "-o", "out/small.rlog"),
    "compact in place": ("live.live",),
    "card": ("race.rlog", "-o", "out/card.png"),
    "export csv": ("race.rlog", "-f", "csv", "-o", "out"),
    "export jsonl": ("race.rlog", "-f", "jsonl", "-o", "out"),
    "export parquet": ("race.rlog", "-f", "parquet", "-o", "out"),
    "export md": ("race.rlog", "-f", "md", "-o", "out"),
    "export har": ("race.rlog", "-f", "har", "-o", "out"),
    "sql": ("from requests", "race.rlog", "--no-cache", "-o", "out/rows.csv"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a race in each state, and one to write into."""
    place = tmp_path / "disk"
    (place / "out").mkdir(parents=True)
    RACE.write_segments(place / "live.live")
    RACE.write_file(place / "race.rlog")
    (place / "torn.rlog").write_bytes((place / "race.rlog").read_bytes() + b"torn")
    monkeypatch.chdir(place)
    return place


def held(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def whole(folder: Path, arguments: tuple[str, ...]) -> list[str]:
    """Return arguments with whole paths, by which a faulty disk knows its files."""
    return [
        str(folder / one) if "/" in one or one.endswith((".rlog", ".live")) or one == "out" else one
        for one in arguments
    ]


LOGS = [
    verb for verb in VERBS if verb.split(maxsplit=1)[0] in {"cut", "recover", "compact"} and verb != "recover"
]
"""What writes units of its own; a whole log is recovered, and the units of two are merged, by copying."""

FAULTS: list[tuple[str, Operation]] = [
    *((verb, "write") for verb in LOGS), *((verb, "fsync") for verb in VERBS), *((verb, "rename") for verb in VERBS)
]  # fmt: skip


@pytest.mark.parametrize(("verb", "operation"), FAULTS)
def test_nothing_is_left_over_and_one_sentence_says_why(
    verb: str, operation: Operation, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = held(folder)
    disk = FaultyDisk(folder, kind=operation, at=1, action=fail_with(errno.ENOSPC))

    with disk.installed():
        code = run([verb.split(maxsplit=1)[0], *whole(folder, VERBS[verb])])

    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("racelog: cannot")]
    assert disk.struck.split()[0] == operation
    assert (code, len(told), ".partial" in told[0], os.strerror(errno.ENOSPC) in told[0]) == (
        4,
        1,
        False,
        True,
    )
    assert held(folder) == before


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_of_tables_all_are_written_or_none(form: str, folder: Path) -> None:
    disk = FaultyDisk(folder, kind="fsync", at=3, action=fail_with(errno.ENOSPC))

    with disk.installed():
        code = run(["export", str(folder / "race.rlog"), "-f", form, "-o", str(folder / "made" / "below")])

    assert (code, sorted(place.name for place in folder.iterdir())) == (
        4,
        ["live.live", "out", "race.rlog", "torn.rlog"],
    )
