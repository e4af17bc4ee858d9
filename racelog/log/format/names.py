"""What log files are called. Imports nothing heavy: the command line needs it before anything else."""

from pathlib import Path

SEGMENT_SUFFIX = ".rlog"
"""A log file: one writer's segment, or a whole sealed race."""

LIVE_SUFFIX = ".live"
"""A running race: a directory of segments; sealing puts one file of the same stem beside it."""


def sealed_sibling(live: Path) -> Path | None:
    """Return where the race in the directory ``live`` is sealed to; None if its name is not that of a running race."""
    return live.with_suffix(SEGMENT_SUFFIX) if live.suffix == LIVE_SUFFIX else None
