"""The races' home: where logs live, and how a RACE argument finds one.

    <home>/races/<race id>.rlog     a sealed race
    <home>/races/<race id>.live/    a running (or crashed) race: a directory of segments
    <home>/imported.jsonl           when races that another tool measured came here, a line each

A race id is its UTC start and four random bytes, so ids sort by time and a prefix is enough to name one. A race that
was imported began before it came: it takes its place in the order by when it came, so that ``latest`` is what this home
was given last.
"""

import errno
import json
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from racelog.errors import InputError, RaceNotFound
from racelog.log.format.names import LIVE_SUFFIX, SEGMENT_SUFFIX
from racelog.urls import public_url

IMPORTED = "imported.jsonl"


def home_folder(override: str | Path | None = None) -> Path:
    """Return the home folder: ``override``, else ``RACELOG_HOME``, else the platform's data folder."""
    if override:
        return Path(override).expanduser()
    if configured := os.environ.get("RACELOG_HOME"):
        return Path(configured).expanduser()
    import platformdirs  # noqa: PLC0415 - only needed when nothing else names the folder

    return Path(platformdirs.user_data_dir("racelog", appauthor=False))


def own_folder(path: Path) -> None:
    """Make a folder that racelog keeps for itself, with every folder above it that is missing: nobody else may look into them.

    One that is there stays as it is. What a user asked for by name (an export, a picture) is the user's umask's to decide.

    Raises:
        OSError: it cannot be made.
    """
    for missing in reversed([folder for folder in (path, *path.parents) if not folder.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    path.mkdir(exist_ok=True)  # says so where a file has that name


def new_race_id(wall_ns: int) -> str:
    """Return a fresh id such as ``20261121-013000-9f3a01c2`` for a race that starts at ``wall_ns``."""
    moment = datetime.fromtimestamp(wall_ns / 1e9, tz=UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{os.urandom(4).hex()}"


class StoredRace(NamedTuple):
    """One race in the home folder: its id, where it lies, whether it was sealed, and what it is put in order by."""

    race_id: str
    path: Path
    sealed: bool
    came: str


def note_import(home: Path, race_id: str, wall_ns: int) -> None:
    """Write down that a race of another tool came into ``home`` at ``wall_ns``.

    Raises:
        OSError: it cannot be written.
    """
    moment = datetime.fromtimestamp(wall_ns / 1e9, tz=UTC)
    line = json.dumps({"race_id": race_id, "came": f"{moment:%Y%m%d-%H%M%S.%f}"})
    with (home / IMPORTED).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def imports(home: Path) -> dict[str, str]:
    """Return when each imported race came into ``home``, by its id, in the form in which ids begin; the last time counts.

    A line that cannot be read is as if it were not there.
    """
    try:
        lines = (home / IMPORTED).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    came: dict[str, str] = {}
    for line in lines:
        with suppress(ValueError, TypeError, KeyError):
            told = json.loads(line)
            came[str(told["race_id"])] = str(told["came"])
    return came


def stored_races(home: Path) -> list[StoredRace]:
    """Return the races in ``home``, what came last first; a sealed race hides its own leftover segments.

    A home that is not there yet has none. What is called like a race counts, whatever it holds: `newest` passes over
    those that hold nothing. Cost: a look at each file's kind.

    Raises:
        InputError: what lies there is no folder that can be read; the message says what it is.
    """
    folder = home / "races"
    came = imports(home)
    found: dict[str, StoredRace] = {}
    try:
        for path in folder.iterdir():
            if path.name.endswith(LIVE_SUFFIX) and stat.S_ISDIR(_mode(path)):
                race_id = path.name.removesuffix(LIVE_SUFFIX)
                found.setdefault(
                    race_id, StoredRace(race_id, path, sealed=False, came=came.get(race_id, race_id))
                )
            elif path.name.endswith(SEGMENT_SUFFIX) and stat.S_ISREG(_mode(path)):
                race_id = path.name.removesuffix(SEGMENT_SUFFIX)
                found[race_id] = StoredRace(race_id, path, sealed=True, came=came.get(race_id, race_id))
    except OSError as error:
        if wrong := _what_is_wrong(folder, error):
            raise InputError(
                f"no race can be looked for in {folder}: {wrong}. Name another folder: --home or RACELOG_HOME"
            ) from error
    return sorted(found.values(), key=lambda race: race.came, reverse=True)


def newest(races: Iterable[StoredRace]) -> StoredRace | None:
    """Return which of ``races`` came last, or None: ``latest``. One that holds no unit (an empty file, say) is none.

    Cost: of each race passed over its whole file, of the one found the beginning.
    """
    in_order = sorted(races, key=lambda race: race.came, reverse=True)
    return next((race for race in in_order if holds_a_unit(race.path)), None)


def holds_a_unit(path: Path) -> bool:
    """Return whether a file, or any segment of a folder, may hold a unit: whether a unit's mark is in it at all.

    One that cannot be read may: whoever opens it is told why not.
    """
    from racelog.log.format.units import TRAILER_PREFIX  # noqa: PLC0415 - loads zstandard, which --help does without

    try:
        files = path.glob(f"*{SEGMENT_SUFFIX}") if path.is_dir() else [path]
        return any(_has(file, TRAILER_PREFIX) for file in files)
    except OSError:
        return True


def _has(path: Path, mark: bytes) -> bool:
    """Return whether ``mark`` is anywhere in a file; memory: two megabytes."""
    with path.open("rb") as file:
        tail = b""
        while data := file.read(1 << 20):
            if mark in tail + data:
                return True
            tail = data[1 - len(mark) :]
    return False


def _mode(path: Path) -> int:
    """Return what kind of file lies at ``path``; 0 for a link that leads nowhere.

    Raises:
        OSError: it may not be looked at.
    """
    try:
        return path.stat().st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return 0
        raise


def _what_is_wrong(folder: Path, error: OSError) -> str:
    """Return why ``folder`` cannot be listed, naming what is at fault; empty where it is only not there yet."""
    for part in (*reversed(folder.parents), folder):
        if part.is_symlink() and not _exists(part):
            return f"{part} is a link that leads nowhere"
        if _exists(part) and not part.is_dir():
            return f"{part} is a file, not a folder"
    reason = error.strerror or str(error)
    return "" if error.errno == errno.ENOENT else reason[:1].lower() + reason[1:]


def _exists(path: Path) -> bool:
    """Return whether something lies at ``path``; a text that can be no path (too long, say) names nothing."""
    try:
        return path.exists()
    except OSError:
        return False


def _latest(races: list[StoredRace], home: Path) -> Path:
    """Return the race of ``home`` that came last.

    Raises:
        RaceNotFound: none of them holds a unit.
    """
    if latest := newest(races):
        return latest.path
    raise RaceNotFound(
        f"no race 'latest': nothing in {home / 'races'} holds a unit of a log. See what there is: racelog ls"
    )


def find_race(race: str, home: Path) -> Path:
    """Return the log that ``race`` names: a path, ``latest``, a race id or a unique prefix of one.

    Raises:
        RaceNotFound: nothing answers to it; the message lists what there is.
        InputError: a prefix fits several races; the message lists them. Or the home cannot be read.
    """
    if not race.strip():
        raise RaceNotFound("the race has no name: it is empty; give a path, an id or latest")
    as_path = Path(race)
    if _exists(as_path):
        return as_path
    if "://" in race:
        raise RaceNotFound(
            f"{public_url(race)} is a URL, which racelog sql and racelog shell read; copy it here first"
        )
    if as_path.suffix == SEGMENT_SUFFIX:
        raise RaceNotFound(f"no log at {race}")
    races = stored_races(home)
    if not races:
        raise RaceNotFound(f"no race {race!r}: {home / 'races'} is empty. Record one: racelog record")
    if race == "latest":
        return _latest(races, home)
    matches = [stored for stored in races if stored.race_id.startswith(race)]
    if len(matches) == 1:
        return matches[0].path
    exact = [stored for stored in matches if stored.race_id == race]
    if exact:
        return exact[0].path
    if not matches:
        recent = ", ".join(stored.race_id for stored in races[:3])
        raise RaceNotFound(
            f"no race {race!r} in {home / 'races'}; the newest are {recent}. List all: racelog ls"
        )
    several = ", ".join(stored.race_id for stored in matches[:5])
    raise InputError(f"{race!r} fits {len(matches)} races ({several}); give a longer prefix")
