"""Is anybody still writing this log? A race that runs must not be sealed under its recorder's hands."""

import os
from pathlib import Path

from racelog.log.read.index import LogIndex
from racelog.log.read.superseded import heads


def recorder_at_work(path: Path) -> int | None:
    """Return the process that still records the log at ``path``, None if nobody does.

    A segment's head names its process; a process of that number that is no racelog is another one. Only this host's
    processes are seen. Cost: the trailers, and each segment's first unit.

    Raises:
        RaceNotFound, NotALog, NewerLog, LogError: as `racelog.log.read.index.LogIndex`.
    """
    index = LogIndex(path)
    try:
        if index.finished:
            return None
        return next((head.pid for head in heads(index) if head.pid and _is_racelog(head.pid)), None)
    finally:
        index.close()


def _is_racelog(pid: int) -> bool:
    """Tell whether process ``pid`` runs and, where the system tells, is a racelog."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it is there, and not ours to signal
    try:
        return b"racelog" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
