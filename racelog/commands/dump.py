"""``racelog dump``: a log's events as JSON lines."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from racelog.commands.arguments import home_option, race_argument, race_path
from racelog.commands.output import emit, warn
from racelog.errors import InputError

if TYPE_CHECKING:
    from racelog.events import AnyEvent
    from racelog.log.reader import RaceLog

EVENTS_PER_WRITE = 256

EXAMPLES = """\b
Examples:
  racelog dump | head                          the last race, event by event
  racelog dump --kind req,sent,end --lane 0    the requests of one lane, without their tokens
  racelog dump --lane vllm | jq .              a lane by its engine's name
"""


@click.command(epilog=EXAMPLES, short_help="The facts themselves, as JSON lines.")
@race_argument
@click.option("--kind", metavar="KIND,...", help="Only events of these kinds, by their 'k': tok,req,sent ...")
@click.option("--lane", metavar="N|NAME", help="Only events of one lane, by number or engine name.")
@home_option
def dump(race: str, kind: str | None, lane: str | None, home: Path | None) -> None:
    """Print the events of RACE as JSON lines in time order, as the log holds them.

    Kinds that this racelog does not know pass through untouched. What is damaged is told on standard error.
    """
    from racelog.log.codec import encode_events  # noqa: PLC0415 - not needed for --help
    from racelog.log.reader import open_log  # noqa: PLC0415 - not needed for --help
    from racelog.log.verify import lost_stretches  # noqa: PLC0415 - not needed for --help

    log = open_log(race_path(race, home))
    for lost in lost_stretches(log):
        warn(lost)
    of_kind = _kind_filter(log, kind)
    of_lane = _lane_filter(log, lane)
    wanted = [event for event in log.events if of_kind(event) and of_lane(event)]
    for start in range(0, len(wanted), EVENTS_PER_WRITE):
        emit(encode_events(wanted[start : start + EVENTS_PER_WRITE]).decode())


def _kind_of(event: "AnyEvent") -> str:
    from racelog.events import Unknown  # noqa: PLC0415 - not needed for --help

    return event.k if isinstance(event, Unknown) else str(event.__struct_config__.tag)


def _kind_filter(log: "RaceLog", kinds: str | None) -> Callable[["AnyEvent"], bool]:
    """Return a test for the comma-separated ``kinds``; a kind that neither racelog nor the log knows is a mistake."""
    if kinds is None:
        return lambda _event: True
    from racelog.events import KnownEvent  # noqa: PLC0415 - not needed for --help

    wanted = {kind.strip() for kind in kinds.split(",") if kind.strip()}
    known = {str(kind.__struct_config__.tag) for kind in KnownEvent.__args__}
    possible = known | {_kind_of(event) for event in log.events}
    if not wanted or wanted - possible:
        wrong = ", ".join(repr(kind) for kind in sorted(wanted - possible)) or repr(kinds)
        raise InputError(f"--kind: no such kind {wrong}; there are {', '.join(sorted(possible))}")
    return lambda event: _kind_of(event) in wanted


def _lane_filter(log: "RaceLog", lane: str | None) -> Callable[["AnyEvent"], bool]:
    """Return a test for the lane of number or engine name ``lane``."""
    if lane is None:
        return lambda _event: True
    from racelog.events import LaneFacts  # noqa: PLC0415 - not needed for --help

    engines = {facts.lane: facts.engine for facts in log.of(LaneFacts)}
    number = next((number for number, engine in engines.items() if lane in (engine, str(number))), None)
    if number is None:
        there = ", ".join(f"{number} ({engine})" for number, engine in sorted(engines.items())) or "none"
        raise InputError(f"--lane: no lane {lane!r} in {log.path}; there are {there}")
    return lambda event: _lane_of(event) == number


def _lane_of(event: "AnyEvent") -> int | None:
    """Return the lane an event belongs to, read from the raw JSON for an unknown kind."""
    from racelog.events import Unknown  # noqa: PLC0415 - not needed for --help
    from racelog.log.codec import to_plain  # noqa: PLC0415 - not needed for --help

    lane = to_plain(event).get("lane") if isinstance(event, Unknown) else getattr(event, "lane", None)
    return lane if isinstance(lane, int) else None
