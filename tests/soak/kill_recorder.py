"""kill -9 at random instants against a journal that records at full speed; then the log is read and counted.

    python -m tests.soak.kill_recorder [KILLS] [--seed N] [--flush MS]      1,000 kills take about 10 minutes

Each recorder is a process of its own, forked from this one while it is warm: a lane's journal on its own trio loop and
real files, fed by a source that acknowledges every event, with its time, in memory it shares with the parent. An event
acknowledged more than one flush window before the kill must be in the log, and nothing may be there that was not
recorded. On a busy machine, and at nice 15, the kernel lets a recorder wait for a CPU: that time, as the kernel itself
counted it since the event (``/proc/PID/task/*/schedstat``), is not the recorder's and is told apart.

The parent starts no thread: a fork would not take it along.
"""

import itertools
import mmap
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import click
import trio

from racelog.clock import NS_PER_MS, NS_PER_S
from racelog.errors import NotALog
from racelog.events import Head, Mark, Tokens
from racelog.log.read.reader import open_log
from racelog.log.rewrite.verify import verify_log
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import ScriptedRace
from racelog_recorder.journal.chunks import ChunkColumns
from racelog_recorder.journal.durability import FLUSH_S, Durability
from racelog_recorder.journal.journal import Journal

MAX_EVENTS = 1 << 20
BURST = 8
PAUSE_S = 0.001
SHORTEST_S, LONGEST_S = 0.02, 0.8
"""A recorder lives this long: from well inside its first flush window to past its third."""


def cpu_wait_ns(pid: int) -> int:
    """Return how long the threads of a process have waited for a CPU in all; 0 where the kernel does not tell."""
    waits = 0
    for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError):
            waits += int(file.read_text().split()[1])
    return waits


class Acknowledged:
    """The times at which events were recorded, in memory that outlives the process that wrote them.

    ``waits`` holds, for every event, how long the recorder had waited for a CPU a moment before.
    """

    def __init__(self) -> None:
        self._memory = memoryview(mmap.mmap(-1, 8 * (MAX_EVENTS + 1))).cast("q")
        self.waits = memoryview(mmap.mmap(-1, 8 * MAX_EVENTS)).cast("q")

    def __len__(self) -> int:
        return self._memory[0]

    def __getitem__(self, number: int) -> int:
        return self._memory[number + 1]

    def add(self, t_ns: int, wait_ns: int) -> None:
        """Acknowledge the next event; the count moves last."""
        count = self._memory[0]
        self.waits[count] = wait_ns
        self._memory[count + 1] = t_ns
        self._memory[0] = count + 1

    def clear(self) -> None:
        """Begin again for the next recorder."""
        self._memory[0] = 0


def is_mark(number: int) -> bool:
    """Tell whether event ``number`` is a mark; the others are chunks."""
    return number % 50 == 0


def text_of(number: int) -> str:
    """Return the text of chunk ``number``; now and then a long one, so that units are also flushed by size."""
    return f" word{number}" + "x" * (20_000 if number % 997 == 0 else 0)


def record_for_ever(path: Path, acknowledged: Acknowledged, durability: Durability) -> None:
    """Record events 0, 1, 2 ... until killed."""
    head = ScriptedRace([]).head(2, "lane", 0)
    columns = ChunkColumns(0)
    journal = Journal(SegmentWriter(path, head), head, columns, durability=durability)

    async def source() -> None:
        for burst in itertools.count():
            if burst % 5 == 0:
                wait_ns = cpu_wait_ns(os.getpid())
            for _ in range(BURST):
                number, t_ns = len(acknowledged), journal.now_ns()
                if is_mark(number):
                    journal.record(Mark(t=t_ns, label=str(number)))
                else:
                    columns.add(t_ns, number, text_of(number), "c", None, "k")
                acknowledged.add(t_ns, wait_ns)
            await trio.sleep(PAUSE_S)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(journal.run)
            nursery.start_soon(source)

    trio.run(main)


@dataclass(slots=True)
class Tally:
    """What was counted over all kills; ``oldest_lost_ms`` holds one age per kill, 0 where nothing was lost."""

    kills: int = 0
    acknowledged: int = 0
    read: int = 0
    wrong: int = 0
    unreadable: int = 0
    broken_promises: int = 0
    late: int = 0
    oldest_lost_ms: list[float] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """True when every promise was kept."""
        return not (self.wrong or self.unreadable or self.broken_promises)

    def __str__(self) -> str:
        ages = sorted(self.oldest_lost_ms)
        return (
            f"{self.kills} kills; {self.acknowledged:,} events acknowledged, {self.read:,} in the logs, "
            f"{self.wrong} wrong, {self.unreadable} logs unreadable; kills that cost an event older than the window: "
            f"{self.broken_promises}, and {self.late} where the recorder had waited for a CPU for longer than that; "
            f"oldest event lost: median {statistics.median(ages):.0f} ms, "
            f"99 % {ages[int(len(ages) * 0.99)]:.0f} ms, most {ages[-1]:.0f} ms"
        )


