"""kill -9 of a recording journal and of a sealing, in short; the long forms are `tests.soak.kill_recorder` and `kill_seal`.

Each runs in a process of its own, because it forks.
"""

import subprocess
import sys

import pytest


def soak(program: str, kills: int, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "error", "-m", f"tests.soak.{program}", str(kills), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=150)


@pytest.mark.timeout(180)
def test_a_killed_recorder_loses_no_event_older_than_its_flush_window() -> None:
    # A test machine may stop a process for longer than the margin; the long form allows for nothing.
    done = soak("kill_recorder", 20, "--grace", "250")

    assert (done.returncode, done.stdout[:9]) == (0, "20 kills;"), done.stdout + done.stderr


@pytest.mark.timeout(180)
def test_a_race_whose_sealing_or_compacting_is_killed_is_whole_and_can_be_sealed() -> None:
    done = soak("kill_seal", 20)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("not whole: 0") == 4
