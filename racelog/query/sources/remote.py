"""Logs that lie elsewhere: by `https://` with nothing more, by `s3://` and the like through fsspec, copied once.

    <home>/cache/remote/<of the URL>/<of its state>.rlog

A copy is an ordinary log from then on. What stands in a URL before ``@`` and after ``?`` is never shown.
"""

import hashlib
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from racelog.errors import InputError, LogError, RacelogError, RaceNotFound
from racelog.home import own_folder
from racelog.log.format.names import SEGMENT_SUFFIX
from racelog.log.write.atomic import replaced
from racelog.query.cache.cache import GRACE_S
from racelog.urls import public_url

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_SIGNS = re.compile(r"[*?\[]")

PART_BYTES = 8 << 20
MOST_BYTES = 8 << 30
MOST_S = 3600
"""A copy that would be larger, or that takes longer, is given up."""

MOST_LOGS = 10_000
"""No pattern and no home stands for more."""

PACKAGES = {
    "s3": "racelog[s3]",
    "s3a": "racelog[s3]",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "az": "adlfs",
}
"""What to install for an address, where fsspec itself does not reach it."""


class RemoteLog(Protocol):
    """One log elsewhere. ``identity`` tells it from others, ``shown`` is safe to print."""

    identity: str
    shown: str

    def state(self) -> tuple[str, int]:
        """Return what changes when the log does, and its size in bytes."""
        ...

    def parts(self) -> Iterator[bytes]:
        """Yield its bytes."""
        ...


class StoredLog:
    """A log in a file system that fsspec knows."""

    def __init__(self, files: Any, path: str, shown: str) -> None:
        self._files = files
        self._path = path
        self.identity = f"{files.protocol}:{path}"
        self.shown = shown

    def state(self) -> tuple[str, int]:
        """Return fsspec's key of the file's present state, and its size."""
        return str(self._files.ukey(self._path)), int(self._files.info(self._path)["size"])

    def parts(self) -> Iterator[bytes]:
        """Yield the file in parts of `PART_BYTES`."""
        with self._files.open(self._path, "rb") as file:
            while part := file.read(PART_BYTES):
                yield part


def is_remote(text: str | Path | None) -> bool:
    """Return whether a RACE or a home is a URL."""
    return isinstance(text, str) and _URL.match(text) is not None


def shown(url: str) -> str:
    """Return a URL without what may be a secret."""
    return public_url(url)


def remote_logs(url: str) -> list[RemoteLog]:
    """Return the logs that a URL names: one, or all that match its pattern, in order of their names.

    Raises:
        InputError: its file system is not installed, or cannot be listed.
        RaceNotFound: nothing matches the pattern.
        LogError: the other side does not answer.
    """
    scheme = url.partition(":")[0].lower()
    if scheme in ("http", "https"):
        return _web_logs(url, scheme)
    files, path = _file_system(url)
    if not _SIGNS.search(path):
        return [StoredLog(files, path, shown(url))]
    with_names = _asked(shown(url), url, lambda: sorted(map(str, files.glob(path))))
    logs = [name for name in with_names if name.endswith(SEGMENT_SUFFIX)]
    if not logs:
        raise RaceNotFound(f"no log matches {shown(url)}")
    _check_number(logs, url)
    return [StoredLog(files, name, shown(files.unstrip_protocol(name))) for name in logs]


def _web_logs(url: str, scheme: str) -> list[RemoteLog]:
    """Return the logs behind an http or https URL: one, or those of a folder that its server's page of it links to."""
    from racelog.query.sources.https import HttpLog  # noqa: PLC0415 - an HTTP client that races here do not need

    folder, _, name = urlsplit(url).path.rpartition("/")
    if _SIGNS.search(folder):
        raise InputError(f"{scheme} cannot list what matches {shown(url)}; name each log")
    if not _SIGNS.search(name):
        return [HttpLog(url, shown(url))]
    from racelog.query.sources.links import linked_logs  # noqa: PLC0415 - as above

    logs = linked_logs(url, shown(url))
    if not logs:
        raise RaceNotFound(f"no log matches {shown(url)}")
    _check_number(logs, url)
    return [HttpLog(log, shown(log)) for log in logs]


