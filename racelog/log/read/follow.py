"""Following a log while it grows: each poll returns what was committed since the last."""

from pathlib import Path

from racelog.errors import RaceNotFound
from racelog.events import AnyEvent
from racelog.log.format.codec import OrderedEvent
from racelog.log.format.units import UnitScanner
from racelog.log.read.reader import LogReport, UnitReader
from racelog.log.read.scan import READ_BYTES, log_files


class LogFollower:
    """Reads a growing file or a directory of growing segments, never the same unit twice.

    Segments may appear at any time. A torn tail is simply not there yet: every poll starts anew at the last
    verified unit, so a tail that its writer cuts off and writes again is read as it then is. When the race is
    sealed its directory goes away; polls then return nothing more, and what was read stays. Whether a sealed file supersedes
    what was read cannot be known in time: put beside its segments, it is read as well.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._reader = UnitReader()
        self._committed: dict[Path, int] = {}

    @property
    def report(self) -> LogReport:
        """What was read so far."""
        return self._reader.report

    def poll(self, limit_bytes: int | None = None) -> list[AnyEvent]:
        """Return the newly committed events, ordered by time within this poll. Cost: the new bytes.

        With ``limit_bytes`` at most about so many bytes of each file are read, and at least a unit: whoever comes late to a
        long race polls until nothing more comes, and never holds all of it.
        """
        try:
            files = log_files(self.path)
        except (RaceNotFound, FileNotFoundError):  # not there yet, or sealed between listing and opening
            return []
        fresh: list[OrderedEvent] = []
        for file in files:
            fresh += self._read_on(file, limit_bytes)
        fresh.sort(key=lambda entry: entry[:4])
        return [entry[4] for entry in fresh]

    def _read_on(self, file: Path, limit_bytes: int | None) -> list[OrderedEvent]:
        """Return the events of one file's units committed since the last poll."""
        begin = self._committed.get(file, 0)
        scanner = UnitScanner(begin)
        step = READ_BYTES if limit_bytes is None else min(READ_BYTES, limit_bytes)
        fresh: list[OrderedEvent] = []
        try:
            with file.open("rb") as stream:
                stream.seek(scanner.committed)
                while data := stream.read(step):
                    for found in scanner.feed(data):
                        fresh += self._reader.read(file.name, found)
                    if limit_bytes is not None and scanner.committed - begin >= limit_bytes:
                        break
        except FileNotFoundError:  # sealed between listing and opening
            return fresh
        self._committed[file] = scanner.committed
        return fresh
