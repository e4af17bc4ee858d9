"""Verifying: is everything that was ever committed to this log still here, whole and possible?

Three things are told apart. A writer without an end (the race runs, or its recorder was killed) is *unfinished*:
its torn tail was never committed, so nothing is lost. *Loss* is what was committed and cannot be read any more.
A *contradiction* reads well and cannot have happened.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal

from racelog.display.text import counted
from racelog.errors import LogError, NotALog
from racelog.events import (
    AnyEvent,
    Finish,
    Gap,
    Head,
    LaneEnd,
    LaneFacts,
    LaneStart,
    RaceFacts,
    RequestEnd,
    RequestScheduled,
    Tokens,
    Unknown,
)
from racelog.log.format.codec import decode_unit, time_span
from racelog.log.format.lifecycle import LifecycleChecker
from racelog.log.format.progress import Progress, silent
from racelog.log.format.units import Damage, Trailer, Unit, UnitScanner
from racelog.log.read.reader import FileDamage, RaceLog
from racelog.log.read.scan import log_files, scan_file
from racelog.log.read.stream import LogStream
from racelog.log.read.superseded import superseded_in

TAIL_REASONS = frozenset({"zero tail", "not committed: no trailer follows"})
"""What `UnitScanner.finish` calls the bytes after the last trailer."""

OF_A_LANE = (LaneStart, LaneEnd, RequestScheduled, RequestEnd, Tokens)
"""What is there of every lane that came to its start, or was told that it did not."""

State = Literal["whole", "unfinished", "loss", "contradictory"]


@dataclass(slots=True)
class WriterAccount:
    """What was found of one writer: its units by sequence number, and how it ended."""

    writer: str
    role: str = ""
    lane: int | None = None
    units: int = 0
    finished: bool = False
    missing_units: list[tuple[int, int]] = field(default_factory=list)
    lost_events: int | None = None

    @property
    def loses_by_not_ending(self) -> bool:
        """True for a sealed file without its end: it was proven whole when it was sealed, so it was cut since."""
        return self.role == "seal" and not self.finished


@dataclass(slots=True)
class Verdict:
    """The outcome of `verify_log`: counts, and every finding with its place.

    ``missing_units`` of a writer are inclusive ranges of sequence numbers; ``lost_events`` is None where no end
    tells how many there were. ``recorded_gaps`` are losses that the recorder itself noticed and wrote down. ``silent_lanes`` are
    engines that raced and of which there is no fact at all: their segments are gone. ``deaths`` are those that the recorder wrote down.
    """

    path: str
    files: int = 0
    bytes: int = 0
    units: int = 0
    duplicate_units: int = 0
    superseded_units: int = 0
    events: int = 0
    chunks: int = 0
    writers: list[WriterAccount] = field(default_factory=list)
    damage: list[FileDamage] = field(default_factory=list)
    uncommitted: list[FileDamage] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    recorded_gaps: list[Gap] = field(default_factory=list)
    unknown_kinds: dict[str, int] = field(default_factory=dict)
    race_ids: list[str] = field(default_factory=list)
    silent_lanes: list[str] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)

    @property
    def torn(self) -> bool:
        """Tell whether something committed by a writer that is here does not read; a silent lane has none here."""
        return bool(self.damage) or any(
            account.missing_units or account.loses_by_not_ending for account in self.writers
        )

    @property
    def state(self) -> State:
        """The verdict in one word, the worst that holds."""
        if self.torn:
            return "loss"
        ended = all(account.finished for account in self.writers)
        if self.silent_lanes and ended:
            return "loss"
        if self.contradictions:
            return "contradictory"
        return "whole" if ended else "unfinished"


def verify_log(path: Path, progress: Progress = silent) -> Verdict:
    """Return the verdict on the log at ``path``, a file or a directory of segments.

    Every unit is decompressed, checksummed and decoded, and every request's life is checked; no unit is kept in
    memory. Units that a whole sealed file beside them supersedes are counted alone. Cost: one read of the log.

    Raises:
        RaceNotFound: there is nothing at ``path``.
        NotALog: no file there holds a single readable unit.
        NewerLog: a unit uses a newer major format.
        LogError: a file cannot be read.
    """
    files = log_files(path)
    check = _Check(Verdict(str(path)), superseded_in(files))
    total = sum(file.stat().st_size for file in files)
    for file in files:
        before = check.verdict.bytes
        scanner = UnitScanner()
        for end in check.file(file.name, scan_file(file, scanner), scanner):
            progress("checking", before + end, total)
    return check.conclude()


def verify_stream(stream: LogStream) -> Verdict:
    """Return the verdict on a log that flows by once: as `verify_log`, but nothing in it supersedes anything.

    Raises:
        NotALog, NewerLog, LogError: as `verify_log`.
    """
    check = _Check(Verdict(stream.name))
    scanner = UnitScanner()
    for _end in check.file(stream.name, stream.units(scanner), scanner):
        pass
    return check.conclude()


def lost_stretches(log: RaceLog) -> list[str]:
    """Return what a log that was opened has lost, a line each; an unfinished log's torn tail is no loss."""
    return losses(log.report.damage, log.of(Head), finished=log.report.finished)


