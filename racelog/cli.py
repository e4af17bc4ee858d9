"""The command line: finds commands by entry point, loads only the one asked for, prints errors in one place.

Standard output carries results and nothing else; everything for people who wait goes to standard error.
"""

import os
import sys
from io import StringIO
from typing import Any

import click

from racelog import __version__
from racelog.console import standard
from racelog.console.loss import LOSSY
from racelog.display.terminal import adapt_output, colours
from racelog.display.text import printable
from racelog.errors import ExitCode, RacelogError, Unwritable
from racelog.log.write.os_errors import FULL, refusal
from racelog.plugins import Plugin, installed
from racelog.urls import without_url_secrets

GROUP = "racelog.commands"

EXAMPLES = """\b
Examples:
  racelog record                               watch a demo race; needs no network, GPU or key
  racelog record --engine a=http://localhost:8000/v1 --engine b=http://localhost:8001/v1
  racelog play latest --speed 4x               watch the last race again
  racelog sql "select engine, median(ttft_ms) from requests join lanes using (race_id, lane_id) where phase = 'race' group by 1"
  racelog card latest -o card.png              a picture worth sharing
"""


class EntryPointGroup(click.Group):
    """A group whose subcommands are entry points, each imported only when asked for.

    A command that fails to import stays listed, says why, and exits 1 when run; it never breaks the others.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all installed commands; imports none of them."""
        return sorted({*super().list_commands(ctx), *installed(GROUP)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command, or a stand-in that explains why it cannot be loaded."""
        plugin = installed(GROUP).get(cmd_name)
        if plugin is None:
            return super().get_command(ctx, cmd_name)
        try:
            command = plugin.point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever breaks a plug-in must not break `racelog --help`
            return _unavailable(
                plugin,
                str(error) or type(error).__name__,
                error.name if isinstance(error, ImportError) else None,
            )
        if not isinstance(command, click.Command):
            return _unavailable(plugin, f"{plugin.point.value} is no click command")
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader of its output that leaves (``| head``) is told apart from click's exit 1.

        One that succeeded with a log of which something could not be read exits with `ExitCode.LOSS`.
        """
        try:
            result = super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderLeft from error
        return result or (ExitCode.LOSS if ctx.meta.get(LOSSY) else ExitCode.OK)


class _ReaderLeft(Exception):  # noqa: N818 - an end, not an error
    """Whoever read our standard output has had enough."""


def _unavailable(plugin: Plugin, why: str, missing: object = None) -> click.Command:
    """Return a command that says why ``plugin`` could not be loaded and what to do about it.

    ``missing`` is the module that was not found, if that is why.
    """
    package, value = plugin.distribution, plugin.point.value
    whose = "" if plugin.is_ours else f" of {package} {plugin.version}"

    @click.command(
        plugin.name,
        help=f"(unavailable: {why})",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        add_help_option=False,
    )
    def stand_in() -> None:
        hint = f"pip install {missing}" if missing else f"pip install --force-reinstall {package}"
        raise RacelogError(f"{plugin.name!r}{whose} cannot be loaded from {value}: {why}. Try: {hint}")

    return stand_in


@click.group(cls=EntryPointGroup, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="racelog")
def app() -> None:
    """The flight recorder for LLM serving: record a race once; replay it, query it, share it."""


def main() -> None:
    """Run the command line and exit with an `ExitCode`."""
    standard.guard()
    adapt_output(os.environ)
    try:
        code = run(sys.argv[1:])
    except SystemExit as ended:  # a signal's: what is still to be written may have nobody who reads it
        code = ended.code if isinstance(ended.code, int) else ExitCode.OK
    sys.exit(_finished(code))


def _finished(code: int) -> int:
    """Return a command's exit code once all it printed is written, or that of what kept it from being."""
    try:
        standard.finish()
    except BrokenPipeError:
        standard.give_up()
    except Unwritable as error:
        standard.give_up()
        click.echo(f"racelog: {error}", err=True)
        return code or error.exit_code
    return code


def run(arguments: list[str]) -> int:
    """Run one command; return its exit code. Prints a user's mistake as one line, never as a traceback."""
    try:
        result = app.main(arguments, prog_name="racelog", standalone_mode=False, color=colours(os.environ))
    except click.ClickException as error:
        told = StringIO()
        error.show(told)
        click.echo(printable(without_url_secrets(told.getvalue()), newline="\n"), err=True, nl=False)
        return error.exit_code
    except RacelogError as error:
        if isinstance(error, Unwritable):
            standard.give_up()
        click.echo(f"racelog: {printable(without_url_secrets(str(error)), newline=chr(10))}", err=True)
        return error.exit_code
    except OSError as error:  # a file, a folder or a device that says no: never a mistake of ours to trace
        click.echo(f"racelog: {printable(without_url_secrets(_refused(error)))}", err=True)
        return ExitCode.STORAGE if error.errno in FULL else ExitCode.FAILED
    except (click.Abort, KeyboardInterrupt):
        click.echo("racelog: interrupted", err=True)
        return ExitCode.INTERRUPTED
    except _ReaderLeft:
        standard.give_up()  # without a complaint
        return ExitCode.OK
    return result if isinstance(result, int) else ExitCode.OK


def _refused(error: OSError) -> str:
    """Return what the system refused, with the file where it names one."""
    name = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return f"{name}{refusal(error)}"
