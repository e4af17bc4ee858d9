"""Sealing: a race's segments become one compact file, proven equal before it takes their place.

Columns of a flush window are joined into long ones, per lane or source, and everything is compressed harder. The
new file is written beside its target, read back, compared chunk by chunk with the segments, synced, and only
then renamed; the segments are removed last. A crash at any instant leaves either the segments or both.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from operator import attrgetter
from pathlib import Path

from racelog.errors import InputError, LogError, StorageError
from racelog.events import AnyEvent, Head
from racelog.log.format.progress import Progress, silent
from racelog.log.format.units import Trailer, Unit
from racelog.log.read.exact import ExactEvents, exact_events
from racelog.log.read.index import LogIndex
from racelog.log.read.scan import log_files, scan_file
from racelog.log.read.superseded import heads, superseded
from racelog.log.rewrite.join import CHARACTERS_PER_BATCH, CHUNKS_PER_BATCH, joined
from racelog.log.rows.fingerprint import Facts, fingerprint
from racelog.log.write.atomic import move, sync
from racelog.log.write.files import OsFiles
from racelog.log.write.os_errors import refusal
from racelog.log.write.segment import SegmentWriter, new_writer_id

EVENTS_PER_UNIT = 4096
ROWS_PER_UNIT = CHUNKS_PER_BATCH


MOST_THREADS = 4
"""Beyond, making the units (an eighth of the time that compressing them takes) and memory are what limits."""


def compressing_threads() -> int:
    """Return how many units of a sealed file to compress at once here."""
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return min(MOST_THREADS, len(usable))


def sealed_units(events: Iterable[AnyEvent]) -> Iterator[list[AnyEvent]]:
    """Yield ``events`` in the portions that a sealed file commits as units, in their order."""
    unit: list[AnyEvent] = []
    rows = characters = 0
    for event in events:
        size, text = len(getattr(event, "d", ())), sum(map(len, getattr(event, "x", ())))
        full = rows + size > ROWS_PER_UNIT or characters + text > CHARACTERS_PER_BATCH
        if unit and (full or len(unit) >= EVENTS_PER_UNIT):
            yield unit
            unit, rows, characters = [], 0, 0
        unit.append(event)
        rows, characters = rows + size, characters + text
    if unit:
        yield unit


def seal(directory: Path, target: Path, progress: Progress = silent) -> Path:
    """Rewrite the segments in ``directory`` as the single file ``target`` and remove them; return ``target``.

    Damaged stretches of the segments cannot be carried over, nor what a writer appends meanwhile; the segments are
    then kept beside the target so that nothing is lost in silence. Files that are no segments are left alone. Cost:
    reads the segments and what was written once each; memory as `joined` takes, however long the race.

    Raises:
        InputError: ``target`` exists already.
        LogError: the written file does not read back equal; the segments are untouched.
        StorageError: the target cannot be written, and the segments are untouched; or it is whole, and the segments
            cannot be removed.
    """
    return _replaced(directory, target, lambda partial: _seal_beside(directory, partial, progress))


def put_together(directory: Path, target: Path) -> Path:
    """Make the single file ``target`` of the units in ``directory`` as they are, and remove the segments; return ``target``.

    What `seal` does, without packing anything: who was told to stop has no time for more, and `compact` does the rest
    whenever there is. Damage is treated likewise. Cost: each byte is read, checked and written once, and read once more.

    Raises:
        InputError, LogError, StorageError: as `seal`.
    """
    return _replaced(directory, target, lambda partial: _copy_beside(directory, partial))


def payload_bytes(directory: Path) -> int:
    """Return how much the units in ``directory`` hold unpacked, which is what sealing them takes time for.

    Cost: each byte is read once; nothing is decompressed.
    """
    return sum(
        found.trailer.payload_bytes
        for file in log_files(directory)
        for found in scan_file(file)
        if isinstance(found, Unit)
    )


def _replaced(directory: Path, target: Path, write: Callable[[Path], bool]) -> Path:
    """Put what ``write`` makes of ``directory`` in its place; it tells whether anything there is damaged, and then the segments stay."""
    _refuse_taken(target)
    size = _size(directory)
    partial = target.with_name(target.name + ".sealing")
    try:
        damaged = write(partial)
        _refuse_taken(target)  # it may have been put there while we wrote
        _move(partial, target)
    finally:
        with suppress(OSError):  # whatever ended it, nothing is left beside the target
            partial.unlink(missing_ok=True)
    if not damaged and _size(directory) == size:
        try:
            _remove_segments(directory)
        except OSError as error:
            raise StorageError(
                f"{target} is sealed and whole, but its segments in {directory} cannot be removed: {error.strerror}; "
                "remove them by hand"
            ) from error
    return target


def finish_seal(directory: Path, target: Path) -> bool:
    """Remove the segments in ``directory`` if ``target`` holds each of their facts, as a seal leaves both that was killed last thing.

    Return whether it did; damaged segments, and those that say more or other than ``target``, stay. Cost: one read of both.

    Raises:
        LogError: one of them cannot be read.
        StorageError: the segments cannot be removed.
    """
    with LogIndex(directory) as index:
        index.leave_out(superseded(index))
        found = ExactEvents(index, lambda _done, _total: None)
        facts = fingerprint(found)
        if index.damage or found.damage:
            return False
    if facts != fingerprint(exact_events(target)):
        return False
    try:
        _remove_segments(directory)
    except OSError as error:
        raise StorageError(f"cannot remove the segments in {directory}: {refusal(error)}") from error
    return True


def _seal_beside(directory: Path, partial: Path, progress: Progress) -> bool:
    """Write the segments in ``directory`` to ``partial``, prove it, and tell whether any of them is damaged."""
    with LogIndex(directory) as index:
        index.leave_out(superseded(index))
        found = ExactEvents(index, lambda done, total: progress("sealing", done, total))
        try:
            partial.unlink(missing_ok=True)
            facts = _write_sealed(directory, index, found, partial)
        except OSError as error:
            raise StorageError(f"cannot remove {partial}, left by a crash: {refusal(error)}") from error
        damaged = bool(index.damage or found.damage)
    if facts != fingerprint(
        exact_events(partial, lambda _doing, done, total: progress("proving", done, total))
    ):
        raise LogError(
            f"the sealed file {partial} does not read back equal; the segments in {directory} are untouched"
        )
    return damaged


def _copy_beside(directory: Path, partial: Path) -> bool:
    """Write the units in ``directory`` to ``partial``, prove it, and tell whether any of them is damaged."""
    with LogIndex(directory) as index:
        index.leave_out(superseded(index))
        damaged = bool(index.damage)
        copied: list[Trailer] = []
        try:
            partial.unlink(missing_ok=True)
            with os.fdopen(OsFiles().create(partial), "wb") as out:
                for span in sorted(index.spans, key=attrgetter("file", "offset")):
                    for found in index.read(span):
                        if isinstance(found, Unit):
                            copied.append(found.trailer)
                            out.write(found.frame + found.trailer.pack())
                        else:
                            damaged = True
            sync(partial)
        except OSError as error:
            raise StorageError(f"cannot write {partial}: {refusal(error)}") from error
    if [found.trailer if isinstance(found, Unit) else found for found in scan_file(partial)] != copied:
        raise LogError(
            f"the file {partial} does not read back equal; the segments in {directory} are untouched"
        )
    return damaged


def _write_sealed(
    directory: Path, index: LogIndex, events: Iterable[AnyEvent], path: Path
) -> tuple[int, int]:
    """Write ``events`` to ``path`` as one finished segment of the role ``seal``; return what names their facts."""
    old = sorted(heads(index), key=lambda head: (head.t, int(head.writer, 16)))
    if not old:
        raise LogError(f"{directory} has no segment head; nothing says which race this is")
    fresh = Head(
        t=0, race_id=old[0].race_id, writer=f"{new_writer_id():016x}", role="seal",
        mono_origin_ns=old[0].mono_origin_ns, racelog_version=old[0].racelog_version,
        sources=sorted({head.writer for head in old}),
    )  # fmt: skip
    facts, last = Facts(), 0

    def seen() -> Iterator[AnyEvent]:
        nonlocal last
        for event in events:
            facts.take(event)
            last = event.t
            yield event

    with SegmentWriter(path, fresh, sealed=True) as writer:
        writer.commit_each(sealed_units(joined(seen())), compressing_threads())
        writer.finish(last, "sealed")
    return facts.fingerprint


def _size(directory: Path) -> tuple[int, int]:
    """Return how many segments there are and how many bytes they hold; a writer at work changes either."""
    sizes = [file.stat().st_size for file in log_files(directory)]
    return len(sizes), sum(sizes)


def _remove_segments(directory: Path) -> None:
    """Remove what was sealed, and the directory unless someone else keeps something in it."""
    for file in log_files(directory):
        file.unlink()
    with suppress(OSError):
        directory.rmdir()


def _refuse_taken(target: Path) -> None:
    if os.path.lexists(target):
        raise InputError(f"{target} exists already; sealing never overwrites a log")


def _move(source: Path, target: Path) -> None:
    try:
        move(source, target, durable=True)
    except OSError as error:
        raise StorageError(f"cannot move the sealed log to {target}: {refusal(error)}") from error
