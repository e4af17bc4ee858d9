"""Stamps over HTTPS, and through httpx's own transport with the stamping backend: the figures of `test_stamps`, 256 streams.

The server is Python here (tls_truth.py), so it is later than the one in C: its own write is part of the error and shown
beside it. RACELOG_BENCH_TLS_STREAMS (256) and RACELOG_BENCH_TOKENS (500) make it shorter.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from racelog.log.read.reader import open_log
from tests.bench.recording import ENGINE, LIMIT_S, Found, found
from tests.bench.truth import CLIENT_CORE, GAP_MS, HERE, SERVER_CORE, TTFT_MS, pinned

STREAMS = int(os.environ.get("RACELOG_BENCH_TLS_STREAMS", "256"))
TOKENS = int(os.environ.get("RACELOG_BENCH_TOKENS", "500"))


@contextmanager
def tls_truth(folder: Path) -> Iterator[tuple[int, list[str]]]:
    """Run the server on its core while the block runs; give its port, and afterwards what it says of itself."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    pem = str(folder / "server.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(pem)
    command = [
        *pinned(SERVER_CORE), sys.executable, str(HERE / "tls_truth.py"), pem, str(TOKENS), str(TTFT_MS), str(GAP_MS)
    ]  # fmt: skip
    said: list[str] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline()), said
        finally:
            server.stdin.close()
            said.append(server.stdout.readline())


def record(folder: Path, port: int, *keys: str) -> Found:
    """Record one request on each stream of an https engine that has the plan's ``keys``."""
    plan, path = folder / "race.yaml", folder / "race.rlog"
    plan.write_text(
        f"engines:\n  - name: {ENGINE}\n    url: https://127.0.0.1:{port}/v1\n    model: truth\n"
        "    tls: {ca: ca.pem}\n" + "".join(f"    {key}\n" for key in keys)
    )
    command = [
        *pinned(CLIENT_CORE), sys.executable, "-m", "racelog", "record", str(plan), "--requests", str(STREAMS),
        "--concurrency", str(STREAMS), "--countdown", "0", "--no-preflight", "--no-ui", "-o", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=LIMIT_S)
    return found(open_log(path))


@pytest.mark.parametrize(
    ("transport", "keys"), [("pump", ()), ("httpx", ("http2: true",))], ids=["pump", "httpx"]
)
def test_stamps_over_https(tmp_path: Path, transport: str, keys: tuple[str, ...]) -> None:
    with tls_truth(tmp_path) as (port, said):
        result = record(tmp_path, port, *keys)
    (server,) = map(json.loads, said)
    print(
        f"\nhttps, {transport:5s} {STREAMS:5,d} streams {result.tokens:9,d} tokens   p50 {result.p50:.4f} "
        f"p99 {result.p99:.4f} max {result.max:.3f} ms  coalesced {result.coalesced:.2%}  user stamps {result.user:.2%}  "
        f"CPU {result.cpu_us_per_token:.1f} us/token  server write p99 {server['write_p99_us']:.1f} us"
    )

    assert (result.ok, result.tokens, server["sent"]) == (STREAMS, STREAMS * TOKENS, STREAMS * TOKENS)
