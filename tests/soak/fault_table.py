"""Every file operation of a small race fails once, in every way: record -> finish -> seal, and what is left of it.

    python -m tests.soak.fault_table        prints the table; exit 1 if anything committed was lost

The recorder's own journal and the real seal run on a real folder; only the system call that is due fails.
"""

import errno
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import trio

from racelog.errors import RacelogError
from racelog.events import AnyEvent, Head, Note
from racelog.log.read.reader import open_log
from racelog.log.rewrite.seal import seal
from racelog.log.write.segment import SegmentWriter
from racelog.testing.disks import Action, FaultyDisk, Operation, fail_with, write_half
from racelog.testing.races import Plan, ScriptedRace
from racelog_recorder.journal.durability import Durability
from racelog_recorder.journal.journal import Journal
from tests.soak.facts import Fact, facts, read_facts

RACE = ScriptedRace([Plan("a", requests=2, tokens=4)])
EVENTS_PER_UNIT = 4

ENOSPC, EIO = fail_with(errno.ENOSPC), fail_with(errno.EIO)
FAILURES: dict[Operation, dict[str, Action]] = {
    "open": {"ENOSPC": ENOSPC, "EIO": EIO},
    "write": {"ENOSPC": ENOSPC, "EIO": EIO, "short write": write_half},
    "fsync": {"ENOSPC": ENOSPC, "EIO": EIO},
    "rename": {"ENOSPC": ENOSPC, "EIO": EIO},
    "remove": {"ENOSPC": ENOSPC, "EIO": EIO},
}
"""How each operation may fail. A file is cut only after another failure; that is a test of its own."""


@dataclass(slots=True)
class Race:
    """One race from its first segment to its sealed file, and what it was told had been committed."""

    folder: Path
    stage: str = "create"
    committed: list[AnyEvent] = field(default_factory=list)

    @property
    def live(self) -> Path:
        """Where the segments are."""
        return self.folder / "race.live"

    @property
    def sealed(self) -> Path:
        """Where the race is sealed to."""
        return self.folder / "race.rlog"

    def run(self) -> None:
        """Record, finish and seal."""
        self.live.mkdir()
        trio.run(self._record)
        self.stage = "seal"
        seal(self.live, self.sealed)

    async def _record(self) -> None:
        journals = [
            (self._journal("conductor.rlog", RACE.head()), RACE.race_events()),
            (self._journal("lane-0.rlog", RACE.head(2, "lane", 0)), RACE.lane_events(0)),
        ]
        self.stage = "record"
        for journal, events in journals:
            for start in range(0, len(events), EVENTS_PER_UNIT):
                batch = events[start : start + EVENTS_PER_UNIT]
                for event in batch:
                    journal.record(event)
                await journal.flush()
                self.committed += batch
        self.stage = "finish"
        for journal, _ in journals:
            await journal.finish()

    def _journal(self, name: str, head: Head) -> Journal:
        return Journal(SegmentWriter(self.live / name, head), head, durability=Durability(fsync="always"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one failure did: where it struck, what the user was told, and what can still be read."""

    operation: Operation
    failure: str
    number: int
    struck: str
    stage: str
    told: str
    committed: int
    lost: int
    wrong: int
    rolled: bool
    sealed_after: bool

    @property
    def harmless(self) -> bool:
        """True when nothing committed is missing, nothing was made up, and the race can be sealed after all.

        A user who is shown a traceback was not told what happened: that counts as harm.
        """
        whole = not self.lost and not self.wrong and (self.sealed_after or not self.committed)
        return whole and not self.told.startswith("TRACEBACK")

    @property
    def words(self) -> str:
        """The outcome in a few words."""
        if self.told:
            return f"stops at {self.stage}: {self.told}"
        return "goes on in a new segment, with a note" if self.rolled else "goes on"


def count_operations() -> dict[str, int]:
    """Return how often each operation happens in a race in which nothing fails."""
    with tempfile.TemporaryDirectory() as folder:
        disk = FaultyDisk(Path(folder), kind="truncate", at=0)
        with disk.installed():
            Race(Path(folder)).run()
    return {operation: disk.counts.get(operation, 0) for operation in FAILURES}


def outcomes() -> Iterator[Outcome]:
    """Yield the outcome of every failure of every operation."""
    for operation, times in count_operations().items():
        for number in range(1, times + 1):
            for failure, action in FAILURES[operation].items():  # type: ignore[index]  # its own keys
                yield run_once(operation, failure, action, number)  # type: ignore[arg-type]  # its own keys


def run_once(operation: Operation, failure: str, action: Action, number: int) -> Outcome:
    """Run a race whose ``number``-th ``operation`` fails, then seal what it left on a disk that works again."""
    with tempfile.TemporaryDirectory() as folder:
        race = Race(Path(folder))
        disk = FaultyDisk(Path(folder), kind=operation, at=number, action=action)
        told = ""
        with disk.installed():
            try:
                race.run()
            except RacelogError as error:
                told = str(error).replace(folder + "/", "")
            except OSError as error:
                told = f"TRACEBACK {error}"
        left = _readable(race)
        missing, wrong = facts(race.committed) - left, _without_notes(left) - facts(RACE.events())
        return Outcome(
            operation, failure, number, disk.struck, race.stage, told, len(race.committed),
            lost=missing.total(), wrong=wrong.total(), rolled=_rolled(race), sealed_after=_seal_again(race),
        )  # fmt: skip


def _readable(race: Race) -> Counter[Fact]:
    """Return what a user finds: the sealed race, else its segments."""
    return read_facts(race.sealed if race.sealed.exists() else race.live)


def _without_notes(found: Counter[Fact]) -> Counter[Fact]:
    return Counter(
        {fact: n for fact, n in found.items() if not (isinstance(fact, bytes) and b'"k":"note"' in fact)}
    )


def _rolled(race: Race) -> bool:
    path = race.sealed if race.sealed.exists() else race.live
    try:
        return any("recording goes on in" in note.text for note in open_log(path).of(Note))
    except RacelogError:
        return False


def _seal_again(race: Race) -> bool:
    """Tell whether the race is sealed with all that was committed, now or after another try."""
    if not race.sealed.exists():
        try:
            seal(race.live, race.sealed)
        except (RacelogError, OSError):
            return False
    return not facts(race.committed) - read_facts(race.sealed)


def main() -> int:
    """Print the table and the count; return 1 if a failure did harm."""
    rows = list(outcomes())
    for row in rows:
        verdict = "ok" if row.harmless else f"HARM ({row.lost} lost, {row.wrong} wrong)"
        click.echo(
            f"{row.operation:6} {row.number:3} {row.failure:11} {row.struck:28} "
            f"{row.committed:2} committed, {verdict}: {row.words}"
        )
    harmful = [row for row in rows if not row.harmless]
    click.echo(f"{len(rows)} failures, {len(harmful)} of them did harm")
    return 1 if harmful else 0


if __name__ == "__main__":
    sys.exit(main())
