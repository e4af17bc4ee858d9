"""`racelog serve` as a process: ready when it says so, gone when told."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner

from racelog.testing.races import Plan, ScriptedRace
from racelog_recorder.serve import cli

ROOT = Path(__file__).parents[3]
PATHS = os.pathsep.join(str(ROOT / part) for part in (".", "recorder", "player", "cards"))
PROGRAM = "import sys; from racelog_recorder.serve.cli import serve; serve.main(sys.argv[1:])"


@pytest.fixture
def log_path(tmp_path):
    plans = [Plan("left", ttft_ms=2, gap_ms=1), Plan("ri,ght\x1b[2J", ttft_ms=2, color="#00ff00", emoji="🦙")]
    return ScriptedRace(plans).write_file(tmp_path / "race.rlog")


@pytest.fixture
def start(log_path):
    """Return a function that starts the command and gives its process and first line."""
    started = []

    def run(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PROGRAM, str(log_path), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": PATHS},
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline()

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_json_tells_the_lanes_and_a_signal_ends_it_well(start, number):
    process, line = start("--json")

    lanes = json.loads(line)["lanes"]
    answer = httpx2.get(lanes[0]["url"] + "/models").json()
    process.send_signal(number)

    assert [(lane["engine"], lane["model"], lane["color"], lane["emoji"]) for lane in lanes] == [
        ("left", "m", "", ""),
        ("ri,ght\x1b[2J", "m", "#00ff00", "🦙"),
    ]
    assert (answer["data"][0]["id"], process.wait(10), process.stderr.read()) == ("m", 0, "")


def test_people_get_a_table_and_a_line_to_paste(start):
    process, heading = start()

    lines = [heading, *(process.stdout.readline() for _ in range(5))]

    assert [line.split()[0] for line in lines[:3]] == ["engine", "left", "ri,ght␛[2J"]
    assert lines[5].startswith("  racelog record --engine left=http://127.0.0.1:")
    assert "--engine 'ri-ght␛[2J=http://127.0.0.1:" in lines[5]
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize("speed", ["0", "0x", "fast", "-1x", "2000x", "1e3", "nan"])
def test_a_speed_that_cannot_be_is_refused(speed):
    result = CliRunner().invoke(cli.serve, [f"--speed={speed}"])

    assert (result.exit_code, "give 0.01x to 1000x, such as 4x" in result.stderr) == (2, True)


def test_a_missing_demo_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "DEMO_LOG", tmp_path / "demo.rlog")

    result = CliRunner().invoke(cli.serve, ["--demo"])

    assert str(result.exception) == (
        f"the demo race is missing at {tmp_path / 'demo.rlog'}; reinstall: pip install --force-reinstall racelog"
    )


def test_a_race_and_the_demo_exclude_each_other():
    result = CliRunner().invoke(cli.serve, ["latest", "--demo"])

    assert str(result.exception) == "give either RACE or --demo, not both"


def test_the_help_loads_neither_trio_nor_h11():
    program = "import sys, racelog_recorder.serve.cli as c; print(sorted({'trio', 'h11', 'msgspec'} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": PATHS}, check=True)  # fmt: skip

    assert done.stdout == "[]\n"
