"""A reader in another language, written from the page of the format alone, reads what racelog reads."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from racelog.events import Tokens
from racelog.log.format.codec import encode_events
from racelog.log.read.reader import open_log
from racelog.log.rows.chunks import chunk_rows
from tests.foreign.conftest import Tool
from tests.soak.damage import SWEEPS, Sweep
from tests.soak.sweeps import joined_log

READER = Path(__file__).parent / "reader.mjs"
GOLDEN = sorted((READER.parents[1] / "golden").glob("v1/*.rlog"))
SHAPES = ["live", "sealed", "concatenated", "twice", "both forms", "flipped", "torn", "zeros within"]
COUNTED = ["units", "duplicate_units", "events", "chunks"]

Reading = tuple[list[Any], dict[str, Any]]


def foreign(tool: Tool, *arguments: Path | str) -> "subprocess.CompletedProcess[bytes]":
    tool("zstd")
    return subprocess.run([tool("node"), READER, *arguments], capture_output=True, check=False)


def values(lines: bytes) -> list[Any]:
    return [json.loads(line) for line in lines.splitlines()]


def read_all(tool: Tool, paths: list[Path]) -> dict[Path, Reading]:
    """Return every log's events and report, read by one process, one after the other."""
    done = foreign(tool, *paths)
    events, readings = values(done.stdout), {}
    for path, report in zip(paths, values(done.stderr), strict=True):
        count = report.get("events", 0)
        readings[path] = (events[:count], report)
        del events[:count]
    assert not events
    return readings


def expected_report(path: Path) -> dict[str, Any]:
    found = open_log(path).report
    damage = [{"file": lost.file, "offset": lost.offset, "length": lost.length} for lost in found.damage]
    return {key: getattr(found, key) for key in [*COUNTED, "superseded_units"]} | {"damage": damage}


@pytest.fixture(scope="session")
def golden(tool: Tool) -> dict[Path, Reading]:
    return read_all(tool, GOLDEN)


@pytest.fixture(scope="session")
def readings(tool: Tool, logs: dict[str, Path]) -> dict[Path, Reading]:
    return read_all(tool, [logs[shape] for shape in SHAPES])


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_foreign_reader_reads_every_golden_log(golden: dict[Path, Reading], path: Path) -> None:
    told = json.loads(path.with_suffix(".report.json").read_text(encoding="utf-8"))
    damage = [{key: lost[key] for key in ("file", "offset", "length")} for lost in told.get("damage", [])]
    expected = told if "refused" in told else {**{key: told[key] for key in COUNTED}, "damage": damage}
    events, report = golden[path]

    assert values(path.with_suffix(".jsonl").read_bytes()) == events
    assert expected == {key: report.get(key) for key in expected}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_foreign_reader_gives_the_events_that_dump_gives(
    readings: dict[Path, Reading], logs: dict[str, Path], shape: str
) -> None:
    dump = subprocess.run(
        [sys.executable, "-m", "racelog", "dump", logs[shape]], capture_output=True, check=False
    )

    assert dump.returncode in (0, 3), dump.stderr  # 3: with loss, which is told
    assert values(dump.stdout) == readings[logs[shape]][0]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_foreign_reader_gives_every_chunk_its_time_and_text(
    tool: Tool, logs: dict[str, Path], shape: str
) -> None:
    expected = [
        [t, batch.lane, *row] for batch in open_log(logs[shape]).of(Tokens) for t, *row in chunk_rows(batch)
    ]

    assert expected == values(foreign(tool, "--chunks", logs[shape]).stdout)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_foreign_reader_counts_and_misses_the_same(
    readings: dict[Path, Reading], logs: dict[str, Path], shape: str
) -> None:
    assert expected_report(logs[shape]) == readings[logs[shape]][1]


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_the_foreign_reader_reads_what_damage_leaves(tool: Tool, tmp_path: Path, sweep: Sweep) -> None:
    whole, chance = joined_log(), random.Random(7)
    expected = {}
    for number, trial in enumerate(chance.sample([*sweep.trials(whole.data, 61, chance)], 20)):
        path = tmp_path / f"{number}.rlog"
        path.write_bytes(trial.data)
        if trial.start >= whole.units[0].end:  # what no unit is left of is no log
            expected[path] = (values(encode_events(open_log(path).events)), expected_report(path))

    assert len(expected) >= 15
    assert expected == read_all(tool, list(expected))


def test_the_damaged_shapes_are_damaged(logs: dict[str, Path]) -> None:
    damaged = [shape for shape in SHAPES if open_log(logs[shape]).report.damage]

    assert damaged == ["flipped", "torn", "zeros within"]
