"""How long `racelog --help` takes beside an interpreter that does nothing. Budget (DESIGN.md §10): 0.15 s."""

import statistics
import subprocess
import sys
import time

RUNS = 9


def seconds(*arguments: str) -> float:
    """Return the median wall time of running this interpreter with ``arguments``."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def test_help_starts_fast() -> None:
    bare, helped = seconds("-c", "pass"), seconds("-m", "racelog", "--help")
    print(
        f"\nracelog --help {helped:.3f} s, a bare interpreter {bare:.3f} s, ratio {helped / bare:.1f}x (budget 0.15 s)"
    )
    assert helped > bare
