"""Reading a log that only flows by: a pipe, standard input, a socket. Nothing is kept but the unit at hand."""

import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from racelog.errors import LogError, NotALog
from racelog.events import AnyEvent
from racelog.log.format.units import Damage, Unit, UnitScanner
from racelog.log.read.reader import LogReport, UnitReader
from racelog.log.read.scan import READ_BYTES


class LogStream:
    """The events of a log read from an open binary file, once, as its units come: each unit in its own order.

    Units are not sorted by time, because the last one may hold the earliest event; a sealed file's come by time. What
    `report` says is complete when the stream has ended. Where segments and the file they were sealed into flow by, both
    are read: which supersedes which is known only at the end. Memory: one unit, and about 200 bytes to remember each by.

    Raises:
        NotALog: the stream ended without a unit.
        NewerLog: a unit uses a newer major format.
        LogError: the stream cannot be read.
        TypeError: it is no open binary file.
    """

    def __init__(self, file: BinaryIO, name: str = "") -> None:
        if not hasattr(file, "read") or isinstance(file, io.TextIOBase):
            raise TypeError(
                f"a log flows from an open binary file, as open(path, 'rb') gives; not from {file!r}"
            )
        self._file = file
        self.name = name or str(getattr(file, "name", "stream"))
        self._reader = UnitReader()

    @property
    def report(self) -> LogReport:
        """What was read so far."""
        return self._reader.report

    def __iter__(self) -> Iterator[AnyEvent]:
        for events in self.by_unit():
            yield from events

    def by_unit(self) -> Iterator[list[AnyEvent]]:
        """Yield the events of each unit as it comes."""
        for found in self.units(UnitScanner()):
            self.report.bytes += found.end - found.offset
            events = [entry[4] for entry in self._reader.read(self.name, found)]
            if events:
                yield events
        if not self.report.units:
            raise NotALog(f"{self.name} is not a racelog log: it holds no committed unit")

    def units(self, scanner: UnitScanner) -> Iterator[Unit | Damage]:
        """Yield every verified unit and the damage between them, the tail last, as ``scanner`` finds them."""
        for data in self._pieces():
            yield from scanner.feed(data)
        tail = scanner.finish()
        if tail is not None:
            yield tail

    def _pieces(self) -> Iterable[bytes]:
        # A buffered reader's `read` waits for all it was asked for; `read1` gives what a live pipe has.
        read = getattr(self._file, "read1", self._file.read)
        try:
            while data := read(READ_BYTES):
                yield data
        except OSError as error:
            raise LogError(f"cannot read {self.name}: {error.strerror}") from error