def losses(damage: Iterable[FileDamage], heads: Iterable[Head], *, finished: bool) -> list[str]:
    """Return what of ``damage`` is a loss, a line each, and whether a sealed file was cut."""
    sealed = any(head.role == "seal" for head in heads)
    torn_is_fine = not finished and not sealed
    lost = [str(item) for item in damage if not (torn_is_fine and item.reason in TAIL_REASONS)]
    if sealed and not finished:
        lost.append("the sealed file has no end: it was cut")
    return lost


class _Check:
    """Gathers what the walk over a log finds; `conclude` judges it."""

    def __init__(self, verdict: Verdict, superseded: frozenset[int] = frozenset()) -> None:
        self.verdict = verdict
        self._superseded = superseded
        self._lifecycle = LifecycleChecker()
        self._crcs: dict[tuple[int, int], int] = {}
        self._events: Counter[int] = Counter()
        self._promised: dict[int, int] = {}
        self._accounts: dict[int, WriterAccount] = {}
        self._tails: list[tuple[int | None, FileDamage]] = []
        self._races: set[str] = set()
        self._unknown: Counter[str] = Counter()
        self._engines: dict[int, str] = {}
        self._heard: set[int] = set()
        self._died: dict[int, str] = {}
        self._has_all_lanes = False

    def file(self, name: str, units: Iterable[Unit | Damage], scanner: UnitScanner) -> Iterator[int]:
        """Take the units of one file and the damage between them as ``scanner`` finds them; yield the offset reached."""
        self.verdict.files += 1
        writer: int | None = None
        for found in units:
            if isinstance(found, Unit):
                writer = found.trailer.writer
                self.unit(name, found)
            else:
                # Everything but the tail is told only after the scanner has moved past it.
                self.damage(name, found, writer, is_tail=found.offset >= scanner.committed)
            self.verdict.bytes += found.end - found.offset
            yield found.end

    def unit(self, file: str, unit: Unit) -> None:
        """Take one unit whose trailer and frame checksum hold."""
        trailer = unit.trailer
        key = (trailer.writer, trailer.seq)
        if trailer.writer in self._superseded:
            self.verdict.superseded_units += 1
            return
        if key in self._crcs:
            self.verdict.duplicate_units += 1
            if self._crcs[key] != trailer.frame_crc:
                self._contradict(
                    file, unit, f"unit {trailer.seq} of its writer is there twice, and they differ"
                )
            return
        try:
            events = decode_unit(unit)
        except LogError as error:
            self.verdict.damage.append(FileDamage(file, unit.offset, unit.end - unit.offset, str(error)))
            return
        self._crcs[key] = trailer.frame_crc
        self._check_trailer(file, unit, events)
        self._count(trailer, events)

    def damage(self, file: str, damage: Damage, writer: int | None, *, is_tail: bool) -> None:
        """Take a stretch without a readable unit; ``writer`` wrote the unit before it in the same file."""
        place = FileDamage(file, damage.offset, damage.length, damage.reason)
        if is_tail:
            self._tails.append((writer, place))
        else:
            self.verdict.damage.append(place)

    def conclude(self) -> Verdict:
        """Return the verdict on everything taken.

        Raises:
            NotALog: no unit was readable.
        """
        verdict = self.verdict
        if not verdict.units:
            raise NotALog(f"{verdict.path} is not a racelog file: it holds no committed unit")
        for writer, account in self._accounts.items():
            self._settle(writer, account)
        for tail_writer, place in self._tails:
            (verdict.uncommitted if self._may_be_torn(tail_writer) else verdict.damage).append(place)
        verdict.damage.sort(key=lambda place: (place.file, place.offset))
        verdict.writers = list(self._accounts.values())
        verdict.contradictions += self._lifecycle.problems(
            with_gaps=any(gap.events or gap.bytes for gap in verdict.recorded_gaps)
        )
        verdict.race_ids = sorted(self._races)
        if len(self._races) > 1:
            verdict.contradictions.append(
                f"holds {len(self._races)} races: {', '.join(verdict.race_ids)}; take one out: racelog cut {verdict.path} "
                f"--race-id {verdict.race_ids[0]} -o OUT.rlog"
            )
        verdict.unknown_kinds = dict(sorted(self._unknown.items()))
        self._lanes()
        return verdict

    def _may_be_torn(self, writer: int | None) -> bool:
        """Tell whether a torn tail after ``writer``'s last unit is no loss: it never ended and was never sealed."""
        account = None if writer is None else self._accounts.get(writer)
        return account is None or not (account.finished or account.role == "seal")

    def _check_trailer(self, file: str, unit: Unit, events: list[AnyEvent]) -> None:
        trailer = unit.trailer
        if trailer.n_events != len(events):
            self._contradict(
                file, unit, f"its trailer counts {counted(trailer.n_events, 'event')}, it holds {len(events)}"
            )
        elif events and (span := time_span(events)) != (trailer.t_min, trailer.t_max):
            self._contradict(
                file, unit, f"its trailer spans {(trailer.t_min, trailer.t_max)} ns, its events {span}"
            )

    def _contradict(self, file: str, unit: Unit, what: str) -> None:
        self.verdict.contradictions.append(f"{file}: unit at offset {unit.offset}: {what}")

    def _count(self, trailer: Trailer, events: list[AnyEvent]) -> None:
        verdict, writer = self.verdict, trailer.writer
        account = self._accounts.setdefault(writer, WriterAccount(f"{writer:016x}"))
        account.units += 1
        verdict.units += 1
        verdict.events += len(events)
        self._events[writer] += len(events)
        for event in events:
            self._lifecycle.take(event)
            if isinstance(event, OF_A_LANE):
                self._hear(event)
            match event:
                case Tokens():
                    verdict.chunks += len(event.r)
                case Head():
                    account.role, account.lane = event.role, event.lane
                    self._races.add(event.race_id)
                    # Of a race that was cut, a lane may well be outside.
                    self._has_all_lanes |= event.role == "conductor" or bool(event.sources)
                case LaneFacts():
                    self._engines[event.lane] = event.engine
                case RaceFacts() if not account.role:  # its head, which says it better, is lost
                    self._races.add(event.race_id)
                case Finish():
                    account.finished = True
                    self._promised[writer] = event.events + 1  # the Finish itself is not in its own count
                case Gap():
                    verdict.recorded_gaps.append(event)
                case Unknown():
                    self._unknown[event.k] += 1
                case _:
                    pass

    def _hear(self, event: LaneStart | LaneEnd | RequestScheduled | RequestEnd | Tokens) -> None:
        if isinstance(event, LaneEnd) and event.status == "died":
            self._died[event.lane] = event.reason
        else:
            self._heard.add(event.lane)

    def _lanes(self) -> None:
        """Name the lanes that died, and those of which nothing is there."""
        for lane, engine in sorted(self._engines.items()):
            nothing = "" if lane in self._heard else ", and left no fact of its own"
            if lane in self._died:
                self.verdict.deaths.append(
                    f"racelog's recorder of {engine} died{nothing}: {self._died[lane]}"
                )
            elif nothing and self._has_all_lanes:
                self.verdict.silent_lanes.append(engine)

    def _settle(self, writer: int, account: WriterAccount) -> None:
        """Work out which of a writer's units are missing, and how many events went with them."""
        seen = sorted(seq for known, seq in self._crcs if known == writer)
        account.missing_units = [
            (before + 1, after - 1) for before, after in pairwise([-1, *seen]) if after - before > 1
        ]
        if writer in self._promised:
            account.lost_events = self._promised[writer] - self._events[writer]
            if account.lost_events and not account.missing_units:
                self.verdict.contradictions.append(
                    f"writer {account.writer} ended after {counted(self._promised[writer], 'event')}, {self._events[writer]:,} are here"
                )
