"""``racelog compact``: a log made as small as it gets, in its own place."""

from pathlib import Path

import click

from racelog.console.arguments import home_option, json_option, output_options, race_argument, race_path
from racelog.console.output import emit_json
from racelog.console.progress import ProgressLine
from racelog.display.figures import percent
from racelog.display.text import printable

EXAMPLES = """\b
Examples:
  racelog compact latest                     seal a race that was not, or recompress it
  racelog compact race.rlog -o small.rlog    beside the original

\b
Exit status: 0 done, or nothing to gain; 1 failed, the log is as it was; 2 wrong usage; 4 the disk failed.
"""


@click.command(epilog=EXAMPLES, short_help="Make a race's file small, proven equal.")
@race_argument
@output_options("Write here instead of in place.")
@json_option
@home_option
def compact(race: str, output: Path | None, home: Path | None, *, force: bool, as_json: bool) -> None:
    """Rewrite RACE as one compact file, proven equal event by event before it takes the old one's place.

    The old log stays if the new one is not equal or not smaller, and a crash at any instant leaves one of them whole.
    A damaged log is refused: recover it first.
    """
    from racelog.log.rewrite.compact import compact as compact_log  # noqa: PLC0415 - not needed for --help

    with ProgressLine() as progress:
        done = compact_log(race_path(race, home), output, force=force, progress=progress)
    if as_json:
        emit_json(done)
    elif not done.replaced:
        click.echo(f"{printable(done.source)} is as compact as it gets: {done.bytes_before:,} bytes")
    else:
        saved = 1 - done.bytes_after / max(1, done.bytes_before)
        click.echo(
            f"{printable(done.source)}: {done.bytes_before:,} bytes; {printable(done.target)}: {done.bytes_after:,} bytes, "
            + (f"{percent(saved)} less" if saved > 0 else "not smaller")
        )
