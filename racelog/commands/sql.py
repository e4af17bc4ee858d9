"""``racelog sql``: one query over past races."""

import sys
from pathlib import Path

import click

from racelog.commands.arguments import home_option
from racelog.commands.output import emit_pieces, terminal_width, warn

EXAMPLES = """\b
Examples:
  racelog sql "select engine, count(*), median(ttft_ms), median(tpot_ms), sum(output_tokens)
               from requests join lanes using (race_id, lane_id) where phase = 'race' group by 1"
  racelog sql "describe requests"                        the columns of a table
  racelog sql -f csv "from tokens" latest > tokens.csv   every token of the last race
  racelog sql -f json - race.rlog < query.sql            a query from standard input

\b
Tables: races, lanes, requests, tokens, standings, host_samples, gpu_samples, marks.
Times end in _ns and count from the log's origin, a few seconds before the start: subtract
lanes.t_start_ns to count from a lane's own start, as play does. A request counts when phase = 'race'.
"""


@click.command(epilog=EXAMPLES, short_help="Ask all your races a question.")
@click.option(
    "-f", "--format", "form", type=click.Choice(["table", "csv", "json", "md"]), default="table",
    show_default=True, help="How to print the rows.",
)  # fmt: skip
@click.option("--no-cache", is_flag=True, help="Fold the logs again, and keep nothing.")
@click.option("--unsafe", is_flag=True, help="Let QUERY do all that DuckDB can: files, network, extensions.")
@home_option
@click.argument("query")
@click.argument("races", nargs=-1, metavar="[RACE]...")
def sql(
    form: str, home: Path | None, query: str, races: tuple[str, ...], *, no_cache: bool, unsafe: bool
) -> None:
    """Run one reading QUERY (DuckDB's SQL; '-' reads it from standard input).

    Over the races named by path, id, prefix or 'latest'; over all races if none is named. Nothing but reading is
    allowed: no files, no network, no changes. A log is folded once; its rows are kept in the home's cache folder,
    which can be deleted at any time.
    """
    from racelog.commands.results import FORMS, as_table  # noqa: PLC0415 - not needed for --help
    from racelog.home import home_folder  # noqa: PLC0415 - not needed for --help
    from racelog.query.connect import load_races  # noqa: PLC0415 - loads DuckDB and numpy
    from racelog.query.statement import run_statement  # noqa: PLC0415 - loads DuckDB

    text = sys.stdin.read() if query == "-" else query
    loaded = load_races(*races, home=home, cache=not no_cache, unsafe=unsafe)
    for problem in loaded.problems:
        warn(problem)
    if not loaded.races and not loaded.problems:
        warn(
            f"no races in {home_folder(home) / 'races'} yet, all tables are empty. Record one: racelog record"
        )
    result = run_statement(loaded.connection, text, unsafe=unsafe)
    if form == "table" and result.explains:
        emit_pieces(f"{row[-1]}\n" for row in result.rows)
    elif form == "table":
        for line in as_table(result.columns, result.rows, terminal_width()):
            click.echo(line, nl=False)
    else:
        emit_pieces(FORMS[form](result.columns, result.rows))
