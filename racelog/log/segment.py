"""Writing: one writer's segment, a unit at a time. Synchronous; the recorder calls it from a worker thread.

A unit is one ``write`` to a file opened for appending. If the kernel takes less than all of it (disk full), the
partial unit is cut off again, so a segment always ends at a committed unit.
"""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from racelog.errors import StorageError, SyncError
from racelog.events import AnyEvent, Finish, Head
from racelog.log.advice import refusal
from racelog.log.codec import MAX_EVENTS_PER_UNIT, encode_events, time_span
from racelog.log.files import OS_FILES, Files
from racelog.log.units import MAX_PAYLOAD_BYTES, SEALED_LEVEL, Trailer, UnitKind, encode_unit, live_level


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
        """Append ``events`` as a unit, halved as often as the limits of a unit ask."""
        payload = encode_events(events, packed=self._sealed)
        if len(payload) <= MAX_PAYLOAD_BYTES and len(events) <= MAX_EVENTS_PER_UNIT:
            self._append(payload, events, kind)
            return
        if len(events) == 1:
            raise StorageError(
                f"cannot write to {self.path}: one event of {len(payload)} bytes; the limit is {MAX_PAYLOAD_BYTES}"
            )
        half = len(events) // 2
        self._write(events[:half], kind)
        self._write(events[half:], kind)

    def _append(self, payload: bytes, events: Sequence[AnyEvent], kind: UnitKind) -> None:
        """Append one unit with a single write, or leave the file as it was."""
        t_min, t_max = time_span(events)
        trailer = Trailer(kind, self._writer, self._seq, t_min, t_max, len(events))
        level = SEALED_LEVEL if self._sealed else live_level(len(payload))
        unit = encode_unit(payload, trailer, level=level)
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
        self._committed += written
        self._seq += 1
        self._events += len(events)

    def _undo(self) -> None:
        """Cut a partial unit off again.

        If even that fails, readers skip it by its missing trailer; the segment then takes no more units, because
        a later cut would no longer know where the last whole one ends.
        """
        try:
            self.files.truncate(self._fd, self._committed)
        except OSError:
            self.close()
