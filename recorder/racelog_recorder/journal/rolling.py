"""One writer after another: when the disk breaks a promise, recording goes on in a segment of its own.

After a failed fsync the kernel may already have thrown away the pages it could not write, and reports that only
once; asking again would be told that all is well (fsyncgate, 2018). So the segment is left as it is, and its
successor begins with a note of what is in doubt.
"""

import msgspec

from racelog.errors import SyncError
from racelog.events import AnyEvent, Head, Note
from racelog.log.write.segment import SegmentWriter, new_writer_id


class RollingWriter:
    """Writes to ``writer``, and to ``<name>.2.rlog``, ``<name>.3.rlog`` ... beside it after a failed sync.

    A successor has a writer id of its own, and its head names the writer it goes on for in ``sources``. Synchronous;
    the journal calls it from a worker thread.

    Raises:
        StorageError: the log cannot be written any more; a successor that cannot be synced either counts as that.
    """

    def __init__(self, writer: SegmentWriter, head: Head) -> None:
        self._writer = writer
        self._head = head
        self._path = writer.path
        self._part = 1
        self._unsynced = True

    @property
    def unsynced(self) -> bool:
        """True when something was committed since the last sync."""
        return self._unsynced

    def commit(self, events: list[AnyEvent]) -> None:
        """Append ``events`` as one unit."""
        if events:
            self._writer.commit(events)
            self._unsynced = True

    def sync(self, t_ns: int) -> None:
        """Force what was committed to the disk; if that fails, go on in a new segment at ``t_ns``."""
        try:
            self._writer.sync()
        except SyncError as error:
            self._roll(error, t_ns)
        self._unsynced = False

    def finish(self, t_ns: int, reason: str, *, sync: bool) -> None:
        """Close the segment properly; if its last sync fails, its successor says so and is closed instead."""
        try:
            self._writer.finish(t_ns, reason, sync=sync)
        except SyncError as error:
            self._roll(error, t_ns)
            self._writer.finish(t_ns, reason, sync=sync)

    def _roll(self, error: SyncError, t_ns: int) -> None:
        """Leave the segment as it is and start its successor with a note, synced at once."""
        left, head = self._writer, self._head
        left.close()
        self._part += 1
        path = self._path.with_name(f"{self._path.stem}.{self._part}{self._path.suffix}")
        self._head = msgspec.structs.replace(
            head, t=t_ns, writer=f"{new_writer_id():016x}", sources=[head.writer]
        )
        doubtful = left.committed_bytes - left.synced_bytes
        text = (
            f"{error}; whether the last {doubtful:,} of {left.committed_bytes:,} bytes of {left.path.name} survive a "
            f"power failure is unknown; recording goes on in {path.name}"
        )
        self._writer = SegmentWriter(path, self._head, files=left.files)
        self._writer.commit([Note(t=t_ns, text=text, level="error", lane=head.lane)])
        self._writer.sync()
