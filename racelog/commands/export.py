"""``racelog export``: a race as files for other tools."""

from pathlib import Path

import click

from racelog.console.arguments import home_option, race_argument
from racelog.console.loss import tell_loss_of
from racelog.console.output import emit
from racelog.errors import InputError
from racelog.plugins import installed

EXAMPLES = """\b
Examples:
  racelog export -f html                       the last race as one page, beside you
  racelog export RACE -f md | xargs cat        a summary for a pull request
  racelog export -f csv,parquet -o out         every table, twice
  racelog export -f perfetto -o out            open it in ui.perfetto.dev
  racelog export -f cast && asciinema play *.cast
"""


@click.command(epilog=EXAMPLES, short_help="A race as files for other tools.")
@race_argument
@click.option(
    "-f", "--format", "forms", metavar="FORM,...", required=True,
    help=f"{', '.join(installed('racelog.exports'))}.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), default=Path(), show_default="here",
    help="Folder to write into; made if it is not there.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@home_option
def export(race: str, forms: str, output: Path, home: Path | None, *, force: bool) -> None:
    """Write RACE in other formats: one or more files each, named by the race's id.

    The paths of the files are printed, one a line. What each form holds: docs/exports.md.
    """
    from racelog.export import write_told  # noqa: PLC0415 - not needed for --help

    wanted = [form.strip() for form in forms.split(",") if form.strip()]
    if not wanted:
        raise InputError("-f names no form; try: -f html")
    files, log = write_told(race, wanted, output, home=home, force=force)
    for file in files:
        emit(f"{file}\n")
    tell_loss_of(log)
