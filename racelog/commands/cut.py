"""``racelog cut``: a stretch of a race as a log of its own."""

from pathlib import Path

import click

from racelog.console.arguments import home_option, json_option, output_options, race_argument, race_path
from racelog.console.choices import check_window, chosen_lane, lane_option, window_options
from racelog.console.loss import tell_loss_of
from racelog.console.output import emit_json
from racelog.console.progress import ProgressLine
from racelog.display.text import counted, printable
from racelog.errors import InputError

EXAMPLES = """\b
Examples:
  racelog cut latest --start 10s --end 20s -o middle.rlog
  racelog cut race.rlog --lane vllm -o vllm.rlog         one lane alone
  racelog cut both.rlog --race-id 20261121-013000-9f3a01c2 -o one.rlog
  racelog cat race.rlog --kind mark                      find the instants to cut at

\b
Exit status: 0 done; 1 failed; 2 wrong usage; 3 the race is damaged, the cut holds what is
  readable; 4 the disk failed.
"""


@click.command(epilog=EXAMPLES, short_help="A stretch or a lane of a race as a file.")
@race_argument
@window_options
@lane_option
@click.option(
    "--race-id", metavar="ID", help="This race alone, where RACE holds several put together by hand."
)
@output_options("The file to write.", required=True)
@json_option
@home_option
def cut(
    *,
    race: str,
    start: int | None,
    end: int | None,
    lane: str | None,
    race_id: str | None,
    output: Path,
    home: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write the part of RACE between two instants, of one lane or all, to OUT.

    Instants are those of the race's clock, as `racelog cat` prints them, and stay as they are. The race, its lanes and
    prompts are kept, and requests under way at the start are kept from their beginning, so that the part can be played
    and queried by itself.
    """
    from racelog.log.read.exact import fresh_head, gather  # noqa: PLC0415 - not needed for --help
    from racelog.log.rewrite import cut as cutting  # noqa: PLC0415 - not needed for --help
    from racelog.log.rewrite.rewrite import write_sealed_race  # noqa: PLC0415 - not needed for --help
    from racelog.log.rewrite.verify import lost_stretches  # noqa: PLC0415 - not needed for --help
    from racelog.log.write.atomic import check_target  # noqa: PLC0415 - not needed for --help

    if start is None and end is None and lane is None and race_id is None:
        raise InputError("cut what? give --start, --end, --lane or --race-id")
    check_window(start, end)
    check_target(output, force=force)
    with ProgressLine() as progress:
        found = gather(race_path(race, home), progress, race_id=race_id)
        tell_loss_of(found.log)
        number = chosen_lane(found.log, lane)
        window = cutting.Window.between(start, end, number)
        events = cutting.cut(found.log.events, window)
        head = fresh_head(found, name_sources=False)
        write_sealed_race(output, head, events, reason="cut", force=force, progress=progress)
    if as_json:
        emit_json({
            "target": str(output), "events": len(events), "start_ns": start, "end_ns": end, "lane": number,
            "lost": lost_stretches(found.log),
        })  # fmt: skip
    else:
        click.echo(
            f"wrote {len(events):,} of {counted(len(found.log.events), 'event')} to {printable(str(output))}"
        )
