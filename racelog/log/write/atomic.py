"""A new file takes its name only when it is whole, and never another file's unless that was asked for.

What is written lies beside its target under a name that no reader looks at, is synced, and is then linked or
renamed into place. A crash at any instant leaves the old file, or the new one, and at most one partial beside it.

Whatever takes a name or syncs one does it here: `new_file` and `publish` for what a user asked for, `replaced` for what
the program keeps for itself, `move` for a file that was written elsewhere.
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
"""Of a file that a user named, while it is written: after a crash, its name says what it was to be."""

PARTIAL_PREFIX = ".partial-"
"""Of what the program keeps for itself, while it is written: several processes may write the same at once."""

DIRECTORIES_WITHOUT_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})
"""What file systems answer that keep no directory to sync (some network and overlay mounts): nothing is wrong then."""

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
        sync_directory(place.parent)
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


@contextmanager
def replaced(target: Path, *, durable: bool) -> Iterator[Path]:
    """Give a path to write to; at the end of the block it takes the place of ``target`` in one step.

    Of several processes at once the last one's file holds, whole. If the block raises, ``target`` is as it was.
    ``durable`` costs two syncs (milliseconds); leave it out for what can be made again.

    Raises:
        OSError: the file cannot be synced or moved into place.
    """
    partial = partial_beside(target)
    try:
        yield partial
        if durable:
            sync(partial)
        move(partial, target, durable=durable)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def partial_beside(target: Path) -> Path:
    """Return a name beside ``target`` that nobody else uses."""
    return target.with_name(f"{PARTIAL_PREFIX}{os.getpid()}-{os.urandom(4).hex()}")


def move(source: Path, target: Path, *, durable: bool) -> None:
    """Give ``source`` the name ``target``, whatever had it; ``durable``: return when the name survives a power failure.

    Raises:
        OSError: it cannot be moved, or its folder cannot be synced.
    """
    source.replace(target)
    if durable:
        sync_directory(target.parent)


def sync(path: Path) -> None:
    """Return when what a file holds is on the disk.

    Raises:
        OSError: the disk failed.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_directory(path: Path) -> None:
    """Return when the names in a directory are on the disk, or at once on a file system that cannot sync a directory.

    Raises:
        OSError: the disk failed.
    """
    try:
        sync(path)
    except OSError as error:
        if error.errno not in DIRECTORIES_WITHOUT_SYNC:
            raise
