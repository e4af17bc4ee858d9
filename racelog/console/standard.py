"""Standard input, output and error as they may come: closed, full, with nobody who reads, with bytes that are no text.

Whatever a command prints goes through here, so that a disk that is full is one sentence and an exit code, in every verb.
"""

import errno
import io
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from racelog.errors import InputError, Unwritable

_BOM = "\ufeff"


class _Output(io.FileIO):
    """Standard output: what it does not take is an `Unwritable`, but for a reader that left (`BrokenPipeError`).

    A terminal whose window was closed is a reader that left too; it says so as a disk says that it failed (`EIO`).
    """

    dropping = False

    def __init__(self, number: int, mode: str, *, closefd: bool) -> None:
        super().__init__(number, mode, closefd=closefd)
        self._terminal = os.isatty(number)  # asked while it is there: one that has hung up says no

    def write(self, data: Any, /) -> int:
        """Write to the device; return how many bytes it took. Once given up, takes everything and keeps nothing."""
        try:
            return memoryview(data).nbytes if self.dropping else self.put(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            if self._terminal and error.errno == errno.EIO:
                raise BrokenPipeError(errno.EPIPE, "the terminal has hung up") from error
            raise Unwritable(f"cannot write to standard output: {error.strerror}") from error

    def put(self, data: Any, /) -> int:
        """Write to the device, and let it refuse."""
        return super().write(data)


class _Closed(_Output):
    """A standard output that was closed."""

    def put(self, _data: Any, /) -> int:
        """Refuse."""
        raise Unwritable("standard output is closed, so nothing can be printed; send it to a file: > FILE")


class _Messages(io.FileIO):
    """Standard error: a message that nobody can be told is dropped, for no result hangs on it."""

    def write(self, data: Any, /) -> int:
        """Write to the device, and take what it does not for written."""
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def guard() -> None:
    """Put these in the place of Python's own, once, before anything is printed.

    A stream that is closed is open from here on, so that no file of ours gets its number: to read it gives nothing, to
    write to it is refused, but for messages.
    """
    closed = [not _is_open(number) for number in range(3)]
    for number, access in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        if closed[number]:
            _occupy(number, access)
    if closed[0]:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - a number, for as long as we run
    sys.stdout = _guarded(sys.stdout, (_Closed if closed[1] else _Output)(1, "w", closefd=False))
    sys.stderr = _guarded(sys.stderr, _Messages(2, "w", closefd=False))


def finish() -> None:
    """Write what is still held back.

    Raises:
        Unwritable: standard output does not take it.
        BrokenPipeError: nobody reads it.
    """
    sys.stdout.flush()
    sys.stderr.flush()


def give_up() -> None:
    """Drop what standard output did not take, here and at the end of the interpreter."""
    _Output.dropping = True
    drain = os.open(os.devnull, os.O_WRONLY)
    os.dup2(drain, 1)
    os.close(drain)


def input_lines() -> Iterator[str]:
    """Yield the lines of standard input, which is UTF-8, without a byte order mark.

    Raises:
        InputError: it is not; the message says which byte of which line.
    """
    found: Iterable[bytes | str] = getattr(sys.stdin, "buffer", sys.stdin)
    for number, line in enumerate(found, 1):
        try:
            text = line.decode() if isinstance(line, bytes) else line
        except UnicodeDecodeError as error:
            where = f"line {number}, byte {error.start + 1} (0x{error.object[error.start]:02x})"
            raise InputError(
                f"standard input is not UTF-8: {where}; convert it, for instance with iconv"
            ) from error
        yield text.removeprefix(_BOM) if number == 1 else text


def _guarded(stream: TextIO | None, raw: io.FileIO) -> TextIO:
    """Return a stream like ``stream``, on ``raw``. What its encoding lacks is a question mark, not an error."""
    if stream is None:
        return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="replace")
    if not isinstance(stream, io.TextIOWrapper):
        return stream  # somebody's own, as in a test
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="replace" if stream.errors == "strict" else stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _occupy(number: int, access: int) -> None:
    """Open nothing under a number, which is the lowest that is free or becomes it."""
    found = os.open(os.devnull, access)
    if found != number:
        os.dup2(found, number)
        os.close(found)
