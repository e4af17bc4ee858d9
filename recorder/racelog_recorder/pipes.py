"""Talking to the conductor over stdin and stdout, from inside a lane or telemetry process."""

import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import msgspec
import trio

from racelog.errors import StorageError
from racelog_recorder.spec import Order, Report

S = TypeVar("S")

_orders = msgspec.json.Decoder(Order)
_encoder = msgspec.json.Encoder()
READ_BYTES = 65536


def read_spec(kind: type[S]) -> S:
    """Return the spec on stdin's first line; blocks, so it comes before the loop starts.

    Reads the descriptor itself: a buffered reader would swallow the orders behind the spec.
    """
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            raise EOFError("the conductor left before it gave a spec")
        line += byte
    return msgspec.json.decode(bytes(line), type=kind)


def say(report: Report) -> None:
    """Send one report line; a conductor that is gone is no error here."""
    try:
        os.write(1, _encoder.encode(report) + b"\n")
    except BrokenPipeError:
        return


async def orders() -> AsyncIterator[Order]:
    """Yield the conductor's orders; ends when it closes the pipe or dies."""
    buffer = bytearray()
    async with trio.lowlevel.FdStream(os.dup(0)) as stdin:
        async for data in stdin:
            buffer += data
            while (end := buffer.find(b"\n")) >= 0:
                line = bytes(buffer[:end])
                del buffer[: end + 1]
                yield _orders.decode(line)


def leave_signals_to_the_conductor() -> None:
    """Ignore the terminal's signals: only the conductor decides when a race stops."""
    for name in (signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)


def run_reporting(main: Callable[[], Awaitable[None]]) -> int:
    """Run ``main`` on trio and report how it ended; return the process's exit code.

    A log that cannot be written is reported in its own words; anything else is a bug and keeps its traceback.
    """
    failed: list[StorageError] = []
    try:
        trio.run(_awaited, main)
    except* StorageError as group:
        failed.append(first_of(group))
    if failed:
        sys.stderr.write(f"{failed[0]}\n")
        say(Report(say="failed", text=str(failed[0]), exit_code=failed[0].exit_code))
        return failed[0].exit_code
    say(Report(say="done"))
    return 0


async def _awaited(main: Callable[[], Awaitable[None]]) -> None:
    await main()


def first_of(group: BaseExceptionGroup[StorageError]) -> StorageError:
    """Return the first plain error in a group of groups."""
    error = group.exceptions[0]
    return first_of(error) if isinstance(error, BaseExceptionGroup) else error
