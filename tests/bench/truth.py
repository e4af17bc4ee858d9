"""The truth server and what runs beside it: built from C on the spot, each pinned to a core."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TTFT_MS, GAP_MS = 50.0, 20.0

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]


def built(name: str, folder: Path) -> Path:
    """Return the program of ``name``.c, compiled into ``folder``."""
    program = folder / name
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert compiler, "the benchmark needs a C compiler (cc)"
    subprocess.run([compiler, "-O2", "-Wall", "-o", str(program), str(HERE / f"{name}.c")], check=True)
    return program


def pinned(core: int) -> list[str]:
    """Return what a command begins with to run on ``core`` alone; nothing where there is no taskset."""
    return ["taskset", "-c", str(core)] if shutil.which("taskset") else []


@dataclass(frozen=True)
class Truth:
    """A running truth server."""

    port: int

    @property
    def url(self) -> str:
        """As OpenAI clients take it."""
        return f"http://127.0.0.1:{self.port}/v1"

    def stats(self) -> dict[str, Any]:
        """Return what it sent since it was last asked, and how far it was itself from its schedule."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats", timeout=30) as answer:
            stats: dict[str, Any] = json.load(answer)
        return stats


@contextmanager
def truth_server(folder: Path, tokens: int, gap_ms: float = GAP_MS) -> Iterator[Truth]:
    """Run the server on its core while the block runs."""
    command = [
        *pinned(SERVER_CORE),
        str(built("truth_server", folder)),
        "0",
        str(tokens),
        str(TTFT_MS),
        str(gap_ms),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield Truth(int(server.stdout.readline().split()[1]))
        finally:
            server.stdin.close()


@contextmanager
def busy(core: int) -> Iterator[None]:
    """Keep ``core`` busy with other work while the block runs."""
    command = [*pinned(core), sys.executable, "-c", "while True: pass"]
    with subprocess.Popen(command) as neighbour:
        try:
            yield
        finally:
            neighbour.kill()


def bare_client(folder: Path, truth: Truth, streams: int, tokens: int) -> dict[str, float]:
    """Run the C client on the recorder's core; return what it found (see bare_client.c)."""
    command = [
        *pinned(CLIENT_CORE),
        str(built("bare_client", folder)),
        str(truth.port),
        str(streams),
        str(tokens),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    found: dict[str, float] = json.loads(done.stdout)
    return found
