"""``racelog dump``: a log's events as JSON lines."""

from pathlib import Path

import click

from racelog.commands.arguments import home_option, race_argument, race_path
from racelog.commands.choices import chosen_kinds, chosen_lane, kind_option, lane_option
from racelog.commands.output import emit, warn
from racelog.commands.progress import ProgressLine

EVENTS_PER_WRITE = 256

EXAMPLES = """\b
Examples:
  racelog dump | head                          the last race, event by event
  racelog dump --kind req,sent,end --lane 0    the requests of one lane, without their tokens
  racelog dump --lane vllm | jq .              a lane by its engine's name
"""


@click.command(epilog=EXAMPLES, short_help="The facts themselves, as JSON lines.")
@race_argument
@kind_option
@lane_option
@home_option
def dump(race: str, kind: str | None, lane: str | None, home: Path | None) -> None:
    """Print the events of RACE as JSON lines in time order, as the log holds them.

    Kinds that this racelog does not know pass through untouched. What is damaged is told on standard error.
    """
    from racelog.log.codec import encode_events  # noqa: PLC0415 - not needed for --help
    from racelog.log.gather import read_log  # noqa: PLC0415 - not needed for --help
    from racelog.log.rows import kind_of, lane_of  # noqa: PLC0415 - not needed for --help
    from racelog.log.verify import lost_stretches  # noqa: PLC0415 - not needed for --help

    with ProgressLine() as progress:
        log = read_log(race_path(race, home), progress)
    for lost in lost_stretches(log):
        warn(lost)
    kinds = chosen_kinds(log, kind)
    number = chosen_lane(log, lane)
    wanted = [
        event
        for event in log.events
        if (kinds is None or kind_of(event) in kinds) and (number is None or lane_of(event) == number)
    ]
    for start in range(0, len(wanted), EVENTS_PER_WRITE):
        emit(encode_events(wanted[start : start + EVENTS_PER_WRITE]).decode())
