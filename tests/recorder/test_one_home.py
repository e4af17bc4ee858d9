"""Two shells and a recorder at once on one home: real processes, one cache."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import racelog
from racelog.home import stored_races
from racelog.query.contract.tables import TABLES
from racelog.testing.races import Plan, ScriptedRace
from tests.core.query.recorded import store

pytestmark = pytest.mark.timeout(120)

ROUNDS = 3
EARLIER = "20200101-000000-00000001"
QUESTION = "select count(*) as requests from requests;\n"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[str]:
    """Serve one scripted engine; give it as `--engine` takes it."""
    script = ScriptedRace([Plan("steady", ttft_ms=50, gap_ms=10, tokens=40, requests=6)])
    command = [
        sys.executable,
        "-m",
        "racelog",
        "serve",
        str(script.write_file(tmp_path / "script.rlog")),
        "--json",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        yield f"steady={json.loads(server.stdout.readline())['lanes'][0]['url']}"
        server.terminate()


def shell(home: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "racelog", "shell", "--home", str(home)]
    return subprocess.run(
        command, input=QUESTION * 2, capture_output=True, text=True, check=False, timeout=60
    )


def everything(home: Path, *, cache: bool) -> dict[str, list[str]]:
    connection = racelog.connect(home=home, cache=cache)
    return {table: sorted(map(repr, connection.execute(f"from {table}").fetchall())) for table in TABLES}


def test_two_shells_ask_while_a_race_is_recorded_and_all_agree_in_the_end(
    engine: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    store(home, ScriptedRace([Plan("past", requests=5)]), EARLIER)
    recorder = subprocess.Popen(
        [
            sys.executable, "-m", "racelog", "record", "--engine", engine, "--requests", "6", "--concurrency", "1", "--no-ui",
            "--no-calibrate", "--countdown", "0", "--home", str(home),
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip

    with recorder, ThreadPoolExecutor(2) as pool:
        asked = [list(pool.map(shell, [home, home])) for _ in range(ROUNDS)]
        _, errors = recorder.communicate(timeout=60)

    assert recorder.returncode == 0, errors
    counts = [
        int(line)
        for pair in asked
        for done in pair
        for line in done.stdout.splitlines()
        if line.strip().isdigit()
    ]
    assert len(counts) == ROUNDS * 2 * 2
    assert min(counts) >= 5
    assert all(done.returncode == 0 and "Traceback" not in done.stderr for pair in asked for done in pair)
    last = [shell(home).stdout for _ in range(2)]
    assert last[0] == last[1]
    assert len(stored_races(home)) == 2
    assert everything(home, cache=True) == everything(home, cache=False)
    assert list(home.glob("cache/*/.partial-*")) == []
