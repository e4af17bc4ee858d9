"""Where races for SQL are looked for: one home or several, folders or URLs, and which logs a name in them stands for."""

import glob
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from racelog.errors import RaceNotFound
from racelog.home import find_race, home_folder, imports, newest, stored_races
from racelog.log.format.names import LIVE_SUFFIX, SEGMENT_SUFFIX
from racelog.query.sources.folders import logs_of
from racelog.query.sources.remote import RemoteLog, is_remote, logs_of_home, race_id_of, remote_logs

Home = str | Path | Sequence[str | Path | None] | None
"""One home, several, or the usual one; the first that is a folder keeps the cache. A home may be a URL."""


@dataclass(frozen=True, slots=True)
class Homes:
    """The homes to look in: folders, and the logs of those that are URLs; ``cache`` is the folder that keeps the cache."""

    folders: list[Path]
    remote: list[RemoteLog]
    cache: Path

    @classmethod
    def of(cls, several: Sequence[str | Path | None]) -> "Homes":
        """Return the homes named; where none of them is a folder, the usual one keeps the cache.

        Raises:
            InputError: a URL cannot be listed.
            LogError: the other side of a URL does not answer.
        """
        folders = [home_folder(one) for one in several if not is_remote(one)]
        remote = [log for one in several if is_remote(one) for log in logs_of_home(str(one))]
        return cls(folders, remote, folders[0] if folders else home_folder(None))

    def all(self) -> list[Path | RemoteLog]:
        """Return every race there is."""
        stored: list[Path | RemoteLog] = [race.path for home in self.folders for race in stored_races(home)]
        return stored + list(self.remote)

    def latest(self, ids: Iterable[str]) -> str | None:
        """Return which of these races came last; None where none was imported, so that it is the greatest id."""
        came = {race_id: when for home in self.folders for race_id, when in imports(home).items()}
        known = list(ids)
        if came.keys().isdisjoint(known):
            return None
        return max(known, key=lambda race_id: came.get(race_id, race_id))

    def find(self, race: str | Path) -> list[Path] | list[RemoteLog]:
        """Return what ``race`` names: a URL's logs, else one here, else one of a home that is a URL.

        Raises:
            RaceNotFound: nothing answers to it.
            InputError: a prefix fits several races.
        """
        if is_remote(race):
            return remote_logs(str(race))
        ids = {race_id_of(log): log for log in self.remote}
        latest = max(ids, default="")
        if race == "latest" and latest:
            here = newest(race for home in self.folders for race in stored_races(home))
            if here is None or latest > here.came:
                return [ids[latest]]
        try:
            return [log for path in named_races(str(race), self.folders) for log in logs_of(path)]
        except RaceNotFound:
            matching = [race_id for race_id in ids if race_id.startswith(str(race))]
            if race in ids or len(matching) == 1:
                return [ids.get(str(race)) or ids[matching[0]]]
            raise


def named_races(race: str, homes: Sequence[Path]) -> list[Path]:
    """Return the logs that ``race`` names: all that match a pattern, else the one that `find_race` finds.

    Of several homes the first that has it counts, and ``latest`` is the latest of all.

    Raises:
        RaceNotFound: nothing answers to it.
        InputError: a prefix fits several races.
    """
    if any(sign in race for sign in "*?[") and not Path(race).exists():
        matching = [Path(found) for found in sorted(glob.glob(race, recursive=True))]  # noqa: PTH207 - absolute patterns too
        logs = [path for path in matching if path.suffix in (SEGMENT_SUFFIX, LIVE_SUFFIX)]
        if not logs:
            raise RaceNotFound(f"no log matches {race!r}")
        return logs
    if race == "latest" and (latest := newest(found for home in homes for found in stored_races(home))):
        return [latest.path]
    for home in homes[:-1]:
        with suppress(RaceNotFound):
            return [find_race(race, home)]
    if homes:
        return [find_race(race, homes[-1])]
    if Path(race).exists():
        return [Path(race)]
    raise RaceNotFound(f"no race {race!r} in the homes named")
