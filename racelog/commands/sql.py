"""``racelog sql``: one query over past races."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from racelog.console.arguments import HomeOrUrl
from racelog.console.loss import note_loss
from racelog.console.output import emit_pieces, terminal_width, warn
from racelog.console.standard import input_lines
from racelog.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from racelog.console.plots import Kind, Plot
    from racelog.console.tables import OddNumbers
    from racelog.query.connection.statement import Result

EXAMPLES = """\b
Examples:
  racelog sql "select engine, count(*), median(ttft_ms), median(tpot_ms), sum(output_tokens)
               from requests join lanes using (race_id, lane_id) where phase = 'race' group by 1"
  racelog sql @slowest-tokens latest                     a saved query; '@' lists them all
  racelog sql @goodput -p ttft_ms=500 -p tpot_ms=40      with other values than its own
  racelog sql "from vllm_bench('latest')"                as that tool would report it; also aiperf,
                                                         guidellm, genai_perf, llmperf
  racelog sql "describe requests"                        the columns of a table
  racelog sql -o tokens.parquet "from tokens" latest     also .csv .json .jsonl .md, or any file with -f
  racelog sql --plot hist "select engine, ttft_ms from requests join lanes using (race_id, lane_id)"
  racelog sql --plot line -o trend.png @trend            a picture; texts name the series, then x, then y
  racelog sql @leaderboard https://example.org/race.rlog        copied once; also s3:// and what fsspec reaches
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
    help="How to give the rows (default: as the file of -o is named, else table).",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file.")
