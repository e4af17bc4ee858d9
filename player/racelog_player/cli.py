"""`racelog play`: a race on the terminal, as running lines, or at one instant."""

import os
import sys
from pathlib import Path

import click

from racelog.errors import ExitCode, InputError
from racelog.home import find_race, home_folder

EXAMPLES = """\b
Examples:
  racelog play                            the last race, at the speed it was run
  racelog play latest --speed 4x          four times as fast; also 0.25, 200%, max
  racelog play race.rlog --start 1m30s    from one and a half minutes in
  racelog play --plain | less             running lines instead of a screen
  racelog play --at 10s                   the standings ten seconds in
  racelog play --at end --json | jq .     the whole state, for scripts

\b
On the screen: space pauses, the arrow keys seek and change speed, ? shows all keys.
"""


@click.command(epilog=EXAMPLES, short_help="Watch a race again, at any speed.")
@click.argument("race", default="latest")
@click.option("--speed", "-s", metavar="SPEED", help="4x, 0.25, 200% or max.  [default: 1x; max into a pipe]")
@click.option("--start", metavar="TIME", default="0s", help="Begin here: 10s, 1m23.4s, 01:23, 250ms, 50%.")
@click.option("--at", metavar="TIME", help="Print the race as it stood then (a time, a %, or end), and exit.")
@click.option("--json", "as_json", is_flag=True, help="With --at: print the state as JSON.")
@click.option("--plain", is_flag=True, help="Running lines instead of a screen; the default into a pipe.")
@click.option("--follow", is_flag=True, help="Follow a race while it is being recorded.")
@click.option(
    "--fps", type=click.FloatRange(1, 120), default=30.0, show_default=True, help="Frames per second."
)
@click.option("--home", type=click.Path(path_type=Path), help="Where races are kept.  [env: RACELOG_HOME]")
@click.option("--control-fd", type=int, hidden=True, help="Where wishes to the recorder go.")
def play(
    race: str, speed: str | None, start: str, at: str | None, *, as_json: bool, plain: bool, follow: bool,
    fps: float, home: Path | None, control_fd: int | None,
) -> int:  # fmt: skip
    """Watch RACE again: a log file, a race id or its first letters, or the latest.

    Everything on the screen is computed from the log, so any instant of it looks the same every time.
    """
    if as_json and at is None:
        raise InputError("--json prints the state at one instant; say which: racelog play --at end --json")
    path = find_race(race, home_folder(home))
    if at is not None:
        _print_instant(path, at, as_json=as_json)
        return ExitCode.OK
    return _play(path, speed, start, plain=plain, follow=follow, fps=fps, control_fd=control_fd)


def _print_instant(path: Path, at: str, *, as_json: bool) -> None:
    """Print the state folded up to ``at``."""
    import msgspec  # noqa: PLC0415 - only this command's callback needs it

    from racelog.replay.race import Replay  # noqa: PLC0415 - loads the events
    from racelog.views.race import race_view  # noqa: PLC0415 - loads the log's reader
    from racelog_player.look import shows_unicode  # noqa: PLC0415 - loads the views
    from racelog_player.plain import standings_table  # noqa: PLC0415 - loads the views
    from racelog_player.signs import to_ascii  # noqa: PLC0415 - loads wcwidth
    from racelog_player.source import PastRace  # noqa: PLC0415 - loads the log's reader
    from racelog_player.times import parse_position  # noqa: PLC0415 - not needed for --help

    position = parse_position(at)
    tracks = PastRace(path).tracks
    replay = Replay(tracks)
    instant = position.within(tracks.duration_ns())
    if instant >= tracks.duration_ns():
        replay.seek_end()
    else:
        replay.seek(instant)
    view = race_view(replay)
    if as_json:
        sys.stdout.write(msgspec.json.encode(view).decode() + "\n")
        return
    unicode = shows_unicode(sys.stdout.encoding, os.environ)
    for line in standings_table(view):
        click.echo(line if unicode else to_ascii(line))


def _play(
    path: Path,
    speed: str | None,
    start: str,
    *,
    plain: bool,
    follow: bool,
    fps: float,
    control_fd: int | None,
) -> int:
    """Play on the terminal, or as lines where there is none."""
    import time  # noqa: PLC0415 - only to anchor the playhead

    from racelog.replay.playhead import Playhead  # noqa: PLC0415 - not needed for --help
    from racelog.replay.speed import MAX, parse_speed  # noqa: PLC0415 - not needed for --help
    from racelog_player.control import Control  # noqa: PLC0415 - loads msgspec
    from racelog_player.plain import play_plain  # noqa: PLC0415 - loads the views
    from racelog_player.player import Player  # noqa: PLC0415 - loads the views
    from racelog_player.source import LiveRace, PastRace  # noqa: PLC0415 - loads the log's reader
    from racelog_player.times import parse_position  # noqa: PLC0415 - not needed for --help

    lines = plain or not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb"
    factor = parse_speed(speed) if speed is not None else MAX if not sys.stdout.isatty() else 1.0
    begin = parse_position(start)
    source = LiveRace(path) if follow else PastRace(path)
    start_ns = 0 if follow else begin.within(source.tracks.duration_ns())
    if lines:
        play_plain(source, factor, start_ns)
        return ExitCode.OK
    from racelog_player.app import run_app  # noqa: PLC0415 - prompt_toolkit takes 0.1 s to load

    playhead = Playhead(start_ns, time.monotonic_ns(), factor, live=follow)
    return run_app(Player(source, playhead, Control(control_fd)), fps)
