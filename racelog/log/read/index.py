"""Time seek: which units of a log can speak of a stretch of time, found from the trailers alone.

A trailer says when its unit begins and ends, how long its frame is, and so where the trailer before it lies. The
list of trailers, sorted by time, is all the index there is; none is stored (docs/decisions/0004-no-stored-index.md).
"""

import os
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple, Self

from racelog.errors import LogError, NotALog
from racelog.log.format.units import (
    FRAMING_VERSION,
    TRAILER_BYTES,
    Damage,
    Trailer,
    Unit,
    UnitKind,
    UnitScanner,
    trailer_fields,
)
from racelog.log.read.scan import READ_BYTES, log_files

MOST_OPEN = 64
"""Files held open; of more, each is opened when it is read: a limit of 256 open files is common."""

BLOCK_BYTES = 64 << 10
"""Read at once on the way back. A live unit has a few hundred bytes to a few KiB, so that a read finds many trailers;
of a sealed unit it is one read for one trailer, and a tenth of a race."""


class UnitSpan(NamedTuple):
    """Where a unit lies, and the time it speaks of. Only its trailer was checked so far.

    A tuple, in the order that units are sorted by: a race of an hour has tens of thousands.
    """

    t_min: int
    writer: int
    seq: int
    t_max: int
    file: int
    offset: int
    end: int
    kind: int = UnitKind.DATA


class LogIndex:
    """The units of one file, of a directory's segments, or of several of either, by time.

    Holds its first `MOST_OPEN` files open, so that a race sealed meanwhile stays readable; close it, or use it in a ``with``
    block.
    What is committed after it was made is not in it. Cost: one small read a unit, 0.02 s for an hour of one lane's
    flushes, 1 ms for a sealed hour; a file with damage is read through instead.

    Raises:
        RaceNotFound: there is nothing at ``path``.
        NotALog: no file there holds a unit.
        NewerLog: a unit uses a newer major format.
        LogError: a file cannot be read.
    """

    def __init__(self, *paths: Path) -> None:
        self.files: list[Path] = []
        self.damage: list[tuple[Path, Damage]] = []
        """What a walk found between units; where the trailers form a chain there is none, but frames may be damaged."""
        self._streams: list[FileIO] = []
        spans: list[UnitSpan] = []
        try:
            for file in (file for path in paths for file in log_files(path)):
                spans += self._add(file)
        except BaseException:
            self.close()
            raise
        if not spans:
            self.close()
            where = ", ".join(map(str, paths))
            raise NotALog(f"{where} is not a racelog file: it holds no committed unit")
        self._arrange(sorted(spans))

    def _arrange(self, spans: list[UnitSpan]) -> None:
        """Take ``spans``, which are in order, as all there is."""
        self.spans = spans
        self._starts = [span.t_min for span in spans]
        self._ends = list(accumulate((span.t_max for span in spans), max))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.spans)

    @property
    def start_ns(self) -> int:
        """The earliest instant that any unit speaks of."""
        return self._starts[0]

    @property
    def end_ns(self) -> int:
        """The latest instant that any unit speaks of."""
        return self._ends[-1]

    @property
    def finished(self) -> bool:
        """True when every writer closed its segment properly."""
        ended = {span.writer for span in self.spans if span.kind == UnitKind.FINISH}
        return all(span.writer in ended for span in self.spans)

    def leave_out(self, writers: frozenset[int]) -> None:
        """Forget the units of ``writers``; at least one of another must be left."""
        if writers:
            self._arrange([span for span in self.spans if span.writer not in writers])

    def overlapping(self, start_ns: int, end_ns: int) -> Iterator[UnitSpan]:
        """Yield the units that may hold facts from ``start_ns`` to before ``end_ns``, by their beginnings.

        Cost: two binary searches, and a step for every unit between the first that reaches the stretch and its end.
        """
        first = bisect_left(self._ends, start_ns)  # before it, every unit ended too early
        last = bisect_left(self._starts, end_ns)
        return (span for span in self.spans[first:last] if span.t_max >= start_ns)

    def read(self, span: UnitSpan) -> list[Unit | Damage]:
        """Return the verified unit of ``span``, or the damage in its place.

        Raises:
            LogError: the file cannot be read.
        """
        scanner = UnitScanner(span.offset)
        found = list(scanner.feed(self._bytes(span.file, span.offset, span.end - span.offset)))
        tail = scanner.finish()
        return [*found, tail] if tail else found

    def close(self) -> None:
        """Close the files; closing twice is fine."""
        while self._streams:
            with suppress(OSError):
                self._streams.pop().close()

    def _add(self, file: Path) -> list[UnitSpan]:
        """Return the spans of one more file."""
        try:
            stream = file.open("rb", buffering=0)
        except OSError as error:
            raise LogError(f"cannot read {file}: {error.strerror}") from error
        number = len(self.files)
        self.files.append(file)
        self._streams.append(stream)
        try:
            chain = self._chain(number, os.fstat(stream.fileno()).st_size)
            return chain if chain is not None else self._walk(number)
        finally:
            if number >= MOST_OPEN:
                self._streams.pop().close()

    def _chain(self, file: int, size: int) -> list[UnitSpan] | None:
        """Return a file's spans by hopping from its last trailer to its first byte; None if the chain is broken."""
        spans = []
        end = size
        block, block_start = b"", size
        while end:
            at = end - TRAILER_BYTES
            if at < 0:
                return None
            if at < block_start:
                block_start = max(0, end - BLOCK_BYTES)
                block = self._bytes(file, block_start, end - block_start)
            fields = trailer_fields(block[at - block_start : end - block_start])
            if fields is None:
                return None
            kind, _, version, writer, seq, t_min, t_max, _, frame_bytes, _, _ = fields
            if frame_bytes > at or version > FRAMING_VERSION:
                return None
            spans.append(UnitSpan(t_min, writer, seq, t_max, file, at - frame_bytes, end, kind))
            end = at - frame_bytes
        return spans

    def _walk(self, file: int) -> list[UnitSpan]:
        """Return the spans of a file that has damage, or a tail that is not committed yet, by reading all of it."""
        scanner = UnitScanner()
        spans = []
        offset = 0
        while data := self._bytes(file, offset, READ_BYTES):
            offset += len(data)
            for found in scanner.feed(data):
                if isinstance(found, Unit):
                    spans.append(_span(file, found.offset, found.end, found.trailer))
                else:
                    self.damage.append((self.files[file], found))
        tail = scanner.finish()
        if tail is not None:
            self.damage.append((self.files[file], tail))
        return spans

    def _bytes(self, file: int, offset: int, size: int) -> bytes:
        if not self._streams:
            raise LogError(f"{self.files[file]} is closed; open the log again")
        try:
            if file < len(self._streams):
                return os.pread(self._streams[file].fileno(), size, offset)
            with self.files[file].open("rb", buffering=0) as stream:
                return os.pread(stream.fileno(), size, offset)
        except OSError as error:
            raise LogError(f"cannot read {self.files[file]}: {error.strerror}") from error


def _span(file: int, offset: int, end: int, trailer: Trailer) -> UnitSpan:
    return UnitSpan(
        trailer.t_min, trailer.writer, trailer.seq, trailer.t_max, file, offset, end, trailer.kind
    )
