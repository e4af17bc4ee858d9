"""A new file takes its name only when it is whole, and never another file's unless that was asked for.

What is written lies beside its target under a name that no reader looks at, is synced, and is then linked or
renamed into place. A crash at any instant leaves the old file, or the new one, and at most one partial beside it.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from racelog.errors import InputError, StorageError
from racelog.log.advice import refusal

PARTIAL_SUFFIX = ".partial"
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def check_target(target: Path, *, force: bool) -> None:
    """Refuse a target that cannot be written, before any work is done for it.

    Raises:
        InputError: ``target`` exists and ``force`` is not set, is a directory, or lies in a folder that is not there.
    """
    if target.is_dir():
        raise InputError(f"{target} is a directory; name a file")
    if not target.parent.is_dir():
        raise InputError(f"cannot write {target}: there is no folder {target.parent}")
    if not force and os.path.lexists(target):
        raise InputError(f"{target} exists already; name another file, or overwrite it with --force")


@contextmanager
def new_file(target: Path, *, force: bool = False) -> Iterator[Path]:
    """Give a path to write to; at the end of the block it is synced and becomes ``target``.

    If the block raises, the partial file is removed and ``target`` is as it was.

    Raises:
        InputError: as `check_target`; also when ``target`` appeared meanwhile.
        StorageError: the file cannot be synced or moved into place.
    """
    check_target(target, force=force)
    partial = target.with_name(target.name + PARTIAL_SUFFIX)
    try:
        partial.unlink(missing_ok=True)
        yield partial
        _sync(partial)
        _take_name(partial, target, force=force)
        _sync(target.parent)
    except FileExistsError as error:
        raise InputError(
            f"{target} exists already; name another file, or overwrite it with --force"
        ) from error
    except OSError as error:
        raise StorageError(f"cannot write {target}: {refusal(error)}") from error
    finally:
        partial.unlink(missing_ok=True)


def _take_name(partial: Path, target: Path, *, force: bool) -> None:
    """Give ``partial`` the name ``target`` in one step; without ``force`` only if nothing has that name."""
    if force:
        partial.replace(target)
        return
    try:
        os.link(partial, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file system without hard links: looking first leaves an instant in which another could take the name.
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
        partial.replace(target)


def _sync(path: Path) -> None:
    """Force a file, or the names in a directory, to the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
