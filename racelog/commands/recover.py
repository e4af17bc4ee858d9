"""``racelog recover``: everything readable of a damaged or crashed log, as a whole file."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from racelog.commands.verify import silent_lines
from racelog.console.arguments import home_option, json_option, output_options, race_argument, race_path
from racelog.console.output import emit_json
from racelog.console.progress import ProgressLine
from racelog.display.text import counted, printable
from racelog.errors import ExitCode

if TYPE_CHECKING:
    from racelog.log.rewrite.recover import Recovery

EXAMPLES = """\b
Examples:
  racelog recover latest                       seal a race whose recorder was killed
  racelog recover broken.rlog -o whole.rlog    everything that still reads, as a whole file
  racelog recover broken.rlog -o whole.rlog --json | jq .losses

\b
Exit status: 0 nothing was lost; 1 nothing could be recovered; 2 wrong usage; 3 recovered, with loss;
  4 the disk failed.
"""


@click.command(epilog=EXAMPLES, short_help="Save everything readable of a race.")
@race_argument
@output_options("The whole file to write.")
@json_option
@home_option
def recover(race: str, output: Path | None, home: Path | None, *, force: bool, as_json: bool) -> int:
    """Write everything readable of RACE to a fresh whole file; RACE itself is left as it is.

    RACE may be damaged, a crashed race's directory, or several logs put together. What was lost is named, and written
    into the new file as gaps. Without -o, a crashed race is sealed where it lies; its segments stay if any byte of
    them is damaged.
    """
    from racelog.log.rewrite.recover import recover as recover_log  # noqa: PLC0415 - not needed for --help

    with ProgressLine() as progress:
        done = recover_log(race_path(race, home), output, force=force, progress=progress)
    if as_json:
        emit_json(done)
    else:
        for line in recovery_lines(done):
            click.echo(line)
    return ExitCode.LOSS if done.losses else ExitCode.OK


def recovery_lines(done: "Recovery") -> Iterator[str]:
    """Yield what was done, for people: one line that says it all, then every loss with its place."""
    where = printable(done.source)
    if done.target is None:
        yield f"{where}: {'all of it reads' if done.silent_lanes else 'whole'}; nothing to recover"
    else:
        word = click.style("with loss", fg="red") if done.losses else "nothing was lost"
        yield f"recovered {where} to {printable(done.target)}: {counted(done.events, 'event')}, {counted(done.chunks, 'chunk')}; {word}"
    for loss in done.losses:
        yield f"  lost: {printable(str(loss))}"
    yield from silent_lines(done.silent_lanes)
    for place in done.uncommitted:
        yield f"  never committed, so no loss: {printable(str(place))}"
    if done.duplicate_units:
        yield f"  {counted(done.duplicate_units, 'unit')} there more than once, kept once"
