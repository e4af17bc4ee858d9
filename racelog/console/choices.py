"""Choosing part of a log on the command line: kinds by their tags, lanes by number or engine, instants."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from racelog.console.instants import INSTANT
from racelog.errors import InputError

if TYPE_CHECKING:
    from racelog.events import AnyEvent
    from racelog.log.read.reader import RaceLog

Command = TypeVar("Command", bound=Callable[..., Any])

kind_option = click.option(
    "--kind", metavar="KIND,...", help="Only events of these kinds, by their 'k': tok,req,sent ..."
)
lane_option = click.option(
    "--lane", metavar="N|NAME", help="Only events of one lane, by number or engine name."
)


def window_options(command: Command) -> Command:
    """Add ``--start`` and ``--end``: instants on the race's clock, in nanoseconds to the command."""
    command = click.option(
        "--end",
        type=INSTANT,
        metavar="TIME",
        help="Before this instant: 20s, 1m30s, 1:30 (default: the end).",
    )(command)
    return click.option(
        "--start", type=INSTANT, metavar="TIME", help="From this instant of the race's clock: 10s, 1500ms."
    )(command)


def check_window(start: int | None, end: int | None) -> None:
    """Refuse a window in which no instant lies.

    Raises:
        InputError: ``end`` is not after ``start``.
    """
    if start is not None and end is not None and start >= end:
        raise InputError(f"--end ({end / 1e9:g} s) must be after --start ({start / 1e9:g} s)")


class KindChoice:
    """The kinds in a comma-separated list, None for all: tells of one event after another whether it is wanted."""

    def __init__(self, kinds: str | None) -> None:
        self._asked = kinds
        self._wanted = None if kinds is None else {kind.strip() for kind in kinds.split(",") if kind.strip()}
        self._met: set[str] = set()

    def __contains__(self, event: "AnyEvent") -> bool:
        from racelog.log.rows.rows import kind_of  # noqa: PLC0415 - not needed for --help

        if self._wanted is None:
            return True
        kind = kind_of(event)
        self._met.add(kind)
        return kind in self._wanted

    def check(self) -> None:
        """Say, once all was read, if a kind was asked for that there is not.

        Raises:
            InputError: a kind that neither racelog nor what was read knows; the message lists them.
        """
        from racelog.events import KnownEvent  # noqa: PLC0415 - not needed for --help

        possible = self._met | {str(kind.__struct_config__.tag) for kind in KnownEvent.__args__}
        if self._wanted is None or (self._wanted and self._wanted <= possible):
            return
        wrong = ", ".join(repr(kind) for kind in sorted(self._wanted - possible)) or repr(self._asked)
        raise InputError(f"--kind: no such kind {wrong}; there are {', '.join(sorted(possible))}")


def chosen_lane(log: "RaceLog", lane: str | None) -> int | None:
    """Return the number of the lane called ``lane``, by number or engine name; None for all.

    Raises:
        InputError: there is no such lane; the message lists them.
    """
    if lane is None:
        return None
    from racelog.events import LaneFacts  # noqa: PLC0415 - not needed for --help

    engines = {facts.lane: facts.engine for facts in log.of(LaneFacts)}
    number = next((number for number, engine in engines.items() if lane in (engine, str(number))), None)
    if number is None and log.report.damage and lane.isdecimal():
        return int(lane)  # what tells of it may be what was lost
    if number is None:
        raise no_such_lane(lane, str(log.path), engines)
    return number


def no_such_lane(lane: str, log: str, engines: Mapping[int, str]) -> InputError:
    """Return the error for a lane that is not there; the message lists those that are."""
    there = ", ".join(f"{number} ({engine})" for number, engine in sorted(engines.items())) or "none"
    return InputError(f"--lane: no lane {lane!r} in {log}; there are {there}")