def _check_number(logs: Sequence[str], url: str) -> None:
    """Raise `InputError` where a pattern stands for too many logs."""
    if len(logs) > MOST_LOGS:
        raise InputError(f"{len(logs):,} logs match {shown(url)}, more than {MOST_LOGS:,}; name fewer")


def logs_of_home(url: str) -> list[RemoteLog]:
    """Return the logs of a home that is a URL, oldest first; none when there are none. Races that still run are left out.

    Raises:
        InputError: it cannot be listed.
        LogError: the other side does not answer.
    """
    home, mark, query = url.partition("?") if url.lower().startswith("http") else (url, "", "")
    try:
        return remote_logs(f"{home.rstrip('/')}/races/*{SEGMENT_SUFFIX}{mark}{query}")
    except RaceNotFound:
        return []


def race_id_of(log: RemoteLog) -> str:
    """Return the race id that a log's name tells."""
    return unquote(log.shown.rpartition("/")[2]).removesuffix(SEGMENT_SUFFIX)


def local_copy(log: RemoteLog, folder: Path) -> Path:
    """Return a copy of a log in its present state, made if it is not there. Two processes at once make the same.

    Raises:
        LogError: the log is not there, does not come, or is too large.
        OSError: the folder cannot be written.
    """
    key, size = _asked(log.shown, log.identity, log.state)
    if size > MOST_BYTES:
        raise LogError(f"{log.shown} has {size:,} bytes, more than {MOST_BYTES:,}; copy it here yourself")
    place = folder / _digest(log.identity)
    target = place / f"{_digest(f'{key} {size}')}{SEGMENT_SUFFIX}"
    if target.exists():
        return target
    own_folder(place)
    with replaced(target, durable=False) as partial, partial.open("wb") as file:
        for part in _bounded(log, size):
            file.write(part)
    _sweep(place, target)
    return target


def _bounded(log: RemoteLog, size: int) -> Iterator[bytes]:
    """Yield a log's bytes, exactly ``size`` of them, as long as that takes no more than `MOST_S`."""
    came, deadline = 0, time.monotonic() + MOST_S
    parts = log.parts()
    while part := _asked(log.shown, log.identity, lambda: next(parts, b"")):
        came += len(part)
        if came > size or time.monotonic() > deadline:
            break
        yield part
    if came != size:
        raise LogError(
            f"{log.shown} came as {came:,} bytes of {size:,}; it changes, or the way is broken. Try again"
        )


def _file_system(url: str) -> tuple[Any, str]:
    """Return fsspec's file system for a URL, and the path in it."""
    import fsspec  # noqa: PLC0415 - its core loads what a local home does not need

    scheme = url.partition(":")[0].lower()
    if "::" in url:
        raise InputError(f"{scheme}:: addresses within addresses are not read; name the log itself")
    try:
        files, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        package = PACKAGES.get(scheme) or str(error)
        raise InputError(f"{scheme}:// needs a package more: pip install '{package}'") from error
    except Exception as error:  # noqa: BLE001 - each file system raises what it likes
        raise InputError(f"{shown(url)} cannot be opened: {_without(url, error)}") from None
    return files, str(path)


def _asked(name: str, secret: str, question: Any) -> Any:
    """Return the answer of another side; its failure is told without what may be secret."""
    try:
        return question()
    except RacelogError:
        raise
    except Exception as error:  # noqa: BLE001 - each file system raises what it likes
        why = "it is not there" if isinstance(error, FileNotFoundError) else _without(secret, error)
        raise LogError(f"cannot read {name}: {why}") from None


def _without(url: str, error: Exception) -> str:
    """Return what an error says; only its kind where that could hold a URL."""
    said = str(error)
    return (
        said if said and url not in said and "://" not in said and "@" not in said else type(error).__name__
    )


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


def _sweep(place: Path, present: Path) -> None:
    """Remove earlier copies and what crashed copying left, once nobody can be reading them."""
    before = time.time() - GRACE_S
    stale: Iterable[Path] = (file for file in place.iterdir() if file != present)
    for file in stale:
        try:
            if file.stat().st_mtime < before:
                file.unlink(missing_ok=True)
        except OSError:
            continue  # another process swept it
