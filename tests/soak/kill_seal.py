"""kill -9 while a race is sealed: at random instants, and before, within and after every step on the disk.

    python -m tests.soak.kill_seal [KILLS] [--seed N]      1,000 kills take about 5 minutes

After each the race must be whole, in its segments or in its sealed file, and whoever seals it then must succeed. Every
sealing is a process forked from this one.
"""

import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click

from racelog.events import Head
from racelog.log.reader import open_log
from racelog.log.seal import seal
from racelog.testing.disks import Action, FaultyDisk, die_after, die_before, die_within
from racelog.testing.races import Plan, ScriptedRace
from tests.soak.facts import Fact, facts, read_facts

RACE = ScriptedRace([Plan("a", requests=12, tokens=30), Plan("b", requests=12, tokens=30)])
DEATHS: dict[str, Action] = {"before": die_before, "within": die_within, "after": die_after}


@dataclass(slots=True)
class Tally:
    """How the race was found after each kill, and how often it was not whole or could not be sealed again."""

    kills: int = 0
    found: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ways = ", ".join(f"{times} {way}" for way, times in sorted(self.found.items()))
        return f"{self.kills} kills; the race was found {ways}; not whole: {len(self.broken)}"

    def check(self, folder: Path, expected: Counter[Fact], when: str) -> None:
        """Look at a race whose sealing was killed, seal it again, and count."""
        live, sealed = folder / "race.live", folder / "race.rlog"
        way = ("sealed" if sealed.exists() else "in its segments") + (
            " and in segments" if sealed.exists() and live.exists() else ""
        )
        self.kills += 1
        self.found[way] += 1
        whole = (
            read_facts(sealed if sealed.exists() else live)
            == expected
            == read_facts(live if live.exists() else sealed)
        )
        if not sealed.exists():
            seal(live, sealed)
        if not whole or read_facts(sealed) != expected or next(open_log(sealed).of(Head)).role != "seal":
            self.broken.append(f"killed {when}: {way}")


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


def kill_at_random(kills: int, seed: int) -> Tally:
    """Seal the race ``kills`` times, killed after a random part of the time that a sealing takes."""
    chance, tally, expected = random.Random(seed), Tally(), facts(RACE.events())
    with tempfile.TemporaryDirectory() as name:
        takes_s = _time_of_sealing(Path(name))
    for _ in range(kills):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            RACE.write_segments(folder / "race.live")
            pid = in_child(lambda folder=folder: seal(folder / "race.live", folder / "race.rlog"))  # type: ignore[misc]  # bound at once
            wait_s = chance.uniform(0, 1.1 * takes_s)
            time.sleep(wait_s)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            tally.check(folder, expected, f"after {wait_s * 1000:.1f} ms")
        if tally.kills % 100 == 0:
            click.echo(str(tally), err=True)
    return tally


def _time_of_sealing(folder: Path) -> float:
    """Return how long a forked sealing takes."""
    RACE.write_segments(folder / "race.live")
    began_s = time.monotonic()
    os.waitpid(in_child(lambda: seal(folder / "race.live", folder / "race.rlog")), 0)
    return time.monotonic() - began_s


def kill_at_every_step() -> Tally:
    """Seal the race and die before, within and after each operation on the disk, one process each."""
    tally, expected = Tally(), facts(RACE.events())
    for how, action in DEATHS.items():
        step, died = 0, True
        while died:
            step += 1
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                RACE.write_segments(folder / "race.live")
                disk = FaultyDisk(folder, at=step, action=action)

                def work(folder: Path = folder, disk: FaultyDisk = disk) -> None:
                    with disk.installed():
                        seal(folder / "race.live", folder / "race.rlog")

                _, status = os.waitpid(in_child(work), 0)
                died = os.waitstatus_to_exitcode(status) == 9
                if died:
                    tally.check(folder, expected, f"{how} step {step}")
    return tally


@click.command()
@click.argument("kills", type=int, default=1000)
@click.option("--seed", type=int, default=1)
def main(kills: int, seed: int) -> None:
    """Kill sealings and say how the race was found; exit 1 if it was not whole."""
    steps = kill_at_every_step()
    click.echo(f"at every step: {steps}")
    chance = kill_at_random(kills, seed)
    click.echo(f"at random: {chance}")
    for line in [*steps.broken, *chance.broken]:
        click.echo(line)
    sys.exit(1 if steps.broken or chance.broken else 0)


if __name__ == "__main__":
    main()
