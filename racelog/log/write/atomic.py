"""A new file takes its name only when it is whole, and never another file's unless that was asked for.

What is written lies beside its target under a name that no reader looks at, is synced, and is then linked or
renamed into place. A crash at any instant leaves the old file, or the new one, and at most one partial beside it.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from racelog.errors import InputError, StorageError
from racelog.log.write.os_errors import refusal

PARTIAL_SUFFIX = ".partial"
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def check_target(target: Path, *, force: bool) -> None:
    """Refuse a target that cannot be written, before any work is done for it.

    A link stands for what it leads to, be that not there yet.

    Raises:
        InputError: ``target`` exists and ``force`` is not set, is a directory, a device or a pipe, or lies in a folder
            that is not there.
    """
    place = _place(target)
    if place.is_dir():
        raise InputError(f"{target} is a directory; name a file")
    if place.exists() and not place.is_file():
        raise InputError(
            f"{target} is {_kind(place)}, which a whole file cannot take the place of; name a file"
        )
    if not place.parent.is_dir():
        leads = "" if place == target else f", to which it leads through {place}"
        raise InputError(f"cannot write {target}: there is no folder {place.parent}{leads}")
    if not force and os.path.lexists(place):
        raise InputError(f"{target} exists already; name another file, or overwrite it with --force")


def _place(target: Path) -> Path:
    """Return where ``target`` leads, if it is a link.

    Raises:
        InputError: it leads in a circle.
    """
    if not target.is_symlink():
        return target
    if target.exists() and not target.is_file():
        return target  # a device by another name, as /dev/stdout is: what it leads to may have no name
    place = Path(os.path.realpath(target))
    if place.is_symlink():
        raise InputError(f"{target} is a link that leads to itself; name a file")
    return place


def _kind(place: Path) -> str:
    """Return what a thing is that is neither a file nor a directory."""
    mode = place.stat().st_mode
    kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"))  # fmt: skip
    return next((name for is_one, name in kinds if is_one(mode)), "no file")


def publish(target: Path, content: bytes, *, force: bool = False) -> None:
    """Write ``content`` as ``target``, whole or not at all.

    Raises:
        InputError: as `check_target`.
        StorageError: it cannot be written; ``target`` is as it was, and nothing else is left.
    """
    with new_file(target, force=force) as partial:
        partial.write_bytes(content)


@contextmanager
def new_file(target: Path, *, force: bool = False) -> Iterator[Path]:
    """Give a path to write to; at the end of the block it is synced and becomes ``target``.

    If the block raises, the partial file is removed and ``target`` is as it was.

    Raises:
        InputError: as `check_target`; also when ``target`` appeared meanwhile.
        StorageError: the file cannot be written, synced or moved into place.
    """
    check_target(target, force=force)
    place = _place(target)
    partial = place.with_name(place.name + PARTIAL_SUFFIX)
    try:
        partial.unlink(missing_ok=True)
        yield partial
        sync(partial)
        _take_name(partial, place, force=force)
        sync(place.parent)
    except FileExistsError as error:
        raise InputError(
            f"{target} exists already; name another file, or overwrite it with --force"
        ) from error
    except OSError as error:
        raise StorageError(f"cannot write {target}: {refusal(error)}") from error
    except StorageError as error:  # of whoever wrote the partial file, whose name tells a user nothing
        raise StorageError(str(error).replace(str(partial), str(target))) from error
    finally:
        with suppress(OSError):  # where nothing can be written there is nothing to remove
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


def sync(path: Path) -> None:
    """Force a file, or the names in a directory, to the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
