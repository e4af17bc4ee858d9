"""`racelog shell`: SQL over past races, asked one after another. The queries are `racelog sql`'s; so are the fences."""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from racelog.console.arguments import HomeOrUrl
from racelog.console.standard import input_lines
from racelog.display.terminal import addressable
from racelog.display.text import counted, printable
from racelog.errors import ExitCode, InputError, RacelogError, Unwritable
from racelog.home import own_folder
from racelog_player.shell.questions import is_complete, questions_in
from racelog_player.terminal.keeping import KeptTerminal, heeding, stop_here

if TYPE_CHECKING:
    import duckdb
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer

    from racelog.query.connection.statement import Result

HELP = """\
A query ends with a semicolon and may take several lines. Tab completes; arrow up brings earlier ones back.

  .tables           the tables, and how many rows each has
  .schema [TABLE]   its columns, their types and meaning; of all tables, their names alone
  .examples         the saved queries; run one with @NAME, or @NAME ttft_ms=500
  .plot KIND QUERY  draw what a query, or @NAME, gives: KIND is line, hist or scatter
  .help  .quit      this text; leave (also Ctrl-D)
"""

KEYWORDS = [
    "select",
    "from",
    "where",
    "group",
    "by",
    "order",
    "limit",
    "having",
    "join",
    "using",
    "left",
    "asof",
    "with",
    "as",
    "and",
    "or",
    "not",
    "null",
    "is",
    "distinct",
    "case",
    "when",
    "then",
    "else",
    "end",
    "between",
    "like",
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "median",
    "quantile_cont",
    "describe",
    "summarize",
    "over",
    "partition",
    "filter",
]


@click.command(short_help="Ask your races questions, one after another.")
@click.argument("races", nargs=-1, metavar="[RACE]...")
@click.option(
    "--home", "homes", type=HomeOrUrl(), multiple=True,
    help="Folder or URL the races live in; several may be given.",
)  # fmt: skip
def shell(races: tuple[str, ...], homes: tuple[Path | str, ...]) -> int:
    """Open an SQL shell over the races named, or over all of them.

    Nothing but reading is allowed, as in `racelog sql`. Not on a terminal, queries are read from standard input; all
    are answered, and where one could not be, the exit status is that of the first.
    """
    from racelog.home import home_folder  # noqa: PLC0415 - not needed for --help
    from racelog.query.connection.connect import load_races  # noqa: PLC0415 - loads DuckDB

    loaded = load_races(*races, home=homes, spill=True)
    for problem in loaded.problems:
        click.echo(f"racelog: {printable(problem)}", err=True)
    if sys.stdin.isatty():
        click.echo(
            f"{counted(loaded.races, 'race')}. Queries end with ;  .help tells more, Ctrl-D leaves.", err=True
        )
        kept_in = next((home for home in homes if isinstance(home, Path)), None)
        history = home_folder(kept_in) / "sql_history"
        if not addressable(os.environ):  # no line to edit: each is read as it is typed
            answer_all(loaded.connection, questions_in(sys.stdin))
            return ExitCode.OK
        with KeptTerminal() as kept:
            session = new_session(loaded.connection, history)
            with (
                heeding(signal.SIGTSTP, partial(suspended, session)),
                heeding(signal.SIGCONT, partial(resumed, session)),
            ):
                answer_all(loaded.connection, asked(session), kept.check)
        return ExitCode.OK
    return answer_all(loaded.connection, questions_in(input_lines()))


def answer_all(
    connection: "duckdb.DuckDBPyConnection",
    questions: Iterable[str],
    check: Callable[[], None] = lambda: None,
) -> ExitCode:
    """Answer each question on standard output, mistakes on standard error, until the last or ``.quit``.

    ``check`` raises after an answer if the shell was told to end meanwhile. Return what the first mistake was.
    """
    code = ExitCode.OK
    for question in questions:
        if question.rstrip("; ") in (".quit", ".exit"):
            break
        try:
            for line in answer(connection, question):
                click.echo(line, nl=False)
        except Unwritable:
            raise
        except RacelogError as error:
            click.echo(f"racelog: {printable(str(error), newline=chr(10))}", err=True)
            code = code or error.exit_code
        except KeyboardInterrupt:
            click.echo("racelog: interrupted", err=True)
            code = code or ExitCode.INTERRUPTED
        finally:
            check()
    return code


