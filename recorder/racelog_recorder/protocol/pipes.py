"""Talking to the conductor over stdin and stdout, from inside a lane or telemetry process."""

import os
import signal
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import msgspec
import trio

from racelog.errors import StorageError
from racelog_recorder.protocol.lines import lines_of
from racelog_recorder.protocol.messages import LENGTH_BYTES, Order, Report, length

S = TypeVar("S")

_orders = msgspec.json.Decoder(Order)
_encoder = msgspec.json.Encoder()
READ_BYTES = 65536


def read_spec(kind: type[S]) -> S:
    """Return the spec on stdin; blocks, so it comes before the loop starts.

    Reads the descriptor itself: a buffered reader would swallow the orders behind the spec.

    Raises:
        EOFError: the conductor left before it gave one.
    """
    return msgspec.json.decode(_read_exactly(length(_read_exactly(LENGTH_BYTES))), type=kind)


def _read_exactly(size: int) -> bytes:
    """Return the next ``size`` bytes of stdin.

    Raises:
        EOFError: the conductor left before it wrote so many.
    """
    data = bytearray()
    while len(data) < size:
        piece = os.read(0, size - len(data))
        if not piece:
            raise EOFError("the conductor left before it gave a spec")
        data += piece
    return bytes(data)


def say(report: Report) -> None:
    """Send one report line; a conductor that is gone is no error here."""
    try:
        os.write(1, _encoder.encode(report) + b"\n")
    except BrokenPipeError:
        return


async def orders() -> AsyncIterator[Order]:
    """Yield the conductor's orders; ends when it closes the pipe or dies."""
    async with trio.lowlevel.FdStream(os.dup(0)) as stdin:
        async for line in lines_of(stdin):
            yield _orders.decode(line)


def leave_signals_to_the_conductor() -> None:
    """Ignore the terminal's signals: only the conductor decides when a race stops."""
    for name in (signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)


def run_reporting(main: Callable[[], Awaitable[None]]) -> int:
    """Run ``main`` on trio and report how it ended; return the process's exit code.

    A log that cannot be written is reported in its own words, whatever else broke beside it. Anything else is a bug:
    it is reported by its innermost error and keeps its traceback.
    """
    try:
        trio.run(_awaited, main)
    except BaseException as error:  # noqa: BLE001 - the conductor must hear of every way to end
        storage = error.subgroup(StorageError) if isinstance(error, BaseExceptionGroup) else None
        return _report_failure(first_of(storage or error), error)
    say(Report(say="done"))
    return 0


def _report_failure(cause: BaseException, error: BaseException) -> int:
    if isinstance(cause, StorageError):
        sys.stderr.write(f"{cause}\n")
        say(Report(say="failed", text=str(cause), exit_code=cause.exit_code))
        return cause.exit_code
    traceback.print_exception(error)
    say(Report(say="failed", text=f"{type(cause).__name__}: {cause}", exit_code=1))
    return 1


async def _awaited(main: Callable[[], Awaitable[None]]) -> None:
    await main()


def first_of(error: BaseException) -> BaseException:
    """Return the first plain error in a group of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
