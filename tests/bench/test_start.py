"""How long `racelog --help` takes, how close together lanes start, and how well an open loop keeps its schedule.

    pytest tests/bench/test_start.py -s

The last two record against the truth server, which answers at once; the recorder's lanes share what cores there are.
Lateness is sent minus scheduled, as the log has both. Nothing here is a timed test: on a busy machine the figures are the
machine's.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from racelog.events import RequestScheduled, RequestSent
from racelog.log.read.reader import RaceLog, open_log
from racelog.replay.quantiles import quantile
from racelog.replay.race import RaceTracks
from racelog.views.evidence.load import race_load
from tests.bench.recording import lane_cpu_s
from tests.bench.truth import Truth, truth_server

RUNS = 9
LANES = 10
RATES_PER_S = (50, 200, 500)
SECONDS = 10
TOKENS = 3


def seconds(environment: dict[str, str], *arguments: str) -> float:
    """Return the median wall time of running this interpreter with ``arguments``, after one run that does not count."""
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def test_help_starts_fast(tmp_path: Path) -> None:
    """With bytecode, as pip leaves it: where none may be written, every run compiles 36 modules, a fifth of the time."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(tmp_path)
    bare = seconds(environment, "-c", "pass")
    helped = seconds(environment, "-m", "racelog", "--help")
    print(
        f"\nracelog --help {helped:.3f} s, a bare interpreter {bare:.3f} s, ratio {helped / bare:.1f}x (budget 0.15 s)"
    )
    assert helped > bare


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Truth]:
    with truth_server(tmp_path_factory.mktemp("truth"), TOKENS) as server:
        yield server


def recorded(path: Path, truth: Truth, lanes: int, *flags: str) -> RaceLog:
    """Race ``lanes`` lanes against the truth server; return the log."""
    engines = [flag for i in range(lanes) for flag in ("--engine", f"lane-{i}={truth.url},model=truth")]
    command = [
        sys.executable, "-m", "racelog", "record", *engines, "--max-tokens", str(TOKENS), "--no-preflight", "--no-calibrate",
        "--no-ui", "-o", str(path), *flags,
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return open_log(path)


def test_ten_lanes_start_together(truth: Truth, tmp_path: Path) -> None:
    print(f"\n{LANES} lanes told to start at one instant\n  run   spread ms   latest ms")
    for run in range(3):
        log = recorded(tmp_path / f"{run}.rlog", truth, LANES, "--requests", "2", "--countdown", "1")
        load = race_load(RaceTracks(log.events))
        late_us = [start.late_us for start in load.starts if start.late_us is not None]
        assert len(late_us) == LANES
        assert load.start_spread_us is not None
        print(f"  {run + 1:3}   {load.start_spread_us / 1000:9.3f}   {max(late_us) / 1000:9.3f}")


@pytest.mark.parametrize("arrival", ["poisson", "constant"])
def test_an_open_loop_keeps_its_schedule(truth: Truth, tmp_path: Path, arrival: str) -> None:
    print(f"\n{arrival} arrivals, one lane, {SECONDS} s: sent minus scheduled, ms")
    print("  rate/s   requests     p50     p90     p99     max   CPU us/request (aim 600)")
    for rate in RATES_PER_S:
        flags = ("--rate", f"{rate}/s", "--arrival", arrival, "--duration", f"{SECONDS}s", "--countdown", "0")
        log = recorded(tmp_path / f"{rate}.rlog", truth, 1, *flags)
        late = lateness_ms(log)
        numbers = "".join(f"{quantile(late, q) or 0.0:8.3f}" for q in (0.5, 0.9, 0.99))
        cpu_us = lane_cpu_s(log, "lane-0") * 1e6 / len(late)
        print(f"  {rate:6}   {len(late):8}{numbers}{late[-1]:8.3f}{cpu_us:17.0f}")
        assert late[0] >= 0


def lateness_ms(log: RaceLog) -> list[float]:
    """Return how late each request was sent, ascending."""
    due = {event.req: event.t for event in log.of(RequestScheduled)}
    return sorted((sent.t - due[sent.req]) / 1e6 for sent in log.of(RequestSent))
