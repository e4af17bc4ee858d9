"""``racelog dump``: a log's events as JSON lines."""

from pathlib import Path

import click

from racelog.console.arguments import home_option, race_argument
from racelog.console.choices import check_window, kind_option, lane_option, window_options
from racelog.console.output import emit
from racelog.console.reading import opened
from racelog.display.text import json_inert

EXAMPLES = """\b
Examples:
  racelog dump | head                          the last race, event by event
  racelog dump --kind req,sent,end --lane 0    the requests of one lane, without their tokens
  racelog dump --lane vllm --start 10s --end 11s | jq .
  ssh host cat race.rlog | racelog dump -      as the log flows in
"""


@click.command(epilog=EXAMPLES, short_help="The facts themselves, as JSON lines.")
@race_argument
@kind_option
@lane_option
@window_options
@home_option
def dump(
    *, race: str, kind: str | None, lane: str | None, start: int | None, end: int | None, home: Path | None
) -> None:
    """Print the events of RACE as JSON lines in time order, as the log holds them.

    Of an event with many rows, --start and --end keep those in between. Kinds that this racelog does not know pass
    through untouched. What is damaged is told on standard error. With - for RACE, a log is read from standard input and
    printed in the order it comes.
    """
    from racelog.log.format.codec import encode_events  # noqa: PLC0415 - not needed for --help

    check_window(start, end)
    with opened(race, home, kind=kind, lane=lane, start=start, end=end) as log:
        for events in log.batches():
            emit(json_inert(encode_events(events).decode()))
        log.finish()
