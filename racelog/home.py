"""The races' home: where logs live, and how a RACE argument finds one.

    <home>/races/<race id>.rlog     a sealed race
    <home>/races/<race id>.live/    a running (or crashed) race: a directory of segments
    <home>/imported.jsonl           when races that another tool measured came here, a line each

A race id is its UTC start and four random bytes, so ids sort by time and a prefix is enough to name one. A race that
was imported began before it came: it takes its place in the order by when it came, so that ``latest`` is what this home
was given last.
"""

import json
import os
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
    """Return the races in ``home``, what came last first; a sealed race hides its own leftover segments."""
    folder = home / "races"
    if not folder.is_dir():
        return []
    came = imports(home)
    found: dict[str, StoredRace] = {}
    for path in folder.iterdir():
        if path.name.endswith(LIVE_SUFFIX) and path.is_dir():
            race_id = path.name.removesuffix(LIVE_SUFFIX)
            found.setdefault(
                race_id, StoredRace(race_id, path, sealed=False, came=came.get(race_id, race_id))
            )
        elif path.name.endswith(SEGMENT_SUFFIX) and path.is_file():
            race_id = path.name.removesuffix(SEGMENT_SUFFIX)
            found[race_id] = StoredRace(race_id, path, sealed=True, came=came.get(race_id, race_id))
    return sorted(found.values(), key=lambda race: race.came, reverse=True)


def _exists(path: Path) -> bool:
    """Return whether something lies at ``path``; a text that can be no path (too long, say) names nothing."""
    try:
        return path.exists()
    except OSError:
        return False


def find_race(race: str, home: Path) -> Path:
    """Return the log that ``race`` names: a path, ``latest``, a race id or a unique prefix of one.

    Raises:
        RaceNotFound: nothing answers to it; the message lists what there is.
        InputError: a prefix fits several races; the message lists them.
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
        return races[0].path
    matches = [stored for stored in races if stored.race_id.startswith(race)]
    if len(matches) == 1:
        return matches[0].path
    exact = [stored for stored in matches if stored.race_id == race]
    if exact:
        return exact[0].path
    if not matches:
        newest = ", ".join(stored.race_id for stored in races[:3])
        raise RaceNotFound(
            f"no race {race!r} in {home / 'races'}; the newest are {newest}. List all: racelog ls"
        )
    several = ", ".join(stored.race_id for stored in matches[:5])
    raise InputError(f"{race!r} fits {len(matches)} races ({several}); give a longer prefix")
