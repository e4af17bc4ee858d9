"""Is anybody still writing this log? A race that runs must not be sealed under its recorder's hands."""

import os
from pathlib import Path

from racelog.events import Head
from racelog.log.reader import RaceLog


def recorder_at_work(log: RaceLog) -> int | None:
    """Return the process that still records ``log``, None if nobody does.

    A segment's head names its process; a process of that number that is no racelog is another one. Only this host's
    processes are seen.
    """
    if log.report.finished:
        return None
    return next((head.pid for head in log.of(Head) if head.pid and _is_racelog(head.pid)), None)


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
