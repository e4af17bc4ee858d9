"""Damage everywhere: logs of at least 20 units cut, flipped, shifted and overwritten at every byte, and then read.

    python -m tests.soak.sweeps [--quick] [--seed N] [--log NAME]      10 minutes; --quick takes one

Prints what was tried, how many events were read that were never written (must be 0), how many units one piece of damage
cost at most (a flipped bit: 1), and how many of them it did not even touch (must be 0); exit 1 if one does not hold.
"""

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import click

from racelog.errors import LogError
from racelog.log.format.codec import encode_events
from racelog.log.format.units import Damage, Trailer, Unit, UnitScanner
from racelog.log.read.reader import UnitReader
from racelog.log.rewrite.seal import ROWS_PER_UNIT, seal
from racelog.testing.races import Plan, ScriptedRace
from tests.soak.damage import SWEEPS, Sweep, Trial

LEAST_UNITS = 20
QUICK_STRIDE = 13
"""The quick form damages every 13th byte; a prime, so that no field of a trailer is always missed."""

Name = tuple[int, int]
"""(writer, seq), which names a unit."""


@dataclass(frozen=True, slots=True)
class Log:
    """A whole log: its bytes, its units in the order of the file, and its events as often as they are in it."""

    name: str
    data: bytes
    units: list[Unit]
    events: Counter[bytes]
    known: dict[tuple[Trailer, bytes], Name]

    @classmethod
    def of(cls, name: str, data: bytes) -> "Log":
        """Read the log that ``data`` holds.

        Raises:
            ValueError: it is damaged, or too small to sweep.
        """
        found = scan(data)
        units = [unit for unit in found if isinstance(unit, Unit)]
        if len(units) < len(found) or len(units) < LEAST_UNITS:
            raise ValueError(
                f"{name}: {len(units)} units of {len(found)}, where {LEAST_UNITS} whole ones are needed"
            )
        known = {(unit.trailer, unit.frame): (unit.trailer.writer, unit.trailer.seq) for unit in units}
        return cls(name, data, units, events_of(units), known)


@dataclass(slots=True)
class Tally:
    """What one sweep over one log found."""

    log: Log
    sweep: Sweep
    tried: int = 0
    wrong: int = 0
    most_lost: int = 0
    most_untouched: int = 0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.log.name:11} {len(self.log.units):5} {self.sweep.name:29} {self.tried:9,} {self.wrong:6} "
            f"{self.most_lost:10} {self.most_untouched:10} {self.seconds:8.1f}"
        )

    def judge(self, trial: Trial) -> None:
        """Read a damaged log and count what is wrong with the reading."""
        wrong, lost = read(self.log, trial.data)
        untouched = [unit for unit in lost if unit.end <= trial.start or unit.offset >= trial.stop]
        self.tried += 1
        self.wrong += wrong
        self.most_lost = max(self.most_lost, len(lost))
        self.most_untouched = max(self.most_untouched, len(untouched))
        if wrong or untouched or (self.sweep.most is not None and len(lost) > self.sweep.most):
            self.broken.append(
                f"{self.log.name}, {self.sweep.name}, bytes {trial.start} to {trial.stop}: {wrong} wrong events, "
                f"{len(lost)} units lost, {len(untouched)} of them untouched"
            )


HEADINGS = f"{'log':11} {'units':>5} {'damage':29} {'tried':>9} {'wrong':>6} {'most lost':>10} {'untouched':>10} {'s':>8}"


def scan(data: bytes) -> list[Unit | Damage]:
    """Return what a scanner finds in ``data``, the tail included."""
    scanner = UnitScanner()
    found = list(scanner.feed(data))
    tail = scanner.finish()
    return [*found, tail] if tail else found


def events_of(found: Iterable[Unit | Damage]) -> Counter[bytes]:
    """Return the events that a reader gives, as their lines."""
    reader = UnitReader()
    return Counter(encode_events([event]) for part in found for *_, event in reader.read("sweep", part))


