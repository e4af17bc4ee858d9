"""One foreign file in, one log out: found out what it is, read, written, proven."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from racelog.errors import InputError, LogError
from racelog.home import home_folder
from racelog.log.names import SEGMENT_SUFFIX
from racelog.log.progress import Progress, silent
from racelog.log.publish import check_target
from racelog.log.rewrite import write_sealed_race
from racelog_recorder.imports import aiperf, guidellm, vllm_bench, writing
from racelog_recorder.imports.reading import kind_of, opened
from racelog_recorder.imports.shape import Run

READERS: dict[str, Callable[[Path, Progress], Run]] = {
    "aiperf-raw": aiperf.read_raw,
    "aiperf-records": aiperf.read_records,
    "vllm-bench": vllm_bench.read,
    "guidellm": guidellm.read,
}
"""What a file is, as `kind_of` says, and what reads it."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What was imported: the new log, what it was made from, how much is in it, and what a reader must know of it."""

    path: Path
    race_id: str
    tool: str
    version: str
    kind: str
    source: Path
    lanes: int
    requests: int
    chunks: int
    notes: tuple[str, ...]


def import_results(
    file: str | Path,
    target: str | Path | None = None,
    *,
    home: str | Path | None = None,
    engine: str | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> Imported:
    """Write what aiperf, vllm bench or guidellm left in ``file`` as a log to ``target``, or into the races of ``home``.

    The race is called after the tool's clock and the file's bytes, so importing a file again gives the same race.
    ``engine`` names its lane, which is the model otherwise. Cost: the file's facts in memory, a few times its size.

    Raises:
        InputError: the file is not one of theirs, or holds too little; or ``target`` exists and ``force`` is not set.
        StorageError: the log cannot be written; ``target`` is as it was.
    """
    path = Path(file)
    if path.is_dir():
        path = _artifact(path)
    kind = kind_of(path)
    run = READERS[kind](path, progress)
    run.tracks = [writing.check(track) for track in run.tracks]
    if engine:
        _rename(run, engine)
    source = writing.Source(path.name, path.stat().st_size, _hash(path))
    race_id = writing.race_id(run, source)
    log = Path(target) if target is not None else _in_home(race_id, home)
    check_target(log, force=force)
    told = writing.events(run, source)
    try:
        write_sealed_race(
            log, writing.head(run, source), told, reason="imported", force=force, progress=progress
        )
    except (msgspec.EncodeError, UnicodeEncodeError, OverflowError, LogError) as error:
        raise InputError(f"{path} holds what no log can: {error}") from error
    calls = [call for track in run.tracks for call in track.calls]
    return Imported(
        log, race_id, run.tool, run.version, run.kind, path, len(run.tracks), len(calls),
        sum(len(call.chunks) for call in calls), tuple(run.notes),
    )  # fmt: skip


def _artifact(folder: Path) -> Path:
    """Return the fullest of aiperf's files in a folder of its artifacts."""
    for name in ("profile_export_raw.jsonl", "profile_export.jsonl"):
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"{folder} holds none of aiperf's profile_export_raw.jsonl and profile_export.jsonl")


def _rename(run: Run, engine: str) -> None:
    for track in run.tracks:
        track.label = engine if len(run.tracks) == 1 else f"{engine} {track.label}"


def _in_home(race_id: str, home: str | Path | None) -> Path:
    folder = home_folder(home) / "races"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror}") from error
    return folder / f"{race_id}{SEGMENT_SUFFIX}"


def _hash(path: Path) -> str:
    with opened(path) as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