def kill_one(
    folder: Path, acknowledged: Acknowledged, durability: Durability, lives_s: float
) -> tuple[int, int]:
    """Start a recorder, kill it after ``lives_s`` seconds of recording.

    Return when, as an event time, and how long it had waited for a CPU by then.
    """
    acknowledged.clear()
    pid = os.fork()
    if pid == 0:
        try:
            record_for_ever(folder / "lane-0.rlog", acknowledged, durability)
        finally:
            os._exit(1)
    while not len(acknowledged):
        time.sleep(PAUSE_S)
    time.sleep(lives_s)
    origin_ns = ScriptedRace([]).head().mono_origin_ns
    wait_ns = cpu_wait_ns(pid)
    killed_ns = time.monotonic_ns() - origin_ns
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if not os.WIFSIGNALED(status):
        raise RuntimeError(f"the recorder ended by itself: status {status}")
    return killed_ns, wait_ns


def found_in(path: Path) -> Iterator[tuple[int, int, str]]:
    """Yield (number, time, text) of every event in the log, in no order."""
    for event in open_log(path).events:
        if isinstance(event, Mark):
            yield int(event.label), event.t, ""
        elif isinstance(event, Tokens):
            t = event.t
            for number, delta, text in zip(event.r, event.d, event.x, strict=True):
                t += delta
                yield number, t, text
        elif not isinstance(event, Head):
            raise RuntimeError(  # noqa: TRY004 - no argument of ours is at fault
                f"nobody recorded this: {event}"
            )


def count_one(
    folder: Path, acknowledged: Acknowledged, killed: tuple[int, int], window_s: float, tally: Tally
) -> None:
    """Read the log of a killed recorder and add to ``tally`` what it kept and lost."""
    try:
        found = sorted(found_in(folder))
        verdict = verify_log(folder)
        sound = not verdict.damage and not any(account.missing_units for account in verdict.writers)
    except NotALog:
        found, sound = [], False
    tally.kills += 1
    tally.acknowledged += len(acknowledged)
    tally.read += len(found)
    tally.unreadable += not sound
    tally.wrong += sum(
        entry != (number, acknowledged[number], "" if is_mark(number) else text_of(number))
        for number, entry in enumerate(found)
    )
    killed_ns, wait_ns = killed
    oldest = len(found)
    lost = len(acknowledged) > oldest
    age_ns = killed_ns - acknowledged[oldest] if lost else 0
    waited_ns = wait_ns - acknowledged.waits[oldest] if lost else 0
    tally.oldest_lost_ms.append(age_ns / NS_PER_MS)
    if age_ns > window_s * NS_PER_S:
        tally.broken_promises += age_ns - waited_ns > window_s * NS_PER_S
        tally.late += age_ns - waited_ns <= window_s * NS_PER_S


def run(kills: int, seed: int, durability: Durability, window_s: float) -> Tally:
    """Kill ``kills`` recorders and return the count."""
    chance, acknowledged, tally = random.Random(seed), Acknowledged(), Tally()
    for number in range(kills):
        with tempfile.TemporaryDirectory() as name:
            killed = kill_one(Path(name), acknowledged, durability, chance.uniform(SHORTEST_S, LONGEST_S))
            count_one(Path(name), acknowledged, killed, window_s, tally)
        if (number + 1) % 100 == 0:
            click.echo(str(tally), err=True)
    return tally


@click.command()
@click.argument("kills", type=int, default=1000)
@click.option("--seed", type=int, default=1)
@click.option("--flush", "flush_ms", type=float, default=FLUSH_S * 1000, show_default=True)
@click.option(
    "--grace", "grace_ms", type=float, default=0.0, help="Milliseconds to allow a machine that may stall."
)
def main(kills: int, seed: int, flush_ms: float, grace_ms: float) -> None:
    """Kill recorders and say what that cost; exit 1 if a promise was broken."""
    tally = run(kills, seed, Durability(flush_s=flush_ms / 1000), (flush_ms + grace_ms) / 1000)
    click.echo(str(tally))
    sys.exit(0 if tally.kept else 1)


if __name__ == "__main__":
    main()
