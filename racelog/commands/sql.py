"""``racelog sql``: one query over past races."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from racelog.commands.output import emit_pieces, terminal_width, warn
from racelog.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from racelog.query.statement import Result

EXAMPLES = """\b
Examples:
  racelog sql "select engine, count(*), median(ttft_ms), median(tpot_ms), sum(output_tokens)
               from requests join lanes using (race_id, lane_id) where phase = 'race' group by 1"
  racelog sql @slowest-tokens latest                     a saved query; '@' lists them all
  racelog sql @goodput -p ttft_ms=500 -p tpot_ms=40      with other values than its own
  racelog sql "from vllm_bench('latest')"                as that tool would report it; also aiperf,
                                                         guidellm, genai_perf, llmperf
  racelog sql "describe requests"                        the columns of a table
  racelog sql -f parquet -o tokens.parquet "from tokens" latest
  racelog sql @trend 'nightly/*/*.rlog'                  many files; quote the pattern or let the shell fill it in
  racelog sql -f json - race.rlog < query.sql            a query from standard input

\b
Tables: races, lanes, requests, tokens, standings, host_samples, gpu_samples, engine_samples, health,
controls, marks, anomalies, commentary, insights, achievements.
Macros: p50(x) p90(x) p95(x) p99(x) p999(x), goodput(most_ttft_ms := 500).
Times end in _ns and count from the log's origin, a few seconds before the start: subtract
lanes.t_start_ns to count from a lane's own start, as play does. A request counts when phase = 'race'.
"""


@click.command(epilog=EXAMPLES, short_help="Ask all your races a question.")
@click.option(
    "-f", "--format", "form", type=click.Choice(["table", "csv", "json", "jsonl", "md", "parquet"]),
    default="table", show_default=True, help="How to give the rows.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file.")
@click.option("-p", "--param", "params", metavar="NAME=VALUE", multiple=True, help="The value of $NAME.")
@click.option("--force", is_flag=True, help="Overwrite the file of -o.")
@click.option("--no-cache", is_flag=True, help="Fold the logs again, and keep nothing.")
@click.option("--unsafe", is_flag=True, help="Let QUERY do all that DuckDB can: files, network, extensions.")
@click.option(
    "--home", "homes", type=click.Path(path_type=Path, file_okay=False), multiple=True,
    help="Folder the races live in; several may be given (default: $RACELOG_HOME, else the platform's data folder).",
)  # fmt: skip
@click.argument("query")
@click.argument("races", nargs=-1, metavar="[RACE]...")
def sql(  # noqa: PLR0917 - click passes them by name
    form: str,
    output: Path | None,
    params: tuple[str, ...],
    homes: tuple[Path, ...],
    query: str,
    races: tuple[str, ...],
    *,
    force: bool,
    no_cache: bool,
    unsafe: bool,
) -> None:
    """Run one reading QUERY: DuckDB's SQL, '@NAME' for a saved one, '-' to read it from standard input.

    Over the races named by path, pattern, id, prefix or 'latest'; over all races if none is named. Nothing but reading is
    allowed: no files, no network, no changes. A log is folded once; its rows are kept in the home's cache folder,
    which can be deleted at any time.
    """
    from racelog.home import home_folder  # noqa: PLC0415 - not needed for --help
    from racelog.query.connect import load_races  # noqa: PLC0415 - loads DuckDB and numpy
    from racelog.query.statement import run_statement  # noqa: PLC0415 - loads DuckDB

    if form == "parquet" and output is None:
        raise InputError("-f parquet is not for a terminal; name a file: -o rows.parquet")
    text, values = _asked(query, params)
    loaded = load_races(*races, home=homes, cache=not no_cache, unsafe=unsafe)
    for problem in loaded.problems:
        warn(problem)
    if not loaded.races and not loaded.problems:
        warn(
            f"no races in {home_folder(next(iter(homes), None)) / 'races'} yet, all tables are empty. Record one: racelog record"
        )
    result = run_statement(loaded.connection, text, values, unsafe=unsafe)
    if output is not None:
        _write(result, form, output, force=force)
    elif form == "table" and not result.explains:
        for line in _pieces(result, form, terminal_width()):
            click.echo(line, nl=False)
    else:
        emit_pieces(_pieces(result, form, None))


def _asked(query: str, params: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """Return the text of the query and its parameters' values."""
    from racelog.query.saved import bound, saved_query, value_of  # noqa: PLC0415 - not needed for --help

    values: dict[str, Any] = {}
    for param in params:
        name, given, value = param.partition("=")
        if not given or not name.isidentifier():
            raise InputError(f"--param {param!r} is no NAME=VALUE; try: --param ttft_ms=500")
        values[name] = value_of(value)
    if query.startswith("@"):
        saved = saved_query(query.removeprefix("@"))
        return saved.sql, bound(saved, values)
    return (sys.stdin.read() if query == "-" else query), values


def _pieces(result: "Result", form: str, width: int | None) -> "Iterator[str]":
    """Yield the rows as text in one of the forms."""
    from racelog.commands.results import FORMS, as_table  # noqa: PLC0415 - not needed for --help

    if form == "table" and result.explains:
        return (f"{row[-1]}\n" for row in result.rows)
    if form == "table":
        return as_table(result.columns, result.rows, width)
    return FORMS[form](result.columns, result.rows)


def _write(result: "Result", form: str, output: Path, *, force: bool) -> None:
    """Write the rows into a file that appears when it is whole."""
    from racelog.log.publish import new_file  # noqa: PLC0415 - not needed for --help

    with new_file(output, force=force) as partial:
        if form == "parquet":
            from racelog.query.statement import write_parquet  # noqa: PLC0415 - loads DuckDB

            write_parquet(result, partial)
            return
        with partial.open("w", encoding="utf-8", newline="") as file:
            file.writelines(_pieces(result, form, None))
