"""One foreign file in, one log out, or one for each result in it: found out what it is, read, written, proven."""

import hashlib
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from racelog.errors import InputError, LogError, StorageError
from racelog.home import IMPORTED, home_folder, note_import, own_folder
from racelog.log.format.names import SEGMENT_SUFFIX
from racelog.log.format.progress import Progress, silent
from racelog.log.rewrite.rewrite import write_sealed_race
from racelog.log.write.atomic import check_target
from racelog.log.write.os_errors import FULL, refusal
from racelog_recorder.imports import aiperf, guidellm, vllm_bench, writing
from racelog_recorder.imports.kinds import kind_of
from racelog_recorder.imports.reading import opened
from racelog_recorder.imports.shape import Run, told_apart

READERS: dict[str, Callable[[Path, Progress], list[Run]]] = {
    "aiperf-raw": aiperf.read_raw,
    "aiperf-records": aiperf.read_records,
    "vllm-bench": vllm_bench.read,
    "guidellm": guidellm.read,
}
"""What a file is, as `kind_of` says, and what reads it: a run for each result in it."""


class SeveralResults(InputError):  # noqa: N818 - reads as the sentence it is
    """One log cannot hold the several results of a file; `import_every` makes a race of each."""


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
        InputError: the file is not one of theirs, holds too little; or ``target`` exists and ``force`` is not set.
        SeveralResults: it holds more than one, which `import_every` takes.
        StorageError: the log cannot be written; ``target`` is as it was.
    """
    path, runs = _read(Path(file), progress)
    if len(runs) > 1:
        raise SeveralResults(f"{path} holds {len(runs)} results")
    return _write(path, runs[0], target, home=home, engine=engine, force=force, progress=progress)


def import_every(
    file: str | Path,
    *,
    home: str | Path | None = None,
    engine: str | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> Iterator[Imported]:
    """Write each result in ``file`` as a race of its own into the races of ``home``, in the file's order.

    ``vllm bench serve --append-result`` puts several into one. Everything else is as with `import_results`.
    """
    path, runs = _read(Path(file), progress)
    for run in runs:
        yield _write(path, run, None, home=home, engine=engine, force=force, progress=progress)


def _read(path: Path, progress: Progress) -> tuple[Path, list[Run]]:
    """Return the file that was read, of a folder the fullest there, and the runs in it."""
    if path.is_dir():
        path = _artifact(path)
    runs = READERS[kind_of(path)](path, progress)
    for run in runs:
        writing.check(run)
    return path, runs


def _write(
    path: Path,
    run: Run,
    target: str | Path | None,
    *,
    home: str | Path | None,
    engine: str | None,
    force: bool,
    progress: Progress,
) -> Imported:
    """Write one run of a file as a log."""
    _name_lanes(run, engine)
    source = _source(path, run)
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
    if target is None:
        _note(home_folder(home), race_id)
    calls = [call for track in run.tracks for call in track.calls]
    return Imported(
        log, race_id, run.tool, run.version, run.kind, path, len(run.tracks), len(calls),
        sum(len(call.chunks) for call in calls), tuple(run.notes),
    )  # fmt: skip


def _note(home: Path, race_id: str) -> None:
    """Write down that the race came now: ``latest`` is what came last."""
    try:
        note_import(home, race_id, time.time_ns())
    except OSError as error:
        raise StorageError(f"cannot write {home / IMPORTED}: {refusal(error)}") from error


def _source(path: Path, run: Run) -> writing.Source:
    """Return what the log says of the file it was made from, or of the one result in it."""
    if run.part is None:
        return writing.Source(path.name, path.stat().st_size, _hash(path))
    name = f"{path.name}, result {run.part.number} of {run.part.of}"
    return writing.Source(name, len(run.part.content), _digest(io.BytesIO(run.part.content)))


def _artifact(folder: Path) -> Path:
    """Return the fullest of aiperf's files in a folder of its artifacts."""
    for name in ("profile_export_raw.jsonl", "profile_export.jsonl"):
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"{folder} holds none of aiperf's profile_export_raw.jsonl and profile_export.jsonl")


def _name_lanes(run: Run, engine: str | None) -> None:
    """Give every lane a name of its own, after ``engine`` where that is asked for."""
    labels = [track.label for track in run.tracks]
    if engine:
        labels = [engine if len(labels) == 1 else f"{engine} {label}" for label in labels]
    for track, label in zip(run.tracks, told_apart(labels), strict=True):
        track.label = label


def _in_home(race_id: str, home: str | Path | None) -> Path:
    folder = home_folder(home) / "races"
    try:
        own_folder(folder)
    except OSError as error:
        kind = StorageError if error.errno in FULL else InputError
        raise kind(f"cannot write into {folder}: {refusal(error)}") from error
    return folder / f"{race_id}{SEGMENT_SUFFIX}"


def _hash(path: Path) -> str:
    with opened(path) as file:
        return _digest(file)


def _digest(file: io.BufferedIOBase) -> str:
    return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
