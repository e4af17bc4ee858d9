"""kill -9 while a race is sealed or compacted: at random instants, and before, within and after every step on the disk.

    python -m tests.soak.kill_seal [KILLS] [--seed N]      1,000 kills of each take about 10 minutes

After each the race must be whole - in its segments, in its file, in both - and whoever seals or compacts it then must
succeed. Every sealing is a process forked from this one.
"""

import itertools
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import click

from racelog.events import Head
from racelog.log.read.reader import open_log
from racelog.log.rewrite.compact import compact
from racelog.log.rewrite.seal import seal
from racelog.testing.disks import Action, FaultyDisk, die_after, die_before, die_within
from racelog.testing.races import Plan, ScriptedRace
from tests.soak.facts import facts, read_facts

RACE = ScriptedRace([Plan("a", requests=12, tokens=30), Plan("b", requests=12, tokens=30)])
DEATHS: dict[str, Action] = {"before": die_before, "within": die_within, "after": die_after}
DEAD = 9
"""The exit code with which those end the process."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A way to one compact file: what there is before, and what makes the file; both take the race's folder."""

    name: str
    prepare: Callable[[Path], object]
    work: Callable[[Path], object]


def seal_in(folder: Path) -> None:
    """Seal the race's segments, unless that is done."""
    if not (folder / "race.rlog").exists():
        seal(folder / "race.live", folder / "race.rlog")


REWRITES = (
    Rewrite("seal", lambda folder: RACE.write_segments(folder / "race.live"), seal_in),
    Rewrite(
        "compact",
        lambda folder: RACE.write_file(folder / "race.rlog"),
        lambda folder: compact(folder / "race.rlog"),
    ),
)


@dataclass(slots=True)
class Tally:
    """How the race was found after each kill, and how often it was not whole or could not be sealed again."""

    rewrite: Rewrite
    kills: int = 0
    found: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ways = ", ".join(f"{times} {way}" for way, times in sorted(self.found.items()))
        return f"{self.kills} kills; the race was found {ways}; not whole: {len(self.broken)}"

    def check(self, folder: Path, when: str) -> None:
        """Look at a race whose rewriting was killed, rewrite it again, and count."""
        expected = facts(RACE.events())
        places = [path for path in (folder / "race.live", folder / "race.rlog") if path.exists()]
        whole = bool(places) and all(read_facts(path) == expected for path in places)
        way = "in " + " and ".join(f"{path.name} ({role_of(path)})" for path in places)
        self.kills += 1
        self.found[way] += 1
        self.rewrite.work(folder)
        made = folder / "race.rlog"
        if not whole or read_facts(made) != expected or role_of(made) != "seal":
            self.broken.append(f"{self.rewrite.name} killed {when}: {way}")


def role_of(path: Path) -> str:
    """Return who wrote a log's first segment: ``seal`` for a sealed file."""
    return "segments" if path.is_dir() else next(open_log(path).of(Head)).role


def in_child(work: Callable[[], object]) -> int:
    """Run ``work`` in a forked process and return its pid; it exits with 0, or 9 where ``work`` says so."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def kill_at_random(rewrite: Rewrite, kills: int, seed: int) -> Tally:
    """Rewrite the race ``kills`` times, killed after a random part of the time that it takes."""
    chance, tally = random.Random(seed), Tally(rewrite)
    takes_s = _time_of(rewrite)
    for _ in range(kills):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            rewrite.prepare(folder)
            pid = in_child(partial(rewrite.work, folder))
            wait_s = chance.uniform(0, 1.1 * takes_s)
            time.sleep(wait_s)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            tally.check(folder, f"after {wait_s * 1000:.1f} ms")
        if tally.kills % 100 == 0:
            click.echo(f"{rewrite.name}: {tally}", err=True)
    return tally


def _time_of(rewrite: Rewrite) -> float:
    """Return how long a forked rewriting takes."""
    with tempfile.TemporaryDirectory() as name:
        rewrite.prepare(Path(name))
        began_s = time.monotonic()
        os.waitpid(in_child(partial(rewrite.work, Path(name))), 0)
        return time.monotonic() - began_s


def kill_at_every_step(rewrite: Rewrite) -> Tally:
    """Rewrite the race and die before, within and after each operation on the disk, one process each."""
    tally = Tally(rewrite)
    for how, action in DEATHS.items():
        for step in itertools.count(1):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                rewrite.prepare(folder)
                disk = FaultyDisk(folder, at=step, action=action)
                _, status = os.waitpid(in_child(partial(_work_on, disk, rewrite, folder)), 0)
                if os.waitstatus_to_exitcode(status) != DEAD:
                    break
                tally.check(folder, f"{how} step {step}")
    return tally


def _work_on(disk: FaultyDisk, rewrite: Rewrite, folder: Path) -> None:
    with disk.installed():
        rewrite.work(folder)


@click.command()
@click.argument("kills", type=int, default=1000)
@click.option("--seed", type=int, default=1)
def main(kills: int, seed: int) -> None:
    """Kill sealings and compactions and say how the race was found; exit 1 if it was not whole."""
    broken: list[str] = []
    for rewrite in REWRITES:
        steps = kill_at_every_step(rewrite)
        click.echo(f"{rewrite.name}, at every step: {steps}")
        chance = kill_at_random(rewrite, kills, seed)
        click.echo(f"{rewrite.name}, at random: {chance}")
        broken += [*steps.broken, *chance.broken]
    for line in broken:
        click.echo(line)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
