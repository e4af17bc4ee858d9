"""Choosing part of a log on the command line: kinds by their tags, lanes by number or engine, instants."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from racelog.commands.instants import INSTANT
from racelog.errors import InputError

if TYPE_CHECKING:
    from racelog.log.reader import RaceLog

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


def chosen_kinds(log: "RaceLog", kinds: str | None) -> frozenset[str] | None:
    """Return the kinds in the comma-separated ``kinds``, None for all.

    Raises:
        InputError: a kind that neither racelog nor the log knows; the message lists them.
    """
    if kinds is None:
        return None
    from racelog.events import KnownEvent  # noqa: PLC0415 - not needed for --help
    from racelog.log.rows import kind_of  # noqa: PLC0415 - not needed for --help

    wanted = {kind.strip() for kind in kinds.split(",") if kind.strip()}
    known = {str(kind.__struct_config__.tag) for kind in KnownEvent.__args__}
    possible = known | {kind_of(event) for event in log.events}
    if not wanted or wanted - possible:
        wrong = ", ".join(repr(kind) for kind in sorted(wanted - possible)) or repr(kinds)
        raise InputError(f"--kind: no such kind {wrong}; there are {', '.join(sorted(possible))}")
    return frozenset(wanted)


def chosen_lane(log: "RaceLog", lane: str | None) -> int | None:
    """Return the number of the lane called ``lane``, by number or engine name; None for all.

    Raises:
        InputError: there is no such lane; the message lists them.
    """
    if lane is None:
        return None
    engines = lane_names(log)
    number = next((number for number, engine in engines.items() if lane in (engine, str(number))), None)
    if number is None:
        there = ", ".join(f"{number} ({engine})" for number, engine in sorted(engines.items())) or "none"
        raise InputError(f"--lane: no lane {lane!r} in {log.path}; there are {there}")
    return number


def lane_names(log: "RaceLog") -> dict[int, str]:
    """Return the engine on each lane."""
    from racelog.events import LaneFacts  # noqa: PLC0415 - not needed for --help

    return {facts.lane: facts.engine for facts in log.of(LaneFacts)}
