"""Sealing: a race's segments become one compact file, proven equal before it takes their place.

Columns of a flush window are joined into long ones, per lane or source, and everything is compressed harder. The
new file is written beside its target, read back, compared chunk by chunk with the segments, synced, and only
then renamed; the segments are removed last. A crash at any instant leaves either the segments or both.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path

import msgspec

from racelog.errors import InputError, LogError, StorageError
from racelog.events import AnyEvent, Finish, Head, Tokens
from racelog.log.advice import refusal
from racelog.log.codec import encode_events
from racelog.log.gather import exact_events, gather
from racelog.log.reader import RaceLog
from racelog.log.samples import Samples, join_samples, rows_alone
from racelog.log.scan import log_files
from racelog.log.segment import SegmentWriter, new_writer_id
from racelog.text import counted

CHUNKS_PER_BATCH = 16384
"""Longest column in a sealed file, and rows in a unit: what one damaged byte may cost, and the least a seek decodes. Half as
many cost 4 % more, twice as many double what a seek takes (docs/decisions/0009-packed-columns.md)."""

EVENTS_PER_UNIT = 4096
ROWS_PER_UNIT = CHUNKS_PER_BATCH

_HASH_BYTES = 16
_rows = msgspec.json.Encoder()

Progress = Callable[[str], None]


def join_batches(batches: Iterable[Tokens]) -> list[Tokens]:
    """Return one lane's chunk batches joined into columns of at most `CHUNKS_PER_BATCH`, same chunks, same times.

    The batches must be of one lane; they are taken in time order.
    """
    rows: list[tuple[int, int, str, str, int | None, str]] = []
    lane = 0
    for batch in batches:
        lane = batch.lane
        rows += chunk_rows(batch)
    rows.sort(key=lambda row: row[0])
    starts = range(0, len(rows), CHUNKS_PER_BATCH)
    return [columns(lane, rows[start : start + CHUNKS_PER_BATCH]) for start in starts]


def chunk_rows(batch: Tokens) -> list[tuple[int, int, str, str, int | None, str]]:
    """Return a batch as rows of (t, request, text, kind code, tokens, stamp code), defaults filled in."""
    size = len(batch.r)
    times = []
    t = batch.t
    for delta in batch.d:
        t += delta
        times.append(t)
    kinds = batch.c or "c" * size
    counts = batch.n or [None] * size
    stamps = batch.s or "k" * size
    return list(zip(times, batch.r, batch.x, kinds, counts, stamps, strict=True))


def columns(lane: int, rows: list[tuple[int, int, str, str, int | None, str]]) -> Tokens:
    """Return rows in time order as one batch, leaving out the columns that hold only defaults."""
    times, requests, texts, kinds, counts, stamps = zip(*rows, strict=True)
    deltas = [0, *(later - earlier for earlier, later in pairwise(times))]
    return Tokens(
        t=times[0],
        lane=lane,
        r=list(requests),
        d=deltas,
        x=list(texts),
        c="" if all(kind == "c" for kind in kinds) else "".join(kinds),
        n=[] if all(count is None for count in counts) else list(counts),
        s="" if all(stamp == "k" for stamp in stamps) else "".join(stamps),
    )


def sealed_events(log: RaceLog) -> list[AnyEvent]:
    """Return the race's events as a sealed file holds them: joined columns, no per-segment ends."""
    by_lane: dict[int, list[Tokens]] = {}
    readings: list[Samples] = []
    rest: list[AnyEvent] = []
    for event in log.events:
        if isinstance(event, Tokens):
            by_lane.setdefault(event.lane, []).append(event)
        elif isinstance(event, Samples):
            readings.append(event)
        elif not isinstance(event, Head | Finish):
            rest.append(event)
    batches = [batch for lane in sorted(by_lane) for batch in join_batches(by_lane[lane])]
    return sorted([*rest, *join_samples(readings), *batches], key=lambda event: event.t)


def sealed_units(events: Iterable[AnyEvent]) -> Iterator[list[AnyEvent]]:
    """Yield ``events`` in the portions that a sealed file commits as units, in their order."""
    unit: list[AnyEvent] = []
    rows = 0
    for event in events:
        size = len(getattr(event, "d", ()))
        if unit and (rows + size > ROWS_PER_UNIT or len(unit) >= EVENTS_PER_UNIT):
            yield unit
            unit, rows = [], 0
        unit.append(event)
        rows += size
    if unit:
        yield unit


