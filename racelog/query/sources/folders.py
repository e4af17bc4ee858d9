"""A folder named for a query: one race's segments, or many races, each a file or a running race's folder of its own."""

from pathlib import Path

from racelog.errors import InputError, NotALog
from racelog.log.format.names import LIVE_SUFFIX
from racelog.log.read.index import LogIndex
from racelog.log.read.superseded import heads_of_files


def logs_of(path: Path) -> list[Path]:
    """Return the logs that ``path`` stands for: itself, or every race in a folder that holds several.

    Cost: the first unit of every writer in a folder.

    Raises:
        InputError: a race of such a folder lies there in segments, which only a folder of their own tells together.
        LogError: a file cannot be read.
    """
    if not path.is_dir() or path.suffix == LIVE_SUFFIX:
        return [path]
    running = sorted(folder for folder in path.glob(f"*{LIVE_SUFFIX}") if folder.is_dir())
    races = _files_by_race(path)
    if len(races) + len(running) < 2:  # noqa: PLR2004 - one race is what a folder is as a rule
        return [path]
    for race_id, segments in races.items():
        if len(segments) > 1 and any(segments.values()):
            names = " ".join(sorted(file.name for file in segments))
            raise InputError(
                f"{path} holds several races, and race {race_id!r} in {len(segments)} segments ({names}); put them together "
                f"first: racelog merge {names} -o OUT.rlog"
            )
    return sorted(file for segments in races.values() for file in segments) + running


def _files_by_race(folder: Path) -> dict[str, dict[Path, bool]]:
    """Return each race's files in ``folder``, and whether a file is a segment: one of several that tell of it."""
    races: dict[str, dict[Path, bool]] = {}
    try:
        with LogIndex(folder) as index:
            for file, head in heads_of_files(index):
                files = races.setdefault(head.race_id, {})
                files[file] = files.get(file, False) or head.role in ("lane", "telemetry")
    except NotALog:
        return {}
    return races