def read(log: Log, data: bytes) -> tuple[int, list[Unit]]:
    """Return how many events in ``data`` are not the log's own, and the log's units that are not in it.

    A unit whose trailer and frame are the log's own decodes to the log's own events; only where there is any other are
    all of them decoded and counted. That makes a sweep ten times as fast and hides nothing.
    """
    try:
        found = scan(data)
    except LogError:  # a refusal: everything is lost
        return 0, log.units
    units = [part for part in found if isinstance(part, Unit)]
    names = {log.known.get((unit.trailer, unit.frame)) for unit in units}
    wrong = (events_of(units) - log.events).total() if None in names else 0
    return wrong, [unit for unit in log.units if (unit.trailer.writer, unit.trailer.seq) not in names]


def live_log() -> Log:
    """Return a race as one writer recorded it."""
    race = ScriptedRace([Plan("a"), Plan("b", ttft_ms=70, fail=(2,))])
    with tempfile.TemporaryDirectory() as folder:
        return Log.of("live", race.write_file(Path(folder) / "race.rlog", per_unit=3).read_bytes())


def joined_log() -> Log:
    """Return a race's two lanes as their writers recorded them, put together by ``cat``."""
    race = ScriptedRace([Plan("a"), Plan("b", ttft_ms=70, fail=(2,))])
    with tempfile.TemporaryDirectory() as folder:
        live = race.write_segments(Path(folder) / "race.live", per_unit=2)
        return Log.of("joined", b"".join((live / f"lane-{lane}.rlog").read_bytes() for lane in (0, 1)))


def sealed_log() -> Log:
    """Return a sealed race, so long that it has many units."""
    long = {"requests": 2, "tokens": ROWS_PER_UNIT * (LEAST_UNITS // 4), "gap_ms": 1.0}
    race = ScriptedRace([Plan("a", **long), Plan("b", ttft_ms=70, **long)])  # type: ignore[arg-type]  # ints and a float
    with tempfile.TemporaryDirectory() as folder:
        live = race.write_segments(Path(folder) / "race.live")
        return Log.of("sealed", seal(live, Path(folder) / "race.rlog").read_bytes())


LOGS = {"live": live_log, "joined": joined_log, "sealed": sealed_log}


def run(log: Log, sweep: Sweep, stride: int, seed: int) -> Tally:
    """Damage ``log`` everywhere in one way."""
    tally = Tally(log, sweep)
    began = time.monotonic()
    trials = sweep.trials(log.data, stride, random.Random(seed))
    with click.progressbar(
        trials, label=f"{log.name}, {sweep.name}", file=sys.stderr, show_pos=True
    ) as shown:
        for trial in shown:
            tally.judge(trial)
    tally.seconds = time.monotonic() - began
    return tally


@click.command()
@click.option("--quick", is_flag=True, help=f"Damage every {QUICK_STRIDE}th byte only.")
@click.option("--seed", type=int, default=1)
@click.option("--log", "names", multiple=True, type=click.Choice(list(LOGS)), help="Damage this log only.")
def main(*, quick: bool, seed: int, names: tuple[str, ...]) -> None:
    """Damage logs everywhere and say what was lost; exit 1 if an event was wrong or a unit lost without need."""
    click.echo(HEADINGS)
    tallies = []
    for name in names or LOGS:
        log = LOGS[name]()
        for sweep in SWEEPS:
            tallies.append(run(log, sweep, QUICK_STRIDE if quick else 1, seed))
            click.echo(str(tallies[-1]))
    broken = [line for tally in tallies for line in tally.broken]
    for line in broken[:100]:
        click.echo(line)
    tried = sum(tally.tried for tally in tallies)
    click.echo(
        f"{tried:,} damaged logs read, {sum(t.wrong for t in tallies)} wrong events, {len(broken)} broken"
    )
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
