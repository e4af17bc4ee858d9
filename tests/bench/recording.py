"""`racelog record` as people run it, against the truth server, and how far its log is from the truth."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from racelog.events import STAMP_CODES, TOKEN_CODES, Head, HostSamples, LaneEnd, LaneStart, Tokens
from racelog.log.read.reader import RaceLog, open_log
from racelog.replay.health import lane_process
from racelog.replay.quantiles import quantile
from racelog.replay.race import RaceTracks, Replay
from racelog.views.summary import race_summary
from tests.bench.truth import CLIENT_CORE, HERE, Truth, pinned

ENGINE = "truth"
LIMIT_S = 600


@dataclass(frozen=True)
class Found:
    """What a log says, held against the truth in its texts. Errors in ms, of chunks that were not coalesced."""

    tokens: int
    ok: int
    p50: float
    p99: float
    max: float
    coalesced: float
    user: float
    cpu_us_per_token: float
    ttft_p50_ms: float
    itl_p50_ms: float
    client_limited: bool | None


def record(
    folder: Path, truth: Truth, streams: int, tokens: int, *flags: str, ui: bool = False, stamps: bool = True
) -> Found:
    """Record one request on each of ``streams`` streams, everything on, on the recorder's core; return what was found."""
    path = folder / f"{streams}-{time.monotonic_ns()}.rlog"
    command = [
        *pinned(CLIENT_CORE), sys.executable, "-m", "racelog", "record", "--engine", f"{ENGINE}={truth.url},model=truth",
        "--requests", str(streams), "--concurrency", str(streams), "--max-tokens", str(tokens), "--countdown", "0",
        "--no-preflight", "-o", str(path), *flags,
    ]  # fmt: skip
    python_path = os.pathsep.join([str(HERE / "no_stamps"), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | ({} if stamps else {"PYTHONPATH": python_path})
    with _player(path) if ui else nullcontext():
        subprocess.run(
            [*command, "--no-ui"], check=True, capture_output=True, env=environment, timeout=LIMIT_S
        )
    return found(open_log(path))


@contextmanager
def _player(path: Path) -> Iterator[None]:
    """Follow the race with the player at 60 frames a second, on a terminal of its own and the recorder's core."""
    leader, follower = pty.openpty()
    live = path.with_suffix(".live")
    follow = (
        'for i in $(seq 600); do [ -d "$0" ] && break; sleep 0.05; done; '
        'exec "$1" -m racelog play "$0" --follow --fps 60'
    )
    player = subprocess.Popen(
        [*pinned(CLIENT_CORE), "sh", "-c", follow, str(live), sys.executable], stdin=follower, stdout=follower,
        stderr=subprocess.DEVNULL, env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
    )  # fmt: skip
    os.close(follower)
    fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 200, 0, 0))
    drawn: list[int] = []
    threading.Thread(target=_drain, args=(leader, drawn), daemon=True).start()
    try:
        yield
    finally:
        player.kill()
        player.wait()
        os.close(leader)
    assert sum(drawn) > 10_000, "the player drew nothing"


def _drain(leader: int, drawn: list[int]) -> None:
    with suppress(OSError):
        while data := os.read(leader, 65536):
            drawn.append(len(data))


def found(log: RaceLog) -> Found:
    """Return how far the stamps of ``log`` are from the truth in its texts."""
    origin_ns = next(iter(log.of(Head))).mono_origin_ns
    errors, coalesced, user, total = [], 0, 0, 0
    for batch in log.of(Tokens):
        size = len(batch.d)
        times = list(accumulate(batch.d, initial=batch.t + origin_ns))[1:]
        for t, text, code, stamp in zip(
            times, batch.x, batch.c or "c" * size, batch.s or "k" * size, strict=True
        ):
            if code not in TOKEN_CODES:
                continue
            who, joined = STAMP_CODES[stamp]
            total += 1
            coalesced += joined
            user += who == "user"
            if not joined:
                errors.append((t - int(text)) / 1e6)
    errors.sort()
    summary = race_summary(Replay(RaceTracks(log.events)))
    (lane,) = summary.lanes
    return Found(
        tokens=total, ok=lane.ok, p50=quantile(errors, 0.5) or 0.0, p99=quantile(errors, 0.99) or 0.0, max=errors[-1],
        coalesced=coalesced / total, user=user / total, cpu_us_per_token=lane_cpu_s(log, ENGINE) * 1e6 / total,
        ttft_p50_ms=lane.ttft_ms.p50 if lane.ttft_ms else 0.0, itl_p50_ms=lane.itl_ms.p50 if lane.itl_ms else 0.0,
        client_limited=summary.health.client_limited,
    )  # fmt: skip


def lane_cpu_s(log: RaceLog, engine: str) -> float:
    """Return the CPU seconds of the only lane's process from its start to its end, by its own readings."""
    (start,), (end,) = list(log.of(LaneStart)), list(log.of(LaneEnd))
    spent, before = 0.0, start.t
    for event in log.of(HostSamples):
        if event.process != lane_process(engine):
            continue
        for t, cpu_pct in zip(list(accumulate(event.d, initial=event.t))[1:], event.cpu_pct, strict=True):
            if start.t < t <= end.t + 100_000_000 and cpu_pct is not None:
                spent += cpu_pct / 100 * (t - before) / 1e9
                before = t
    return spent
