"""Files to verified units: which files make up a log, and the walk over one of them. Nothing is decoded here."""

from collections.abc import Iterator
from pathlib import Path

from racelog.errors import LogError, RaceNotFound
from racelog.log.names import SEGMENT_SUFFIX
from racelog.log.units import Damage, Unit, UnitScanner

READ_BYTES = 1 << 20
"""Read at once from a file that is walked from its front."""


def log_files(path: Path) -> list[Path]:
    """Return the files that make up the log at ``path``: itself, or a directory's segments by name.

    Raises:
        RaceNotFound: there is nothing at ``path``.
    """
    if path.is_dir():
        return sorted(path.glob(f"*{SEGMENT_SUFFIX}"))
    if not path.exists():
        raise RaceNotFound(f"no log at {path}")
    return [path]


def scan_file(path: Path, scanner: UnitScanner | None = None) -> Iterator[Unit | Damage]:
    """Yield every verified unit of one file and the damage between them, the tail last.

    Raises:
        LogError: the file cannot be read.
    """
    scanner = scanner or UnitScanner()
    try:
        with path.open("rb") as file:
            while data := file.read(READ_BYTES):
                yield from scanner.feed(data)
    except OSError as error:
        raise LogError(f"cannot read {path}: {error.strerror}") from error
    tail = scanner.finish()
    if tail is not None:
        yield tail