def answer(connection: "duckdb.DuckDBPyConnection", question: str) -> Iterator[str]:
    """Yield the answer to one query, ``@NAME`` or dot command, line by line.

    Raises:
        InputError: it is none of them, or the query is refused.
    """
    from racelog.console.output import terminal_width  # noqa: PLC0415 - not needed for --help
    from racelog.console.tables import as_table  # noqa: PLC0415 - not needed for --help

    if question.startswith("."):
        yield from _command(connection, question)
        return
    result = _result(connection, question, exact=True)
    if result.explains:
        yield from (f"{printable(str(row[-1]), newline=chr(10))}\n" for row in result.rows)
    else:
        yield from as_table(result.columns, result.told(), terminal_width())


def _result(connection: "duckdb.DuckDBPyConnection", question: str, *, exact: bool) -> "Result":
    """Return what a query, or ``@NAME`` with its parameters, gives; ``exact`` as in `run_statement`."""
    from racelog.query.connection.statement import run_statement  # noqa: PLC0415 - loads DuckDB
    from racelog.query.contract.saved import assigned, bound, saved_query  # noqa: PLC0415 - not needed for --help

    if not question.startswith("@"):
        return run_statement(connection, question, exact=exact)
    name, *given = question.removeprefix("@").rstrip("; ").split() or [""]
    saved = saved_query(name)
    return run_statement(connection, saved.sql, bound(saved, dict(map(assigned, given))), exact=exact)


def _plot(connection: "duckdb.DuckDBPyConnection", question: str) -> Iterator[str]:
    from racelog.commands.sql import plot_in_terminal  # noqa: PLC0415 - not needed for --help
    from racelog.console.plots import KINDS, plot_of  # noqa: PLC0415 - not needed for --help

    _, wanted, query = [*question.split(maxsplit=2), "", ""][:3]
    kind = next((kind for kind in KINDS if wanted == kind), None)
    if kind is None or not query.strip("; "):
        raise InputError(f".plot takes {', '.join(KINDS)} and a query; try: .plot line @tokens-per-second")
    result = _result(connection, query, exact=False)
    return plot_in_terminal(plot_of(kind, result.columns, result.rows))


def _command(connection: "duckdb.DuckDBPyConnection", question: str) -> Iterator[str]:
    from racelog.console.output import terminal_width  # noqa: PLC0415 - not needed for --help
    from racelog.query.contract.saved import listing  # noqa: PLC0415 - not needed for --help
    from racelog.query.contract.tables import TABLES  # noqa: PLC0415 - not needed for --help

    command, *arguments = question.rstrip("; ").split()
    if command == ".help":
        yield HELP
    elif command == ".examples":
        yield from (f"{line}\n" for line in listing(terminal_width()))
    elif command == ".plot":
        yield from _plot(connection, question)
    elif command == ".tables":
        counts = (f"SELECT '{table}' AS \"table\", count(*) AS rows FROM {table}" for table in TABLES)  # noqa: S608 - our own names
        union = " UNION ALL ".join(counts)
        yield from answer(connection, union)
    elif command == ".schema" and len(arguments) == 1 and arguments[0] in TABLES:
        columns = TABLES[arguments[0]]
        yield from (f"{column.name:18} {column.type:10} {column.meaning}\n" for column in columns)
    elif command == ".schema" and not arguments:
        yield from (
            f"{table}({', '.join(column.name for column in columns)})\n" for table, columns in TABLES.items()
        )
    elif command == ".schema":
        raise InputError(f".schema takes one table: {', '.join(TABLES)}")
    else:
        raise InputError(
            f"no command {command!r}; there are .tables, .schema, .examples, .plot, .help and .quit"
        )


