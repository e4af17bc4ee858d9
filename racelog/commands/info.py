"""``racelog info``: one race on one page."""

from pathlib import Path

import click

from racelog.console.arguments import home_option, json_option, race_argument, race_path
from racelog.console.loss import tell_loss_of
from racelog.console.output import emit_json, terminal_width

EXAMPLES = """\b
Examples:
  racelog info                     the last race
  racelog info 20261121            a race by the beginning of its id
  racelog info race.rlog --json    everything, for programs
"""


@click.command(epilog=EXAMPLES, short_help="One race in numbers.")
@race_argument
@json_option
@home_option
def info(race: str, home: Path | None, *, as_json: bool) -> None:
    """Show who won RACE, every engine's numbers, what they were measured with, and the state of the log."""
    from racelog.commands.page import race_page  # noqa: PLC0415 - folds; not needed for --help
    from racelog.commands.page_lines import page_lines  # noqa: PLC0415 - likewise
    from racelog.log.read.reader import open_log  # noqa: PLC0415 - not needed for --help

    log = open_log(race_path(race, home))
    page = race_page(log)
    tell_loss_of(log)
    if as_json:
        emit_json(page)
        return
    for line in page_lines(page, terminal_width()):
        click.echo(line)
