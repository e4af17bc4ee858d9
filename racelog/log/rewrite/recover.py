"""Recovering: everything readable of a damaged or crashed log, written as a fresh whole file that says what is gone.

A file with nothing wrong is copied byte for byte; anything else is written anew as one sealed file, with a `Gap` for
each stretch that was lost. A torn tail was never committed: it is noted, and is no loss.
"""

import shutil
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from racelog.display.text import counted
from racelog.errors import InputError, LogError, SeveralRaces
from racelog.events import AnyEvent, Gap, Note
from racelog.log.format.names import sealed_sibling
from racelog.log.format.progress import Progress, silent
from racelog.log.format.units import TRAILER_BYTES, Trailer
from racelog.log.read.exact import Gathered, UnitPlace, fresh_head, gather
from racelog.log.read.reader import FileDamage
from racelog.log.read.scan import log_files
from racelog.log.read.writer_alive import recorder_at_work
from racelog.log.rewrite.rewrite import write_sealed_race
from racelog.log.rewrite.seal import finish_seal, seal
from racelog.log.rewrite.verify import Verdict, WriterAccount, verify_log
from racelog.log.write.atomic import check_target, new_file


@dataclass(slots=True)
class Loss:
    """One stretch of a log that cannot be read any more.

    ``units`` is an inclusive range of the writer's sequence numbers, None where nothing tells which; ``events`` is
    None where nothing tells how many. A unit that is missing without any damaged byte has ``length`` 0.
    """

    file: str
    offset: int
    length: int
    reason: str
    writer: str | None = None
    units: tuple[int, int] | None = None
    events: int | None = None
    lane: int | None = None
    t: int = 0

    def __str__(self) -> str:
        where = (
            f"{self.file}: {counted(self.length, 'byte')} at offset {self.offset:,}: " if self.length else ""
        )
        return f"{where}{self.reason}{self._whose()}"

    def _whose(self) -> str:
        events = "" if self.events is None else f", {counted(self.events, 'event')}"
        if self.units is None:
            return events
        first, last = self.units
        units = f"unit {first}" if first == last else f"units {first} to {last}"
        return f" ({units} of writer {self.writer}{events})"


@dataclass(slots=True)
class Recovery:
    """What `recover` did: where the whole file lies (None where none was needed), and what it could not bring back.

    ``silent_lanes`` are the engines whose lanes left nothing here; a log that has only lost such reads whole.
    """

    source: str
    target: str | None
    events: int
    chunks: int
    duplicate_units: int
    losses: list[Loss] = field(default_factory=list)
    uncommitted: list[FileDamage] = field(default_factory=list)
    segments_kept: bool = True
    silent_lanes: list[str] = field(default_factory=list)


def recover(path: Path, target: Path | None, *, force: bool = False, progress: Progress = silent) -> Recovery:
    """Write everything readable in the log at ``path`` to ``target`` as a whole file, and say what is lost.

    Without a ``target``, a directory of segments is sealed beside itself, its segments kept if any byte of them is
    damaged; one that a seal was killed over before it could remove them is removed. A file with nothing wrong needs nothing. Cost: reads the log once where nothing is wrong with it, else
    twice, with all of it in memory, and what was written once.

    Raises:
        RaceNotFound, NotALog, NewerLog, LogError: the log cannot be read at all.
        SeveralRaces: it holds more than one race.
        InputError: ``target`` exists and ``force`` is not set, or is needed and missing.
        StorageError: ``target`` cannot be written.
    """
    in_place = target is None
    if target is None and path.is_dir():
        target = sealed_sibling(path.resolve())
    sealed = in_place and target is not None and not force and target.is_file() and target != path
    if target is not None and not sealed:
        check_target(target, force=force)
    verdict = verify_log(path, progress)
    if len(verdict.race_ids) > 1:
        raise SeveralRaces.of(dict.fromkeys(verdict.race_ids, str(path)))
    if in_place and path.is_dir() and not force and (pid := recorder_at_work(path)) is not None:
        raise LogError(
            f"{path} is still being recorded by process {pid}; wait for it, or copy it out with -o"
        )
    done = Recovery(
        str(path), None if target is None else str(target), verdict.events, verdict.chunks,
        verdict.duplicate_units, uncommitted=verdict.uncommitted, silent_lanes=verdict.silent_lanes,
    )  # fmt: skip
    if sealed and target is not None:
        if not finish_seal(path, target):
            check_target(target, force=False)
        done.segments_kept = path.exists()
    else:
        _make_whole(path, target, verdict, done, in_place=in_place, force=force, progress=progress)
    return done


def _make_whole(
    path: Path,
    target: Path | None,
    verdict: Verdict,
    done: Recovery,
    *,
    in_place: bool,
    force: bool,
    progress: Progress,
) -> None:
    """Write ``target`` in the way that the state of ``path`` asks for."""
    if path.is_file() and _is_whole(verdict):
        if target is not None:
            with new_file(target, force=force) as partial:
                shutil.copyfile(path, partial)
    elif target is None:
        raise InputError(f"{path} is not a whole log; name the file to recover it to: -o {_suggested(path)}")
    elif in_place and not force and verdict.state != "loss" and not verdict.uncommitted:
        seal(path, target, progress)
        done.segments_kept = path.exists()
    else:
        _rewrite(path, target, verdict, done, force=force, progress=progress)


