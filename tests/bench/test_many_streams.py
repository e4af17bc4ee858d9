"""Thousands of streams over ten lanes of one machine: what holds, and what is said where it does not.

    pytest tests/bench/test_many_streams.py -s

Every lane is a process with its own connections; all reach one truth server. The pace is one token a second on each
stream, so that 10,000 streams are 10,000 tokens a second: the question here is how many streams, not how many tokens
(tests/bench/test_stamps.py has those). No token may be lost: what the log holds is what the server counts.
"""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from racelog.events import Gap, HostSamples, Tokens
from racelog.log.read.reader import open_log
from racelog.replay.race import RaceTracks, Replay
from racelog.views.summary import race_summary
from tests.bench.truth import truth_server

LANES = 10
TOKENS = 6
GAP_MS = 1000.0


def command(url: str, streams: int, *flags: str) -> list[str]:
    """Return the recording of ``streams`` streams, one request each, over `LANES` lanes."""
    each = str(streams // LANES)
    engines = [flag for i in range(LANES) for flag in ("--engine", f"lane-{i}={url},model=truth")]
    return [
        sys.executable, "-m", "racelog", "record", *engines, "--requests", each, "--concurrency", each, "--max-tokens",
        str(TOKENS), "--countdown", "1", "--no-preflight", "--no-calibrate", "--no-ui", *flags,
    ]  # fmt: skip


@pytest.mark.timeout(600)
@pytest.mark.parametrize("streams", [1_000, 3_000, 10_000])
def test_no_stream_and_no_token_is_lost(streams: int, tmp_path: Path) -> None:
    path = tmp_path / "many.rlog"
    with truth_server(tmp_path, TOKENS, GAP_MS) as truth:
        truth.stats()
        done = subprocess.run(
            command(truth.url, streams, "-o", str(path)),
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )
        sent = truth.stats()
    log = open_log(path)
    summary = race_summary(Replay(RaceTracks(log.events)))
    chunks = sum(kind in "crt" for batch in log.of(Tokens) for kind in batch.c or "c" * len(batch.d))
    rss_mib = sum(
        max(
            value or 0
            for event in log.of(HostSamples)
            if event.process == f"lane:lane-{i}"
            for value in event.rss_mib
        )
        for i in range(LANES)
    )
    ok = sum(lane.ok for lane in summary.lanes)
    faults = {fault.label for lane in summary.lanes for fault in lane.faults}
    verdict = summary.health.reasons[:1] if summary.health.client_limited else "no"
    print(
        f"\n{streams:,} streams over {LANES} lanes: {ok:,} ok, {sorted(faults) or 'no failures'}; {chunks:,} token chunks, the"
        f" server counts {sent}; lanes {rss_mib:,.0f} MiB in all; started within"
        f" {(summary.load.start_spread_us or 0) / 1000:.2f} ms; client-limited: {verdict}"
    )
    assert done.returncode in (0, 5), done.stderr
    assert list(log.of(Gap)) == []
    if not faults:
        assert (ok, chunks) == (streams, streams * TOKENS)


def test_too_few_files_are_named_before_the_race(tmp_path: Path) -> None:
    def few_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))

    done = subprocess.run(
        command("http://127.0.0.1:1/v1", 10_000),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=few_files,
    )
    print(f"\nexit {done.returncode}: {done.stderr.strip()}")

    assert done.returncode == 2
    assert "needs more open files" in done.stderr


def test_too_few_ports_are_named_before_the_race() -> None:
    done = subprocess.run(
        command("http://127.0.0.1:1/v1", 70_000), capture_output=True, text=True, check=False
    )
    print(f"\nexit {done.returncode}: {done.stderr.strip()}")

    assert done.returncode == 2
    assert "ports towards one address" in done.stderr
