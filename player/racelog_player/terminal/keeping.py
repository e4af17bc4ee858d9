"""The terminal given back as it was, whatever ends or stops a program that has changed it."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Self

from racelog.errors import ExitCode

ENDS = {
    signal.SIGTERM: ExitCode.INTERRUPTED,
    signal.SIGHUP: ExitCode.OK,
    signal.SIGQUIT: ExitCode.INTERRUPTED,
}
"""The signals that end a program on a terminal, and its exit code then: who hangs up has left, as with a key."""

PLAIN_AGAIN = "\x1b[?2004l\x1b[?25h\x1b[0m"
"""No bracketed paste, the cursor, no colours: what a prompt may leave behind that the modes do not hold."""


def stop_here(*, group: bool) -> None:
    """Stop this process, or its whole job, as Ctrl-Z does where nobody has taken that key; returns when it goes on.

    A process that no shell would wake again goes on at once.
    """
    before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    try:
        os.kill(0 if group else os.getpid(), signal.SIGTSTP)
    finally:
        signal.signal(signal.SIGTSTP, before)


class KeptTerminal:
    """Holds what the terminal was; TERM, HUP and QUIT end the block by `SystemExit` with the code of `ENDS`.

    A library that runs C code may turn that exception into one of its own: `check` raises it again.
    """

    def __init__(self) -> None:
        self._saved: list[object] | None = None
        self._before: dict[int, object] = {}
        self._ended: ExitCode | None = None

    def __enter__(self) -> Self:
        import termios  # noqa: PLC0415 - absent where there is no POSIX terminal, and so is who would ask

        with suppress(termios.error, ValueError, OSError):
            self._saved = termios.tcgetattr(sys.stdin.fileno())
        for number in ENDS:
            self._before[number] = signal.signal(number, self._end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # as signal gave it
        if self._saved is None:
            return
        import termios  # noqa: PLC0415 - present, since it gave us the saved state

        with suppress(termios.error, ValueError, OSError):  # a terminal that is gone needs nothing back
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._saved)  # type: ignore[arg-type]  # likewise
            if sys.stdout.isatty() and kind is not None:
                sys.stdout.write(PLAIN_AGAIN)
                sys.stdout.flush()

    def check(self) -> None:
        """Raise the end that was asked for, if one was."""
        if self._ended is not None:
            raise SystemExit(self._ended)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        self._ended = ENDS[signal.Signals(number)]
        raise SystemExit(self._ended)


@contextmanager
def heeding(number: signal.Signals, act: Callable[[], None]) -> Iterator[None]:
    """Inside the block ``act`` is called when the signal comes."""
    before = signal.signal(number, lambda _number, _frame: act())
    try:
        yield
    finally:
        signal.signal(number, before)
