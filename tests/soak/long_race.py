"""A long race at many streams: does the recorder's memory stay flat, and do its files?

    python -m tests.soak.long_race [--minutes 30] [--streams 256]      exits 1 when something grew

Everything is as in a user's race: `racelog record` against the truth server (tests/bench/truth_server.c), 50 tokens/s a
stream, answers of 200 tokens one after another, no full-screen view. Every process of the recorder is sampled once a
second. Flat means: over the last three quarters a straight line through the samples rises by less than `GROWTH_MIB`, and by
less than `GROWTH_FILES` open files. What a log keeps of a race is on the disk and grows as it must.
"""

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import click
import psutil

from tests.bench.truth import Truth, truth_server

TOKENS = 200
SAMPLE_S = 1.0
REPORT_S = 60.0
WARM_SHARE = 0.25
"""Buffers, connections and the allocator's arenas find their size in the first quarter."""

GROWTH_MIB = 16.0
"""Two allocator arenas of noise; a leak of one event a request is 40 MiB in half an hour at 256 streams."""

GROWTH_FILES = 8.0
MIB = 1 << 20


@dataclass
class Series:
    """The samples of one process."""

    seconds: list[float] = field(default_factory=list)
    rss_mib: list[float] = field(default_factory=list)
    files: list[float] = field(default_factory=list)

    def growth(self, values: list[float]) -> float:
        """Return how much a least-squares line through the last three quarters of ``values`` rises over them."""
        first = int(len(values) * WARM_SHARE)
        x, y = self.seconds[first:], values[first:]
        if len(x) < 2:
            return 0.0
        mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
        spread = sum((a - mean_x) ** 2 for a in x)
        slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread
        return slope * (x[-1] - x[0])


def record(folder: Path, truth: Truth, minutes: float, streams: int) -> "subprocess.Popen[bytes]":
    """Start a recording of ``minutes``."""
    command = [
        sys.executable, "-m", "racelog", "record", "--engine", f"truth={truth.url},model=truth", "--no-ui",
        "--no-preflight", "--countdown", "0", "--duration", f"{round(minutes * 60)}s", "--concurrency", str(streams),
        "--max-tokens", str(TOKENS), "-o", str(folder / "long.rlog"),
    ]  # fmt: skip
    with (folder / "said.txt").open("wb") as said:
        return subprocess.Popen(command, stdout=said, stderr=subprocess.DEVNULL)


def watch(recorder: "subprocess.Popen[bytes]", racing_s: float) -> dict[str, Series]:
    """Sample the recorder's processes until the race is over (sealing is not racing); return them by name."""
    series: dict[str, Series] = defaultdict(Series)
    begun, told = time.monotonic(), 0.0
    while recorder.poll() is None and (passed := time.monotonic() - begun) < racing_s:
        for process in [psutil.Process(recorder.pid), *psutil.Process(recorder.pid).children(recursive=True)]:
            try:
                name, rss, files = _name(process), process.memory_info().rss / MIB, float(process.num_fds())
            except psutil.Error:
                continue
            one = series[name]
            one.seconds.append(passed)
            one.rss_mib.append(rss)
            one.files.append(files)
        if passed - told >= min(REPORT_S, racing_s / 4):
            told = passed
            now = ", ".join(
                f"{name} {one.rss_mib[-1]:.0f} MiB {one.files[-1]:.0f} files" for name, one in series.items()
            )
            click.echo(f"{passed / 60:5.1f} min  {now}")
        time.sleep(SAMPLE_S)
    return series


def _name(process: psutil.Process) -> str:
    """Return what a process of the recorder is: its the room of its module."""
    command = process.cmdline()
    module = next((word for word in command if word.startswith("racelog_recorder.")), "")
    return module.partition(".")[2].partition(".")[0] or (
        "truth" if any("truth_server.py" in word for word in command) else "record"
    )


@click.command()
@click.option("--minutes", default=30.0, show_default=True)
@click.option("--streams", default=256, show_default=True)
def main(minutes: float, streams: int) -> None:
    """Record for so long and say whether anything grew."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with truth_server(folder, TOKENS) as truth:
            recorder = record(folder, truth, minutes, streams)
            try:
                series = watch(recorder, minutes * 60)
            finally:
                code = recorder.wait()
            sent = truth.stats()
        said = (folder / "said.txt").read_text(encoding="utf-8").strip().splitlines()
        click.echo(
            "\n".join(
                ["", *said, "", f"the server sent {sent['tokens']:,} tokens in {sent['done']:,} answers"]
            )
        )
    raced = {name: one for name, one in series.items() if len(one.seconds) >= minutes * 60 / SAMPLE_S / 2}
    flat = [told(name, one) for name, one in raced.items()]  # the rest did not race: the calibration's server
    if not flat or not all(flat):
        click.echo("NOT FLAT" if flat else "NOT RACED")
    else:
        click.echo(
            f"flat: no process grew by {GROWTH_MIB:g} MiB or {GROWTH_FILES:g} files over the last three quarters"
        )
    sys.exit(0 if flat and all(flat) and not code else 1)


def told(process: str, one: Series) -> bool:
    """Print what a process had at the start, in the middle and at the end; return whether it stayed flat."""
    rss, files = one.growth(one.rss_mib), one.growth(one.files)
    places = (0, len(one.seconds) // 2, -1)
    memory = " / ".join(f"{one.rss_mib[place]:.1f}" for place in places)
    opened = " / ".join(f"{one.files[place]:.0f}" for place in places)
    flat = rss < GROWTH_MIB and files < GROWTH_FILES
    click.echo(
        f"{process:10s} start / middle / end: rss {memory} MiB ({rss:+.1f}), open files {opened} ({files:+.1f}): "
        f"{'flat' if flat else 'GROWS'}"
    )
    return flat


if __name__ == "__main__":
    main()
