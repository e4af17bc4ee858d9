"""A damaged log's result: told in one sentence by every command, which then exits with code 3, readable with loss."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from racelog.console.output import warn

if TYPE_CHECKING:
    from racelog.log.read.library import Log
    from racelog.log.read.reader import RaceLog

LOSSY = "racelog.lossy"
"""Set in a command's ``meta`` once a loss was told; `racelog.cli` turns success into exit code 3 by it."""


def tell_loss(path: Path | str, stretches: Sequence[str], facts: Sequence[str] = ()) -> None:
    """Say on standard error what of a log could not be read, if anything; the command then exits with code 3."""
    from racelog.log.read.lost import loss_told  # noqa: PLC0415 - not needed for --help

    if stretches:
        warn(loss_told(path, stretches, facts))
        note_loss()


def note_loss(*, lossy: bool = True) -> None:
    """Let the command exit with code 3 if it succeeds: a loss was told."""
    context = click.get_current_context(silent=True)
    if lossy and context is not None:
        context.meta[LOSSY] = True


def tell_loss_of(log: "RaceLog") -> None:
    """Do as `tell_loss` for a log that was read whole."""
    from racelog.log.read.lost import lost_facts  # noqa: PLC0415 - not needed for --help
    from racelog.log.rewrite.verify import lost_stretches  # noqa: PLC0415 - not needed for --help

    tell_passed_over(log.path)
    if stretches := lost_stretches(log):
        tell_loss(log.path, stretches, lost_facts(log.events))


def tell_loss_met(log: "Log") -> None:
    """Do as `tell_loss` for a log of which everything that was asked for has been read."""
    from racelog.log.rewrite.verify import losses  # noqa: PLC0415 - not needed for --help

    tell_passed_over(log.path)
    tell_loss(log.path, losses(log.damage, log.heads, finished=log.index.finished))


def tell_passed_over(path: Path) -> None:
    """Name what lies among a race's segments and is none."""
    from racelog.log.read.scan import passed_over  # noqa: PLC0415 - not needed for --help

    for odd in passed_over(path):
        warn(odd)
