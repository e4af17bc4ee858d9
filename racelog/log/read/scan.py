"""Files to verified units: which files make up a log, and the walk over one of them. Nothing is decoded here."""

import stat
from collections.abc import Iterator
from pathlib import Path

from racelog.errors import InputError, LogError, RaceNotFound
from racelog.log.format.names import SEGMENT_SUFFIX
from racelog.log.format.units import Damage, Unit, UnitScanner

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFDIR: "a folder",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}

READ_BYTES = 1 << 20
"""Read at once from a file that is walked from its front."""


def log_files(path: Path) -> list[Path]:
    """Return the files that make up the log at ``path``: itself, or a directory's segments by name.

    What is called like a segment and is no file (a pipe, a folder, a device) is none: `passed_over` names it.

    Raises:
        RaceNotFound: there is nothing at ``path``.
        InputError: ``path`` is neither a file nor a directory: reading it could wait or go on for ever.
    """
    if path.is_dir():
        return sorted(file for file in path.glob(f"*{SEGMENT_SUFFIX}") if file.is_file())
    if not path.exists():
        raise RaceNotFound(f"no log at {path}")
    if not path.is_file():
        raise InputError(
            f"{path} is {kind_of_file(path)}, not a file; save it to one, or pipe it: racelog cat - < {path}"
        )
    return [path]


def passed_over(path: Path) -> list[str]:
    """Return, for people, what in a directory is called like a segment and is no file."""
    if not path.is_dir():
        return []
    odd = sorted(file for file in path.glob(f"*{SEGMENT_SUFFIX}") if not file.is_file())
    return [f"{file} is {kind_of_file(file)}, not a file: passed over" for file in odd]


def kind_of_file(path: Path) -> str:
    """Return what lies at ``path``, which is no file, in words."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return "a link to nothing"
    return _KINDS.get(stat.S_IFMT(mode), "no ordinary file")


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
