"""Writing a race anew as one sealed file: proven to hold what it should before it takes its name."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from racelog.errors import LogError
from racelog.events import AnyEvent, Head
from racelog.log.format.progress import Progress, silent
from racelog.log.read.exact import exact_events
from racelog.log.rewrite.join import joined
from racelog.log.rewrite.seal import compressing_threads, sealed_units
from racelog.log.rows.fingerprint import fingerprint
from racelog.log.write.atomic import new_file
from racelog.log.write.segment import SegmentWriter


def write_race(
    path: Path, head: Head, events: Sequence[AnyEvent], *, reason: str, progress: Progress = silent
) -> None:
    """Write ``events`` to ``path``, which must not exist, as one finished segment, and prove it by reading it back.

    Raises:
        LogError: the file does not read back equal; it is left as it is.
        StorageError: the file cannot be written.
    """
    last = max((event.t for event in events), default=head.t)
    with SegmentWriter(path, head, sealed=True) as writer:
        writer.commit_each(_told(sealed_units(events), len(events), progress), compressing_threads())
        writer.finish(last, reason)
    written = exact_events(path, lambda _doing, done, total: progress("proving", done, total))
    if fingerprint(written) != fingerprint(events):
        raise LogError(f"what was written to {path} does not read back equal; nothing was replaced")


def _told(units: Iterable[list[AnyEvent]], total: int, progress: Progress) -> Iterator[list[AnyEvent]]:
    """Yield ``units``, saying how many of the ``total`` events they have brought so far."""
    done = 0
    for unit in units:
        progress("writing", done, total)
        yield unit
        done += len(unit)


def write_sealed_race(
    target: Path,
    head: Head,
    events: Sequence[AnyEvent],
    *,
    reason: str,
    force: bool = False,
    progress: Progress = silent,
) -> None:
    """Write a race to ``target`` as a sealed file holds it, chunks joined into long columns.

    Raises:
        InputError: ``target`` exists and ``force`` is not set.
        LogError: what was written does not read back equal; ``target`` is as it was.
        StorageError: the disk is full or failing; ``target`` is as it was.
    """
    with new_file(target, force=force) as partial:
        write_race(partial, head, compacted(events), reason=reason, progress=progress)


def compacted(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    """Return a race's events, in whatever order, as a sealed file holds them."""
    return list(joined(sorted(events, key=lambda event: event.t)))
