"""How far a long command is: one line on standard error that writes over itself, where a person is watching."""

import os
import sys
import time
from types import TracebackType
from typing import Self

from racelog.display.terminal import addressable

QUIET_S = 1.0
"""What is done sooner needs no progress."""

STEP_S = 0.1
_ERASE = "\r\x1b[2K"


class ProgressLine:
    """A `racelog.log.format.progress.Progress` that shows a percentage on a terminal once a second has passed.

    Used as a context manager: the line is erased at the end, so that nothing of it stays. Writes nothing where
    standard error is no terminal, or, ``beside_output``, where the results themselves run over the terminal.
    """

    def __init__(self, *, beside_output: bool = False) -> None:
        self._shown = (
            addressable(os.environ) and sys.stderr.isatty() and not (beside_output and sys.stdout.isatty())
        )
        self._next_s = time.monotonic() + QUIET_S
        self._dirty = False

    def __call__(self, doing: str, done: int, total: int) -> None:
        """Show ``doing`` and how much of it is done, at most ten times a second."""
        if not self._shown or (now := time.monotonic()) < self._next_s:
            return
        self._next_s = now + STEP_S
        self._dirty = True
        sys.stderr.write(f"{_ERASE}racelog: {doing} {100 * done // max(1, total)} %")
        sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._dirty:
            sys.stderr.write(_ERASE)
            sys.stderr.flush()
            self._dirty = False