def fingerprint(events: Iterable[AnyEvent]) -> tuple[int, int]:
    """Return what names the multiset of facts in ``events``, columns taken apart: their number, and the sum of their hashes.

    Neither order nor columns change it. That two races have the same by chance is as likely as for a hash of 128 bits.
    Cost: a hash per fact; memory for one event.
    """
    number = total = 0
    for event in events:
        for fact in _facts_alone(event):
            number += 1
            total += int.from_bytes(blake2b(fact, digest_size=_HASH_BYTES).digest())
    return number, total % (1 << 8 * _HASH_BYTES)


def _facts_alone(event: AnyEvent) -> Iterator[bytes]:
    """Yield every fact of ``event`` by itself: its rows where it has columns."""
    if isinstance(event, Tokens):
        for row in chunk_rows(event):
            yield _rows.encode((event.lane, *row))
    elif isinstance(event, Samples) and event.d:
        yield from rows_alone(event)
    elif not isinstance(event, Head | Finish):
        yield encode_events([event])


def seal(directory: Path, target: Path, progress: Progress | None = None) -> Path:
    """Rewrite the segments in ``directory`` as the single file ``target`` and remove them; return ``target``.

    Damaged stretches of the segments cannot be carried over, nor what a writer appends meanwhile; the segments are
    then kept beside the target so that nothing is lost in silence. Files that are no segments are left alone.

    Raises:
        InputError: ``target`` exists already.
        LogError: the written file does not read back equal; the segments are untouched.
        StorageError: the target cannot be written, and the segments are untouched; or it is whole, and the segments
            cannot be removed.
    """
    tell = progress or (lambda _text: None)
    if target.exists():
        raise InputError(f"{target} exists already; sealing never overwrites a log")
    log = gather(directory, exact=True).log
    tell(f"sealing {counted(log.report.chunks, 'chunk')}")
    events = sealed_events(log)
    partial = target.with_name(target.name + ".sealing")
    try:
        partial.unlink(missing_ok=True)
        _write_sealed(log, events, partial)
    except OSError as error:
        raise StorageError(f"cannot remove {partial}, left by a crash: {refusal(error)}") from error
    except StorageError:
        with suppress(OSError):  # the failure to write is what the user must hear of
            partial.unlink(missing_ok=True)
        raise
    if fingerprint(exact_events(partial)) != fingerprint(log.events):
        raise LogError(
            f"the sealed file {partial} does not read back equal; the segments in {directory} are untouched"
        )
    _rename_synced(partial, target)
    if not log.report.damage and _size(directory) == (log.report.files, log.report.bytes):
        try:
            _remove_segments(directory)
        except OSError as error:
            raise StorageError(
                f"{target} is sealed and whole, but its segments in {directory} cannot be removed: {error.strerror}; "
                "remove them by hand"
            ) from error
    return target


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


def _write_sealed(log: RaceLog, events: list[AnyEvent], path: Path) -> None:
    """Write ``events`` to ``path`` as one finished segment of the role ``seal``."""
    head = log.first(Head)
    if head is None:
        raise LogError(f"{log.path} has no segment head; nothing says which race this is")
    sources = sorted({segment.writer for segment in log.of(Head)})
    last = max(event.t for event in log.events)
    fresh = Head(
        t=0, race_id=head.race_id, writer=f"{new_writer_id():016x}", role="seal",
        mono_origin_ns=head.mono_origin_ns, racelog_version=head.racelog_version, sources=sources,
    )  # fmt: skip
    with SegmentWriter(path, fresh, sealed=True) as writer:
        for unit in sealed_units(events):
            writer.commit(unit)
        writer.finish(last, "sealed")


def _rename_synced(source: Path, target: Path) -> None:
    """Move ``source`` to ``target`` so that the name survives power loss."""
    try:
        source.rename(target)
        directory = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise StorageError(f"cannot move the sealed log to {target}: {refusal(error)}") from error
