"""What becomes of a race's segments: one packed file, or, when it was told to stop, one file at once.

Packing takes 6 us a chunk, so long for a long race that a second Ctrl+C seemed not to be heard. Who stops a race gets
the same facts in a file that is not packed, in the time that copying it takes; ``racelog compact`` packs it later.
"""

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

from racelog.console.progress import ProgressLine
from racelog.errors import InputError
from racelog.home import own_folder
from racelog.log.format.names import LIVE_SUFFIX
from racelog.log.format.progress import Progress, silent
from racelog.log.rewrite.seal import payload_bytes, put_together, seal
from racelog_recorder.cli.messages import tell
from racelog_recorder.conductor.paths import Paths

AT_STOP_BYTES = 1 << 20
"""Of a race that was told to stop so much is packed all the same: 70,000 chunks, 0.45 s of one core."""


class _Stopped(Exception):  # noqa: N818 - a turn, not an error
    """The race was told to stop while its log was packed."""


def seal_race(paths: Paths, stopped: Callable[[], bool], *, quiet: bool) -> bool:
    """Make one file of a race's segments and return whether it is packed; ``stopped`` is asked again and again meanwhile.

    Under another name, which ``paths`` then have, if somebody took the one that was asked for.

    Raises:
        LogError, StorageError: as `seal`.
    """
    own_folder(paths.sealed.parent)
    if not quiet:
        tell("sealing the log")
    while True:
        try:
            return _seal(paths, stopped, quiet=quiet)
        except InputError as error:
            if not os.path.lexists(paths.sealed):
                raise
            paths.sealed = another_name(paths.sealed)
            tell(f"{error}: this one is {paths.sealed}")


def another_name(output: Path) -> Path:
    """Return ``output`` with the first number behind its name that no log has."""
    names = (output.with_name(f"{output.stem}-{number}{output.suffix}") for number in count(2))
    return next(name for name in names if not (name.exists() or name.with_suffix(LIVE_SUFFIX).exists()))


def _seal(paths: Paths, stopped: Callable[[], bool], *, quiet: bool) -> bool:
    long = payload_bytes(paths.live) > AT_STOP_BYTES
    if long and stopped():
        put_together(paths.live, paths.sealed)
        return False
    with ProgressLine() as line:
        try:
            seal(paths.live, paths.sealed, _until(stopped if long else _never, silent if quiet else line))
        except _Stopped:
            put_together(paths.live, paths.sealed)
            return False
    return True


def _never() -> bool:
    return False


def _until(stopped: Callable[[], bool], progress: Progress) -> Progress:
    """Return ``progress`` that ends the work it is told of once the race is ``stopped``."""

    def told(doing: str, done: int, total: int) -> None:
        if stopped():
            raise _Stopped
        progress(doing, done, total)

    return told
