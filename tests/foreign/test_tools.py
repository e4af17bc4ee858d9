"""A sealed log under tools that know nothing of racelog."""

import json
import subprocess
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from racelog.log.format.codec import decode_event
from racelog.log.format.units import Unit, decode_payload
from racelog.log.read.reader import open_log
from racelog.log.read.scan import scan_file
from tests.foreign.conftest import Tool


@pytest.fixture
def sealed(logs: dict[str, Path]) -> Path:
    return logs["sealed"]


def kinds(path: Path) -> Counter[str]:
    """Return how many lines of each kind the file stores."""
    stored = b"".join(decode_payload(found) for found in scan_file(path) if isinstance(found, Unit))
    return Counter(json.loads(line)["k"] for line in stored.splitlines())


def kinds_in_duckdb(path: Path, compression: str) -> dict[str, int]:
    """Return how many objects of each kind DuckDB finds in a file of JSON lines."""
    query = "SELECT k, count(*) FROM read_ndjson(?, compression = ?) GROUP BY k"
    return dict(duckdb.execute(query, [str(path), compression]).fetchall())


def test_a_sealed_log_has_several_units(sealed: Path) -> None:
    assert open_log(sealed).report.units >= 4


def test_zstd_finds_a_sealed_log_whole(tool: Tool, sealed: Path) -> None:
    done = subprocess.run([tool("zstd"), "-t", sealed], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_zstd_finds_a_flipped_bit(tool: Tool, logs: dict[str, Path]) -> None:
    done = subprocess.run([tool("zstd"), "-t", logs["flipped"]], capture_output=True, check=False)

    assert done.returncode != 0


def test_zstdcat_and_jq_give_exactly_the_events(tool: Tool, sealed: Path) -> None:
    tool("jq")
    tool("zstdcat")
    command = ["bash", "-o", "pipefail", "-c", 'zstdcat "$0" | jq -c .', str(sealed)]

    done = subprocess.run(command, capture_output=True, check=True)

    assert open_log(sealed).events == [decode_event(line) for line in done.stdout.splitlines()]


def test_duckdb_counts_the_same_kinds_in_what_zstd_gives(tool: Tool, sealed: Path, tmp_path: Path) -> None:
    path = tmp_path / "race.jsonl"
    with path.open("wb") as file:
        subprocess.run([tool("zstd"), "-dcf", sealed], stdout=file, check=True)

    assert kinds_in_duckdb(path, "none") == kinds(sealed)


def test_duckdb_reads_a_sealed_log_as_it_stands(sealed: Path) -> None:
    """Its zstd reader goes on across frames and passes over trailers; only the file's name must be helped."""
    assert kinds_in_duckdb(sealed, "zstd") == kinds(sealed)


def test_duckdb_reads_a_sealed_log_under_a_name_that_says_zstd(sealed: Path, tmp_path: Path) -> None:
    path = tmp_path / "race.jsonl.zst"
    path.write_bytes(sealed.read_bytes())

    assert kinds_in_duckdb(path, "auto") == kinds(sealed)