def _is_whole(verdict: Verdict) -> bool:
    """Tell whether all of a file reads, so that its copy is all that can be recovered of it: a lane's lost file is not in it."""
    twice = verdict.duplicate_units or verdict.superseded_units
    return verdict.state != "unfinished" and not (verdict.torn or verdict.uncommitted or twice)


def _rewrite(
    path: Path, target: Path, verdict: Verdict, done: Recovery, *, force: bool, progress: Progress
) -> None:
    """Write what is readable at ``path`` to ``target``, and into both ``done`` and the file what is lost."""
    found = gather(path, progress, exact=True)
    done.losses = find_losses(path, verdict, found)
    events = [*found.log.events, *recorded(done)]
    reason = "recovered with loss" if done.losses else "recovered"
    # What lost something must not supersede a sounder copy of what it was made of.
    head = fresh_head(found, name_sources=not done.losses)
    write_sealed_race(target, head, events, reason=reason, force=force, progress=progress)


def _suggested(path: Path) -> Path:
    return path.with_name(f"{path.stem}.recovered{path.suffix or '.rlog'}")


def recorded(done: Recovery) -> list[AnyEvent]:
    """Return what is written into the recovered log about what is not in it."""
    gaps = [
        Gap(t=loss.t, reason=f"lost before recovery: {loss}", events=loss.events or 0, bytes=loss.length, lane=loss.lane)
        for loss in done.losses
    ]  # fmt: skip
    notes = [
        Note(t=0, level="warning", text=f"recovered; never committed by its recorder: {place}")
        for place in done.uncommitted
    ]
    return [*gaps, *notes]


def find_losses(path: Path, verdict: Verdict, found: Gathered) -> list[Loss]:
    """Return everything that was committed and cannot be read, with whatever is known of it."""
    accounts = {account.writer: account for account in verdict.writers}
    files = {file.name: file for file in log_files(path)}
    places: dict[str, list[UnitPlace]] = {}
    for unit in found.places:
        places.setdefault(unit.file, []).append(unit)
    losses = [_placed_loss(files[gone.file], gone, places.get(gone.file, [])) for gone in verdict.damage]
    losses += [loss for account in verdict.writers for loss in _unplaced(account, losses)]
    for account in verdict.writers:
        _share_out(account, [loss for loss in losses if loss.writer == account.writer])
    for loss in losses:
        if loss.writer in accounts:
            loss.lane = accounts[loss.writer].lane
    return losses


def _placed_loss(file: Path, damage: FileDamage, places: list[UnitPlace]) -> Loss:
    """Return a damaged stretch as a loss: which units lay there, by its own trailer or by its neighbours.

    ``places`` are the units of this file in order.
    """
    loss = Loss(damage.file, damage.offset, damage.length, damage.reason)
    index = bisect_left(places, damage.offset, key=lambda place: place.offset)
    before = places[index - 1].trailer if index else None
    after = places[index].trailer if index < len(places) else None
    own = _last_trailer(file, damage)
    if before is not None:
        loss.t, loss.writer = before.t_max, f"{before.writer:016x}"
    if own is not None:
        first = before.seq + 1 if before and before.writer == own.writer and before.seq < own.seq else own.seq
        loss.t, loss.writer, loss.units = own.t_min, f"{own.writer:016x}", (first, own.seq)
        loss.events = own.n_events if first == own.seq else None
    elif after is not None:
        first = before.seq + 1 if before and before.writer == after.writer else 0
        if first < after.seq:
            loss.writer, loss.units = f"{after.writer:016x}", (first, after.seq - 1)
    return loss


def _last_trailer(file: Path, damage: FileDamage) -> Trailer | None:
    """Return the trailer that a damaged stretch ends with, if it still holds: it tells what was in the frame."""
    if damage.length < TRAILER_BYTES:
        return None
    with file.open("rb") as stream:
        stream.seek(damage.offset + damage.length - TRAILER_BYTES)
        return Trailer.unpack(stream.read(TRAILER_BYTES))


def _unplaced(account: WriterAccount, placed: list[Loss]) -> Iterator[Loss]:
    """Yield the units of a writer that are missing though no damaged stretch can have held them, and a lost end."""
    placed_units = sorted(loss.units for loss in placed if loss.writer == account.writer and loss.units)
    for missing in account.missing_units:
        for rest in _without(missing, placed_units):
            yield Loss("", 0, 0, "missing without a trace", account.writer, rest)
    if account.loses_by_not_ending and not any(loss.writer == account.writer for loss in placed):
        yield Loss("", 0, 0, "the sealed file has no end: it was cut", account.writer)


def _without(whole: tuple[int, int], taken: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield what is left of an inclusive range when the ranges in ``taken``, in order, are taken out.

    Ranges, not numbers: what claims to be a unit's number may be anything up to 2**64.
    """
    start, end = whole
    for first, last in taken:
        if start <= last and first <= end:
            if start < first:
                yield start, first - 1
            start = last + 1
    if start <= end:
        yield start, end


def _share_out(account: WriterAccount, losses: list[Loss]) -> None:
    """Give the one loss of a writer without a count what the writer's own total leaves for it."""
    uncounted = [loss for loss in losses if loss.events is None and loss.units is not None]
    if account.lost_events is not None and len(uncounted) == 1:
        rest = account.lost_events - sum(loss.events or 0 for loss in losses)
        uncounted[0].events = max(0, rest)
