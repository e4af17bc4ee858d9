"""A disk that fails, tears or dies at the n-th operation on it: the syscalls of `os`, counted, for one folder.

It stands between Python and the kernel, so it sees the log's writers, `pathlib` and whatever else changes files
under its folder; reads pass through uncounted.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

Operation = Literal["open", "write", "fsync", "rename", "remove", "truncate"]

OPERATIONS: dict[str, Operation] = {
    "open": "open", "write": "write", "fdatasync": "fsync", "fsync": "fsync", "rename": "rename",
    "replace": "rename", "link": "rename", "unlink": "remove", "rmdir": "remove", "ftruncate": "truncate",
}  # fmt: skip
"""The functions of `os` that change files, and what this calls them; a hard link gives a name, as a rename does."""

Action = Callable[[Callable[..., Any], tuple[Any, ...]], Any]
"""What happens instead of an operation: gets the real function and its arguments."""


def fail_with(number: int) -> Action:
    """Return an action that fails with an errno and does nothing."""

    def act(_call: Callable[..., Any], _arguments: tuple[Any, ...]) -> Any:
        raise OSError(number, os.strerror(number))

    return act


def without_directory_sync(call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Refuse to sync a directory, as some network and overlay mounts do; do everything else."""
    if call.__name__ == "fsync" and stat.S_ISDIR(os.fstat(arguments[0]).st_mode):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return call(*arguments)


def write_half(call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Take only the first half of a write, as a disk does that fills up; other operations fail with ENOSPC."""
    if call.__name__ != "write":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    fd, data = arguments
    return call(fd, data[: len(data) // 2])


def die_before(_call: Callable[..., Any], _arguments: tuple[Any, ...]) -> Any:
    """End the process at once, the operation not done: what kill -9 looks like from outside."""
    os._exit(9)


def die_within(call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """End the process halfway through a write; at any other operation, before it."""
    if call.__name__ == "write":
        write_half(call, arguments)
    os._exit(9)


def die_after(call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """End the process as soon as the operation is done."""
    call(*arguments)
    os._exit(9)


class FaultyDisk:
    """Counts the operations on files under ``folder`` and does ``action`` at number ``at`` (from 1) of ``kind``.

    ``kind`` None counts operations of every kind; ``at`` None does ``action`` at each. Use `installed`; one disk at a time.
    """

    def __init__(
        self, folder: Path, *, kind: Operation | None = None, at: int | None = 0, action: Action = die_before
    ) -> None:
        self.counts: dict[str, int] = {}
        self.struck = ""
        self._folder = os.fspath(folder)
        self._kind = kind
        self._at = at
        self._action = action
        self._ours: dict[int, str] = {}

    @contextmanager
    def installed(self) -> Iterator["FaultyDisk"]:
        """Put this disk under every file operation of the process until the block ends."""
        real = {name: getattr(os, name) for name in OPERATIONS}
        close = os.close
        try:
            for name, call in real.items():
                setattr(os, name, self._wrapped(name, call))
            setattr(os, "close", self._closing(close))  # noqa: B010 - an assignment would change a declared type
            yield self
        finally:
            for name, call in real.items():
                setattr(os, name, call)
            setattr(os, "close", close)  # noqa: B010 - see above

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            path = self._path(arguments[0])
            if path is None:
                return call(*arguments, **options)
            result = self._step(OPERATIONS[name], path, call, arguments, options)
            if name == "open":
                self._ours[result] = path
            return result

        return step

    def _step(
        self,
        kind: Operation,
        path: str,
        call: Callable[..., Any],
        arguments: tuple[Any, ...],
        options: dict[str, Any],
    ) -> Any:
        key = kind if self._kind is not None else "any"
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if key == "any":
            self.counts[key] = self.counts.get(key, 0) + 1
        wanted = self._kind in {None, kind}
        if wanted and self._at in (None, self.counts[key]):
            self.struck = f"{kind} {Path(path).name}"
            return self._action(call, arguments)
        return call(*arguments, **options)

    def _path(self, target: Any) -> str | None:
        """Return which file under the folder ``target``, a path or a descriptor, is; None for any other."""
        if isinstance(target, int):
            return self._ours.get(target)
        path = os.fspath(target)
        return path if isinstance(path, str) and path.startswith(self._folder) else None

    def _closing(self, close: Callable[[int], None]) -> Callable[[int], None]:
        def step(fd: int) -> None:
            self._ours.pop(fd, None)
            close(fd)

        return step
