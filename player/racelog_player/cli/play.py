"""`racelog play`: a race on the terminal, as running lines, at one instant, or as a film."""

from pathlib import Path
from typing import Any

import click

from racelog.errors import InputError
from racelog.home import find_race, home_folder

EXAMPLES = """\b
Examples:
  racelog play                            the last race, at the speed it was run
  racelog play latest --speed 4x          four times as fast; also 0.25, 200%, max
  racelog play monday.rlog friday.rlog    two races side by side
  racelog play race.rlog --start 1m30s    from one and a half minutes in
  racelog play --idle-limit 2s --pause-on-marks
  racelog play --plain | less             running lines instead of a screen
  racelog play --at 10s                   the standings ten seconds in
  racelog play --at end --json | jq .     the whole state, for scripts
  racelog play --speed 4x --cast race.gif   the film as a GIF; race.cast: for asciinema

\b
On the screen: space pauses, the arrow keys seek and change speed, ? shows all keys.
"""


def _check_theme(context: click.Context, option: click.Parameter, theme: str | None) -> str | None:  # noqa: ARG001 - click's shape
    """Return a theme's name as it was given.

    Raises:
        InputError: there is no such theme, or its file is none.
    """
    if theme:
        from racelog_player.terminal.themes import find_theme  # noqa: PLC0415 - not needed for --help

        find_theme(theme, home_folder(context.params.get("home")) / "themes")
    return theme


@click.command(epilog=EXAMPLES, short_help="Watch a race again, at any speed.")
@click.argument("races", nargs=-1, metavar="[RACE]...")
@click.option("--speed", "-s", metavar="SPEED", help="4x, 0.25, 200% or max.  [default: 1x; max into a pipe]")
@click.option("--start", metavar="TIME", default="0s", help="Begin here: 10s, 1m23.4s, 01:23, 250ms, 50%.")
@click.option("--until", metavar="TIME", help="Pause there.")
@click.option(
    "--loop", "-l", metavar="N", is_flag=False, flag_value="0", help="Play again, N times or for ever."
)
@click.option("--ab", metavar="A..B", help="Loop a stretch: 10s..20s, 25%..50%.")
@click.option("--idle-limit", "-i", metavar="TIME", help="Skip idle gaps longer than this.")
@click.option(
    "--pause-on-marks", "-m", is_flag=True, help="Pause at each first token, overtake, error and finish."
)
@click.option("--paused", "-p", is_flag=True, help="Begin paused.")
@click.option("--lanes", metavar="A,B", help="Only these engines, by name or number.")
@click.option(
    "--align", type=click.Choice(["start", "first-token", "wall"]), default="start", show_default=True,
    help="The instant at which lanes are set equal.",
)  # fmt: skip
@click.option("--follow", is_flag=True, help="Follow a race while it is being recorded.")
@click.option("--at", metavar="TIME", help="Print the race as it stood then (a time, a %, or end), and exit.")
@click.option("--json", "as_json", is_flag=True, help="With --at: print the state as JSON.")
@click.option("--plain", is_flag=True, help="Print lines instead of a full screen; the default into a pipe.")
@click.option("--dry-run", is_flag=True, help="Say how long playing would take and what is in it, and exit.")
@click.option(
    "--cast",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the film: .cast (asciicast v3) or .gif.",
)
@click.option(
    "--snapshot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --at: the screen as .svg, .png, .txt or .ansi.",
)
@click.option(
    "--size", metavar="COLSxROWS", default="120x36", show_default=True, help="For --cast and --snapshot."
)
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option(
    "--fps", type=click.FloatRange(1, 120), help="Frames per second.  [default: 30, or your setting]"
)
@click.option("--keys", metavar="NAME|FILE", help="default, mpv, asciinema, rosbag, or a TOML file.")
@click.option(
    "--no-mouse",
    "mouse",
    flag_value=False,
    default=None,
    type=bool,
    help="Leave the mouse to the terminal (with it, shift selects text).",
)
@click.option(
    "--no-motion",
    "motion",
    flag_value=False,
    default=None,
    type=bool,
    help="No animation and no pop-up messages.  [env: NO_MOTION]",
)
@click.option("--theme", metavar="NAME|FILE", envvar="RACELOG_THEME", callback=_check_theme, help="default, dark, light, hacker, retro, colour-blind, or yours.")  # fmt: skip
@click.option("--mode", type=click.Choice(["novice", "expert", "teacher"]), help="How much is explained.")
@click.option(
    "--commentary", type=click.Choice(["quiet", "normal", "verbose"]),
    help="How many comments.  [default: normal, or your setting]",
)  # fmt: skip
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    is_eager=True,
    help="Where races are kept.  [env: RACELOG_HOME]",
)
@click.option("--control-fd", type=int, hidden=True, help="Where wishes to the recorder go.")
def play(races: tuple[str, ...], home: Path | None, **options: Any) -> int:
    """Watch RACE again: a log file, a race id or its first letters, or the latest. Several run side by side.

    Everything on the screen is computed from the log, so any instant of it looks the same every time.
    """
    from racelog_player.cli.options import PlayOptions  # noqa: PLC0415 - not needed for --help

    asked = PlayOptions(**options)
    if asked.as_json and asked.at is None:
        raise InputError("--json prints the state at one instant; say which: racelog play --at end --json")
    if asked.snapshot is not None and asked.at is None:
        raise InputError(
            "--snapshot saves the screen at one instant; say which: --at 10s --snapshot race.svg"
        )
    if asked.follow and len(races) > 1:
        raise InputError("--follow follows one race; several can be watched once they are over")
    from racelog_player.cli.session import Session  # noqa: PLC0415 - loads the log's reader and the views

    where = home_folder(home)
    return Session([find_race(race, where) for race in races or ("latest",)], where, asked).run()