def asked(session: "PromptSession[str]") -> Iterator[str]:
    """Yield what is typed until Ctrl-D; Ctrl-C drops the line."""
    while True:
        try:
            text = session.prompt("racelog> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        yield from questions_in([text])


def suspended(session: "PromptSession[str]", *, group: bool = False) -> None:
    """Stop this process, or its whole job, with the terminal as it was before the prompt; the prompt comes back after."""
    from prompt_toolkit.application import run_in_terminal  # noqa: PLC0415 - not needed for --help

    app = session.app
    if app.is_running and app.loop is not None:
        app.loop.call_soon_threadsafe(lambda: run_in_terminal(partial(stop_here, group=group)))
    else:
        stop_here(group=group)


def resumed(session: "PromptSession[str]") -> None:
    """Set the terminal up again and draw the prompt anew: a shell has used it since we were stopped."""
    app = session.app
    if not app.is_running or app.loop is None:
        return

    def take() -> None:
        app.input.raw_mode().__enter__()  # the prompt's own knows how the terminal was before
        app.renderer.reset()
        app.output.enable_bracketed_paste()
        app.invalidate()

    app.loop.call_soon_threadsafe(take)


def new_session(connection: "duckdb.DuckDBPyConnection", history: Path) -> "PromptSession[str]":
    """Return a prompt with history in a file (in memory where none can be written), completion and many lines."""
    from prompt_toolkit import PromptSession  # noqa: PLC0415 - not needed for --help
    from prompt_toolkit.filters import Condition  # noqa: PLC0415 - likewise
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory  # noqa: PLC0415 - likewise
    from prompt_toolkit.key_binding import KeyBindings  # noqa: PLC0415 - likewise

    kept: History = InMemoryHistory()
    with suppress(OSError):
        own_folder(history.parent)
        history.touch(mode=0o600)
        kept = FileHistory(str(history))
    bindings = KeyBindings()
    bindings.add("c-z")(lambda _event: suspended(session, group=True))
    session: PromptSession[str] = PromptSession(
        history=kept,
        completer=completer(words(connection)),
        complete_while_typing=False,
        key_bindings=bindings,
        prompt_continuation=lambda width, _number, _wrapped: "." * (width - 1) + " ",
    )
    session.multiline = Condition(lambda: not is_complete(session.default_buffer.text))
    return session


def words(connection: "duckdb.DuckDBPyConnection") -> list[str]:
    """Return all that Tab completes: commands, saved queries, tables, columns, macros, keywords."""
    from racelog.query.contract.saved import saved_queries  # noqa: PLC0415 - not needed for --help
    from racelog.query.contract.tables import TABLES  # noqa: PLC0415 - not needed for --help

    columns = {column.name for table in TABLES.values() for column in table}
    query = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE NOT internal"
    macros = [str(row[0]) for row in connection.execute(query).fetchall()]
    commands = [".tables", ".schema", ".examples", ".plot", ".help", ".quit"]
    saved = [f"@{name}" for name in saved_queries()]
    return [*commands, *saved, *TABLES, *sorted(columns), *sorted(macros), *KEYWORDS]


def completer(known: Sequence[str]) -> "Completer":
    """Return a completer of the word before the cursor; the sign of a saved query or a command belongs to it."""
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion, WordCompleter  # noqa: PLC0415 - not needed for --help
    from prompt_toolkit.document import Document  # noqa: PLC0415 - likewise

    # prompt_toolkit matches the text before the cursor backwards, so the signs come last.
    word = re.compile(r"^(?:[\w-]*@|\w*\.$|\w*)")

    class InContext(Completer):
        """Offers what fits the words before."""

        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
            fitting = list(dict.fromkeys(offered(document.text_before_cursor, known)))
            return WordCompleter(fitting, ignore_case=True, pattern=word).get_completions(
                document, complete_event
            )

    return InContext()


def offered(before: str, known: Sequence[str]) -> list[str]:
    """Return which of the known words may come at the end of ``before``, the likelier first.

    A table's name alone after ``.schema``, a kind alone after ``.plot``; tables first where a query wants one, else last.
    """
    from racelog.console.plots import KINDS  # noqa: PLC0415 - not needed for --help
    from racelog.query.contract.tables import TABLES  # noqa: PLC0415 - not needed for --help

    if re.match(r"\s*\.schema\s", before):
        return list(TABLES)
    if re.match(r"\s*\.plot\s+\w*$", before):
        return list(KINDS)
    wants_table = re.search(r"\b(?:from|join|describe|summarize)\s+\w*$", before, re.IGNORECASE) is not None
    return sorted(known, key=lambda word: (word in TABLES) is not wants_table)
