"""Compacting: sealing later. A log becomes one sealed file, and takes the old one's place once proven equal."""

from dataclasses import dataclass
from pathlib import Path

from racelog.errors import InputError, LogError
from racelog.events import Finish, Head
from racelog.log.format.names import sealed_sibling
from racelog.log.format.progress import Progress, silent
from racelog.log.read.exact import fresh_head, gather
from racelog.log.read.scan import log_files
from racelog.log.read.writer_alive import recorder_at_work
from racelog.log.rewrite.cut import CUT_REASONS
from racelog.log.rewrite.rewrite import compacted, write_race
from racelog.log.rewrite.seal import seal
from racelog.log.rewrite.verify import Verdict, verify_log
from racelog.log.write.atomic import check_target, new_file


@dataclass(slots=True)
class Compaction:
    """What `compact` did; ``replaced`` is False where the log was as compact as it gets."""

    source: str
    target: str
    bytes_before: int
    bytes_after: int
    replaced: bool


def compact(
    path: Path, target: Path | None = None, *, force: bool = False, progress: Progress = silent
) -> Compaction:
    """Rewrite the whole log at ``path`` as one sealed file, at ``target`` or in its own place.

    In place, a file is replaced only by one that is smaller and reads back equal; a directory of segments is sealed
    beside itself. What this racelog does not know is kept byte for byte.

    Raises:
        LogError: the log is damaged (recover it first), or what was written does not read back equal; nothing changed.
        InputError: ``target`` exists and ``force`` is not set.
        StorageError: the disk is full or failing; nothing changed.
    """
    if target is not None:
        check_target(target, force=force)
    before = sum(file.stat().st_size for file in log_files(path))
    _check_sound(path, verify_log(path, progress))
    if target is None and path.is_dir():
        sealed = sealed_sibling(path.resolve())
        if sealed is None:
            raise InputError(f"{path} is not named like a running race; name the file to write: -o OUT")
        if (pid := recorder_at_work(path)) is not None:
            raise LogError(
                f"{path} is still being recorded by process {pid}; its recorder seals it at the end"
            )
        seal(path, sealed, progress)
        return Compaction(str(path), str(sealed), before, sealed.stat().st_size, replaced=True)
    found = gather(path, progress, exact=True)
    heads = list(found.log.of(Head))
    already = [head.role for head in heads] == ["seal"] and not found.log.report.duplicate_units
    if target is None and already:
        return Compaction(str(path), str(path), before, before, replaced=False)
    place = path.resolve() if target is None else target  # a link keeps pointing at the file it names
    try:
        with new_file(place, force=force or target is None) as partial:
            events = compacted(found.log.events)
            # What a cut holds, another file may hold as well, and merging must know.
            cut = next((end.reason for end in found.log.of(Finish) if end.reason in CUT_REASONS), None)
            write_race(partial, fresh_head(found), events, reason=cut or "compacted", progress=progress)
            after = partial.stat().st_size
            if target is None:
                _check_worth_it(path, before, after)
    except _NotSmaller:
        return Compaction(str(path), str(path), before, before, replaced=False)
    return Compaction(str(path), str(place), before, after, replaced=True)


def _check_worth_it(path: Path, before: int, after: int) -> None:
    """Refuse to replace a file that has changed since it was read, or is no larger than the new one."""
    if path.stat().st_size != before:
        raise LogError(f"{path} grew while it was compacted; try again when nobody writes to it")
    if after >= before:
        raise _NotSmaller


class _NotSmaller(Exception):  # noqa: N818 - a turn, not an error
    """The new file would be no smaller: the old one stays."""


def _check_sound(path: Path, verdict: Verdict) -> None:
    """Refuse a log of which something would not be carried over."""
    if verdict.state == "loss":
        raise LogError(
            f"{path} is damaged, and compacting would drop what is left of it; try: racelog recover"
        )
    if verdict.uncommitted:
        raise LogError(f"{path} ends in bytes that were never committed; try: racelog recover")
