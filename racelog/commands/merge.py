"""``racelog merge``: several files of one race as one file."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from racelog.console.arguments import home_option, json_option, output_options, race_path
from racelog.console.output import emit_json, warn
from racelog.console.progress import ProgressLine
from racelog.display.text import counted, printable
from racelog.errors import ExitCode

if TYPE_CHECKING:
    from racelog.log.rewrite.merge import Merge

EXAMPLES = """\b
Examples:
  racelog merge here.rlog there.rlog -o race.rlog     one race, recorded on two hosts
  racelog merge early-copy.rlog race.live -o all.rlog
  racelog merge first-half.rlog second-half.rlog -o race.rlog
  racelog compact all.rlog                            and then as small as it gets

\b
Exit status: 0 everything is in OUT; 1 failed; 2 wrong usage; 3 damaged stretches were left out;
  4 the disk failed.
"""


@click.command(epilog=EXAMPLES, short_help="Put the files of one race together.")
@click.argument("races", nargs=-1, required=True, metavar="RACE...")
@output_options("The file to write.", required=True)
@json_option
@home_option
def merge(races: tuple[str, ...], output: Path, home: Path | None, *, force: bool, as_json: bool) -> int:
    """Put the files of one race together in OUT: their blocks (units) byte for byte, each once.

    Reading OUT is reading all of them, in any order. Files of different races are refused. Parts made by racelog cut are
    put together fact by fact: neighbouring parts make the race they were cut from. Of segments that are there beside the
    finished file made of them, nothing is taken.

    Each RACE is a file, the folder of a race that still runs, or a race's id or the beginning of one.
    """
    from racelog.log.rewrite.merge import merge as merge_logs  # noqa: PLC0415 - not needed for --help

    with ProgressLine() as progress:
        done = merge_logs([race_path(race, home) for race in races], output, force=force, progress=progress)
    if len(done.origins) > 1:
        warn(
            f"the files count from {len(done.origins)} different clock readings: instants of different hosts cannot be "
            "compared"
        )
    for place in done.damage:
        warn(f"left out: {place}")
    if as_json:
        emit_json(_plain(done))
    else:
        click.echo(
            f"merged {counted(done.files, 'file')} into {printable(done.target)}: {counted(done.units, 'unit')}, "
            f"{counted(done.events, 'event')}"
        )
        if done.duplicate_units:
            click.echo(f"{counted(done.duplicate_units, 'unit')} there more than once, kept once")
        if done.repeated_facts:
            click.echo(f"{counted(done.repeated_facts, 'fact')} in more than one cut, kept once")
        if done.superseded_units:
            click.echo(
                f"left out: {counted(done.superseded_units, 'unit')} of segments that one of the files was sealed from"
            )
    return ExitCode.LOSS if done.damage else ExitCode.OK


def _plain(done: "Merge") -> dict[str, object]:
    return {
        "target": done.target, "files": done.files, "units": done.units, "events": done.events,
        "duplicate_units": done.duplicate_units, "superseded_units": done.superseded_units, "repeated_facts": done.repeated_facts,
        "race_ids": sorted(done.race_ids), "damage": done.damage,
    }  # fmt: skip
