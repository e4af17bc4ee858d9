"""`racelog.open`: a race's log by any of the names that a race answers to."""

import os
from pathlib import Path

from racelog.home import find_race, home_folder
from racelog.log.format.names import sealed_sibling
from racelog.log.read.library import Log


def open_race(race: str | Path = "latest", *, home: str | Path | None = None) -> Log:
    """Return the log of ``race``: a path, an id, the beginning of one, or ``latest``, as for `racelog.connect`.

    Raises:
        RaceNotFound: nothing answers to it.
        InputError: a prefix fits several races.
        LogError: the log cannot be read, or never was one.
        TypeError: it is no name at all.
    """
    name = race_name(race)
    sealed = sealed_sibling(Path(name))
    if sealed is not None and sealed.exists():
        return Log(name)  # it knows what took the place of a race that ran
    return Log(find_race(name, home_folder(home)))


def race_name(race: object) -> str:
    """Return what names a race as text.

    Raises:
        TypeError: it is neither text nor a path.
    """
    if not isinstance(race, str | bytes | os.PathLike):
        raise TypeError(
            f"a race is a path, an id, the beginning of one, or 'latest'; not {type(race).__name__} {race!r}"
        )
    return os.fsdecode(race)
