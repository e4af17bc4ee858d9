"""Writing: one writer's segment, a unit at a time. Synchronous; the recorder calls it from a worker thread.

A unit is one ``write`` to a file opened for appending. If the kernel takes less than all of it (disk full), the
partial unit is cut off again, so a segment always ends at a committed unit.
"""

import secrets
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

from racelog.errors import StorageError, SyncError
from racelog.events import AnyEvent, Finish, Head
from racelog.log.format.bounds import FREE_EVENTS, FREE_ROWS
from racelog.log.format.codec import encode_events, time_span
from racelog.log.format.units import (
    MAX_PAYLOAD_BYTES,
    SEALED_LEVEL,
    Trailer,
    UnitKind,
    encode_unit,
    live_level,
)
from racelog.log.rows.chunks import halves
from racelog.log.write.files import OS_FILES, Files
from racelog.log.write.os_errors import refusal


def new_writer_id() -> int:
    """Return a random 63-bit writer id; with sequence numbers it names a unit for ever."""
    return secrets.randbits(63)


class SegmentWriter:
    """Appends units of one writer to one file.

    The file must not exist yet: a segment is never continued, a crashed writer's successor starts its own.
    ``sealed`` writes for keeps: compressed hard, columns of chunks packed.
    ``commit`` is durable against the process's death at once, against power loss after ``sync``; the file's name is
    durable from the start.

    Raises:
        StorageError: the file cannot be created or written; everything committed before stays whole.
    """

    def __init__(self, path: Path, head: Head, *, sealed: bool = False, files: Files = OS_FILES) -> None:
        self.path = path
        self.files = files
        self._sealed = sealed
        self._writer = int(head.writer, 16)
        self._seq = 0
        self._events = 0
        self._committed = 0
        self._synced = 0
        try:
            self._fd = files.create(path)
        except OSError as error:
            raise StorageError(f"cannot create the log segment {path}: {refusal(error)}") from error
        try:
            self._write([head], UnitKind.HEAD)
            self._sync_name()
        except BaseException:
            self.close()
            raise

    @property
    def committed_bytes(self) -> int:
        """Bytes of whole units written so far."""
        return self._committed

    @property
    def synced_bytes(self) -> int:
        """Bytes of whole units that the disk has promised to keep."""
        return self._synced

    def commit(self, events: Sequence[AnyEvent]) -> None:
        """Append ``events`` as one data unit (several if they are too large for one); nothing when there are none."""
        if events:
            self._write(events, UnitKind.DATA)

    def commit_each(self, units: Iterable[Sequence[AnyEvent]], threads: int = 1) -> None:
        """Append every one of ``units``, in their order, as `commit` does; up to ``threads`` are compressed at once.

        Compressing hard is nearly all that a sealed unit costs, and it needs no interpreter. Memory: ``threads`` more units
        and compressors (about 20 MiB each at the level of a sealed file).
        """
        pool = ThreadPoolExecutor(threads, thread_name_prefix="compress")
        coming: deque[tuple[Future[bytes], int]] = deque()
        seq = self._seq
        try:
            for payload, events in (part for unit in units if unit for part in self._parts(unit)):
                trailer = self._trailer(UnitKind.DATA, seq, events)
                coming.append((pool.submit(self._encoded, payload, trailer), len(events)))
                seq += 1
                if len(coming) > threads:
                    self._append_next(coming)
            while coming:
                self._append_next(coming)
        finally:
            pool.shutdown(cancel_futures=True)

    def sync(self) -> None:
        """Force what was committed to the disk; milliseconds, so never on a recording loop.

        Never call it again after it failed: the kernel may have thrown the pages away, and a second call that
        succeeds would promise what is gone. Go on in a segment of its own.

        Raises:
            SyncError: whether what was committed since the last good sync survives a power failure is unknown.
        """
        committed = self._committed
        try:
            self.files.sync(self._fd)
        except OSError as error:
            raise SyncError(f"cannot sync {self.path}: {refusal(error)}") from error
        self._synced = committed

    def finish(self, t_ns: int, reason: str = "", *, sync: bool = True) -> None:
        """Append the closing unit, sync unless told not to, and close."""
        self._write([Finish(t=t_ns, events=self._events, reason=reason)], UnitKind.FINISH)
        try:
            if sync:
                self.sync()
        finally:
            self.close()

    def close(self) -> None:
        """Close the file; a segment without `finish` reads as unfinished."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            self.files.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _sync_name(self) -> None:
        """Make the file's name durable: syncing a file does not sync the directory that names it."""
        try:
            self.files.sync_directory(self.path.parent)
        except OSError as error:
            raise SyncError(f"cannot sync the folder {self.path.parent}: {refusal(error)}") from error

    def _write(self, events: Sequence[AnyEvent], kind: UnitKind) -> None:
        """Append ``events`` as one unit, or as several if one cannot hold them."""
        for payload, part in self._parts(events):
            self._append(self._encoded(payload, self._trailer(kind, self._seq, part)), len(part))

    def _parts(self, events: Sequence[AnyEvent]) -> Iterator[tuple[bytes, Sequence[AnyEvent]]]:
        """Yield ``events`` and their payload, halved as often as the limits of a unit ask, a column of chunks too."""
        payload = encode_events(events, packed=self._sealed)
        rows = sum(len(getattr(event, "d", ())) for event in events)
        if len(payload) <= MAX_PAYLOAD_BYTES and len(events) <= FREE_EVENTS and rows <= FREE_ROWS:
            yield payload, events
            return
        if len(events) == 1:
            events = halves(events[0])
        if len(events) == 1 and len(payload) <= MAX_PAYLOAD_BYTES:
            yield payload, events  # a column of readings, which are never so many
            return
        if len(events) == 1:
            raise StorageError(
                f"cannot write to {self.path}: one event of {len(payload)} bytes; the limit is {MAX_PAYLOAD_BYTES}"
            )
        half = len(events) // 2
        yield from self._parts(events[:half])
        yield from self._parts(events[half:])

    def _trailer(self, kind: UnitKind, seq: int, events: Sequence[AnyEvent]) -> Trailer:
        t_min, t_max = time_span(events)
        return Trailer(kind, self._writer, seq, t_min, t_max, len(events))

    def _encoded(self, payload: bytes, trailer: Trailer) -> bytes:
        return encode_unit(payload, trailer, level=SEALED_LEVEL if self._sealed else live_level(len(payload)))

    def _append_next(self, coming: deque[tuple[Future[bytes], int]]) -> None:
        unit, events = coming.popleft()
        self._append(unit.result(), events)

    def _append(self, unit: bytes, events: int) -> None:
        """Append one unit of so many events with a single write, or leave the file as it was.

        A file that was removed takes every byte and keeps none, so its name is looked at too.
        """
        try:
            written = self.files.write(self._fd, unit)
        except OSError as error:
            self._undo()
            raise StorageError(f"cannot write to {self.path}: {refusal(error)}") from error
        if written != len(unit):
            self._undo()
            raise StorageError(
                f"cannot write to {self.path}: the disk took {written:,} of {len(unit):,} bytes, as one does that is full; "
                "free some space, then try again"
            )
        if not self.files.is_at(self._fd, self.path):
            raise StorageError(
                f"{self.path} is not there any more: it was removed or moved while it was written, and what it held is lost"
            )
        self._committed += written
        self._seq += 1
        self._events += events

    def _undo(self) -> None:
        """Cut a partial unit off again.

        If even that fails, readers skip it by its missing trailer; the segment then takes no more units, because
        a later cut would no longer know where the last whole one ends.
        """
        try:
            self.files.truncate(self._fd, self._committed)
        except OSError:
            self.close()
