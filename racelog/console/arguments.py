"""The arguments that the core's verbs share: which home, which race, which log to write."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from racelog.home import find_race, home_folder

Command = TypeVar("Command", bound=Callable[..., Any])

WHAT_RACE_IS = "RACE is a file, the folder of a race that still runs, a race's id or the beginning of one, or latest, the default."

home_option = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder the races live in (default: $RACELOG_HOME, else the platform's data folder).",
)


class HomeOrUrl(click.Path):
    """A home that a command only reads: a folder, or a URL as it is."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, file_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a URL as text and anything else as a path."""
        return value if isinstance(value, str) and "://" in value else super().convert(value, param, ctx)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def race_argument(command: Command) -> Command:
    """Add the argument RACE, a path, an id, a prefix of one, or (the default) ``latest``, and say so in the help."""
    command.__doc__ = f"{inspect.cleandoc(command.__doc__ or '')}\n\n{WHAT_RACE_IS}"
    return click.argument("race", default="latest")(command)


def output_options(what: str, *, required: bool = False) -> Callable[[Command], Command]:
    """Return what adds ``-o``, the log to write, with ``what`` for its help, and ``--force``."""
    output = click.option(
        "-o", "--output", type=click.Path(path_type=Path), required=required, metavar="OUT.rlog", help=what
    )
    force = click.option("--force", is_flag=True, help="Overwrite OUT.rlog if it exists.")
    return lambda command: output(force(command))


def race_path(race: str, home: Path | None) -> Path:
    """Return the log that ``race`` names in ``home``.

    Raises:
        RaceNotFound: nothing answers to it.
        InputError: a prefix fits several races.
    """
    return find_race(race, home_folder(home))