@click.option(
    "--plot", "kind", type=click.Choice(["line", "hist", "scatter"]),
    help="Draw the rows in the terminal, or as a picture with -o FILE.png.",
)  # fmt: skip
@click.option("-p", "--param", "params", metavar="NAME=VALUE", multiple=True, help="The value of $NAME.")
@click.option("--force", is_flag=True, help="Overwrite the file of -o.")
@click.option("--no-cache", is_flag=True, help="Fold the logs again, and keep nothing.")
@click.option("--unsafe", is_flag=True, help="Let QUERY do all that DuckDB can: files, network, extensions.")
@click.option(
    "--home", "homes", type=HomeOrUrl(), multiple=True,
    help="Folder or URL the races live in; several may be given (default: $RACELOG_HOME, else the platform's data folder).",
)  # fmt: skip
@click.argument("query")
@click.argument("races", nargs=-1, metavar="[RACE]...")
def sql(  # noqa: PLR0917 - click passes them by name
    form: str | None,
    output: Path | None,
    kind: "Kind | None",
    params: tuple[str, ...],
    homes: tuple[Path | str, ...],
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
    if query == "@":
        from racelog.query.contract.saved import listing  # noqa: PLC0415 - not needed for --help

        emit_pieces(f"{line}\n" for line in listing(terminal_width()))
        return
    from racelog.query.connection.connect import load_races  # noqa: PLC0415 - loads DuckDB and numpy
    from racelog.query.connection.statement import run_statement  # noqa: PLC0415 - loads DuckDB

    form = form or ("table" if kind is not None else _named_by(output))
    if kind is not None:
        _check_plot(form, output)
    elif form == "parquet" and output is None:
        raise InputError("-f parquet is not for a terminal; name a file: -o rows.parquet")
    text, values = _asked(query, params)
    loaded = load_races(*races, home=homes, cache=not no_cache, unsafe=unsafe, spill=True)
    for problem in loaded.problems:
        warn(problem)
    if not loaded.races and not loaded.problems:
        warn(f"no races in {_where(homes)} yet, all tables are empty. Record one: racelog record")
    note_loss(lossy=bool(races) and loaded.lossy)
    result = run_statement(loaded.connection, text, values, unsafe=unsafe, exact=kind is None)
    if kind is not None:
        _plot(result, kind, output, force=force)
    else:
        _give(result, form, output, force=force)


def _give(result: "Result", form: str, output: Path | None, *, force: bool) -> None:
    """Print the rows, or write them into a file; what JSON could not hold of them is told."""
    from racelog.console.tables import OddNumbers  # noqa: PLC0415 - not needed for --help

    odd = OddNumbers(result.columns, result.types, inside=form not in ("json", "jsonl"))
    if output is not None:
        _write(result, odd, form, output, force=force)
    elif form == "table" and not result.explains:
        for line in _pieces(result, odd, form, terminal_width()):
            click.echo(line, nl=False)
    else:
        emit_pieces(_pieces(result, odd, form, None))
    if told := odd.told():
        warn(told)


def _named_by(output: Path | None) -> str:
    """Return the form that a file's name asks for."""
    suffix = "" if output is None else output.suffix.lower().removeprefix(".")
    return suffix if suffix in ("csv", "json", "jsonl", "md", "parquet") else "table"


def _where(homes: "tuple[Path | str, ...]") -> str:
    """Return where races were looked for, with nothing secret of a URL."""
    from racelog.home import home_folder  # noqa: PLC0415 - not needed for --help
    from racelog.query.sources.remote import is_remote, shown  # noqa: PLC0415 - loads DuckDB

    looked = [
        shown(str(home)) if is_remote(home) else str(home_folder(home) / "races") for home in homes or (None,)
    ]
    return ", ".join(looked)


def _check_plot(form: str, output: Path | None) -> None:
    """Raise `InputError` where --plot does not go with the other options."""
    if form != "table":
        raise InputError(f"--plot draws the rows, -f {form} prints them; give one of the two")
    from racelog.console.plotters import PLOTTERS  # noqa: PLC0415 - not needed for --help

    kinds = PLOTTERS.installed()
    if output is not None and output.suffix.lower().removeprefix(".") not in kinds:
        written = f"a {', '.join(kinds).upper()}"
        raise InputError(f"--plot writes {written}; name the file so: -o {output.with_suffix('.png')}")


def _plot(result: "Result", kind: "Kind", output: Path | None, *, force: bool) -> None:
    """Draw the rows on standard output, or into a file."""
    from racelog.console.plots import plot_of  # noqa: PLC0415 - not needed for --help

    plot = plot_of(kind, result.columns, result.rows)
    if output is None:
        for line in plot_in_terminal(plot):
            click.echo(line, nl=False)
        return
    from racelog.console.plotters import plot_picture  # noqa: PLC0415 - not needed for --help
    from racelog.log.write.atomic import new_file  # noqa: PLC0415 - not needed for --help

    picture = plot_picture(plot, output.suffix.lower().removeprefix("."))
    with new_file(output, force=force) as partial:
        partial.write_bytes(picture)


def plot_in_terminal(plot: "Plot") -> "Iterator[str]":
    """Yield a plot's lines for standard output: dots where they can be shown and told apart, else signs of ASCII."""
    from racelog.console.braille import plot_lines  # noqa: PLC0415 - not needed for --help
    from racelog.display.terminal import colours, speaks_unicode  # noqa: PLC0415 - not needed for --help

    wish = colours(os.environ)
    told_apart = len(plot.series) == 1 or (sys.stdout.isatty() if wish is None else wish)
    braille = speaks_unicode(sys.stdout.encoding, os.environ) and told_apart
    return (f"{line}\n" for line in plot_lines(plot, terminal_width() or 80, braille=braille))


def _asked(query: str, params: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """Return the text of the query and its parameters' values."""
    from racelog.query.contract.saved import assigned, bound, saved_query  # noqa: PLC0415 - not needed for --help

    values = dict(map(assigned, params))
    if query.startswith("@"):
        saved = saved_query(query.removeprefix("@"))
        return saved.sql, bound(saved, values)
    return ("".join(input_lines()) if query == "-" else query), values


def _pieces(result: "Result", odd: "OddNumbers", form: str, width: int | None) -> "Iterator[str]":
    """Yield the rows as text in one of the forms."""
    from racelog.console.tables import FORMS, as_table  # noqa: PLC0415 - not needed for --help

    if form == "table" and result.explains:
        return (f"{row[-1]}\n" for row in result.rows)
    rows = odd.passing(result.told())
    return as_table(result.columns, rows, width) if form == "table" else FORMS[form](result.columns, rows)


def _write(result: "Result", odd: "OddNumbers", form: str, output: Path, *, force: bool) -> None:
    """Write the rows into a file that appears when it is whole."""
    from racelog.log.write.atomic import new_file  # noqa: PLC0415 - not needed for --help

    with new_file(output, force=force) as partial:
        if form == "parquet":
            from racelog.query.connection.parquet import write_parquet  # noqa: PLC0415 - loads DuckDB

            write_parquet(result, partial)
            return
        with partial.open("w", encoding="utf-8", newline="") as file:
            pieces = _pieces(result, odd, form, None)
            file.writelines(map(click.unstyle, pieces) if form == "table" else pieces)
