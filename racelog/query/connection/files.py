"""The only files a query can open: cached columns, by name, for reading.

DuckDB's own fence (``allowed_paths``) lets ``COPY ... TO`` write what it lets a query read. Here a file opens for
reading or not at all, so no statement, however it got past the others, can change the cache.
"""

import datetime as dt
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fsspec

SCHEME = "racelog"


def address(name: str) -> str:
    """Return the name by which a query's view refers to the file ``name``."""
    return f"{SCHEME}://{name}"


class ReadOnlyFiles(fsspec.AbstractFileSystem):  # type: ignore[misc]  # fsspec ships no types
    """The files of one connection, ``name -> path``; nothing else exists, and nothing can be written."""

    protocol = SCHEME
    cachable = False  # one connection's files are not another's

    def __init__(self, files: Mapping[str, Path]) -> None:
        super().__init__()
        self._files = dict(files)

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return the size of one file."""
        name = self._name(path)
        return {"name": name, "size": self._files[name].stat().st_size, "type": "file"}

    def exists(self, path: str, **_: Any) -> bool:
        """Return whether ``path`` is one of the files."""
        return str(self._strip_protocol(path)) in self._files

    def glob(self, path: str, **_: Any) -> list[str]:
        """Return ``path`` if it is one of the files: names are never patterns."""
        return [path] if self.exists(path) else []

    def modified(self, path: str) -> dt.datetime:
        """Return one instant for all: a cached file never changes."""
        self._name(path)
        return dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

    def open(self, path: str, mode: str = "rb", **_: Any) -> "Pages":
        """Open for reading.

        Raises:
            PermissionError: any other mode.
            FileNotFoundError: it is none of the files.
        """
        if mode != "rb":
            raise PermissionError(f"{path} cannot be written: a query reads only")
        return Pages(self._files[self._name(path)])

    def _name(self, path: str) -> str:
        name = str(self._strip_protocol(path))
        if name not in self._files:
            raise FileNotFoundError(f"no cached file {name}")
        return name


class Pages:
    """A file to read parts of. It holds no descriptor between reads: DuckDB keeps a handle for every file it has seen.

    Its position belongs to the thread: DuckDB seeks and reads one handle from several at once.
    """

    closed = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = path.stat().st_size
        self._here = threading.local()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move this thread's position."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: self._size}[whence]
        self._here.position = base + offset
        return self.tell()

    def tell(self) -> int:
        """Return this thread's position."""
        return int(getattr(self._here, "position", 0))

    def read(self, size: int = -1) -> bytes:
        """Read from this thread's position."""
        start = self.tell()
        fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.pread(fd, self._size - start if size < 0 else size, start)
        finally:
            os.close(fd)
        self._here.position = start + len(data)
        return data

    def seekable(self) -> bool:
        """Return True."""
        return True

    def flush(self) -> None:
        """Do nothing: nothing is ever written."""

    def close(self) -> None:
        """Do nothing: nothing is held."""
