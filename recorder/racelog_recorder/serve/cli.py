"""``racelog serve``: a recorded race as live endpoints."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from racelog.errors import InputError, RacelogError
from racelog.home import find_race, home_folder

if TYPE_CHECKING:
    import trio

    from racelog.log.read.reader import RaceLog
    from racelog_recorder.serve.server import BoundLane, ServedLane

DEMO_LOG = Path(__file__).parents[1] / "demo" / "demo.rlog"
"""A race between real engines that ships with racelog."""

MIN_SPEED, MAX_SPEED = 0.01, 1000.0

EXAMPLES = """\b
Examples:
  racelog serve                          the latest race, every lane on a port of its own
  racelog serve 20261121 --lane vLLM --port 8000
  racelog serve --demo --speed 4x        the race that comes with racelog, four times as fast
  racelog serve --json                   one line of JSON when ready, for scripts
"""


def _speed(context: click.Context, parameter: click.Parameter, value: str) -> float:
    """Return how many times as fast as recorded ``4x``, ``0.5x`` or a plain number means."""
    found = re.fullmatch(r"(\d{1,4}(?:\.\d{1,6})?)x?", value)
    speed = float(found[1]) if found else 0.0
    if not MIN_SPEED <= speed <= MAX_SPEED:
        raise click.BadParameter(
            f"{value!r}: give {MIN_SPEED:g}x to {MAX_SPEED:g}x, such as 4x", ctx=context, param=parameter
        )
    return speed


@click.command(epilog=EXAMPLES, short_help="Serve a recorded race as endpoints.")
@click.argument("race", required=False)
@click.option("--demo", is_flag=True, help="Serve the race that comes with racelog.")
@click.option(
    "--while-stdin", is_flag=True, hidden=True, help="End when standard input closes: our starter is gone."
)
@click.option(
    "--lane", "lanes", multiple=True, metavar="NAME", help="Serve this engine only; may be repeated."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=0, show_default=True, type=click.IntRange(0, 65535),
    help="The first lane's port, the next lane's is one higher; 0 takes any free ones.",
)  # fmt: skip
@click.option(
    "--allow-host", "names", multiple=True, metavar="NAME",
    help="Answer to this name too; else only to localhost, to what --host names, and to the address a client reached.",
)  # fmt: skip
@click.option(
    "--speed", default="1x", show_default=True, callback=_speed, help="Faster or slower than recorded."
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON when ready.")
@click.option("--home", type=click.Path(path_type=Path), help="The races' folder, instead of RACELOG_HOME.")
def serve(
    *,
    race: str | None,
    demo: bool,
    lanes: tuple[str, ...],
    host: str,
    port: int,
    names: tuple[str, ...],
    speed: float,
    as_json: bool,
    home: Path | None,
    while_stdin: bool,
) -> None:
    """Serve a recorded race as OpenAI-compatible endpoints, with its own words at its own times.

    RACE is a path, an id, a prefix of one, or 'latest' (when left out). Every lane gets a port of its own. A request
    gets the recorded answer to the same messages; one that was never recorded gets the next answer in turn.
    """
    from racelog.console.loss import tell_loss_of  # noqa: PLC0415 - as below
    from racelog.log.read.reader import open_log  # noqa: PLC0415 - loads the log's codecs

    log = open_log(_log_path(race, home, demo=demo))
    tell_loss_of(log)
    _run(
        log, lanes=lanes, host=host, port=port, names=names, speed=speed, as_json=as_json, while_stdin=while_stdin
    )  # fmt: skip


def _log_path(race: str | None, home: Path | None, *, demo: bool) -> Path:
    """Return the log that was asked for."""
    if not demo:
        return find_race(race or "latest", home_folder(home))
    if race is not None:
        raise InputError("give either RACE or --demo, not both")
    if not DEMO_LOG.is_file():
        raise RacelogError(
            f"the demo race is missing at {DEMO_LOG}; reinstall: pip install --force-reinstall racelog"
        )
    return DEMO_LOG


def _run(
    log: "RaceLog",
    *,
    lanes: tuple[str, ...],
    host: str,
    port: int,
    names: tuple[str, ...],
    speed: float,
    as_json: bool,
    while_stdin: bool,
) -> None:
    """Serve until a signal says stop."""
    import gc  # noqa: PLC0415 - only here
    import signal  # noqa: PLC0415 - only here

    import trio  # noqa: PLC0415 - only a server needs it

    from racelog_recorder.serve.answers import recorded_lanes  # noqa: PLC0415 - beside trio
    from racelog_recorder.serve.door import Door  # noqa: PLC0415 - beside trio
    from racelog_recorder.serve.server import bind_lanes, run_lanes  # noqa: PLC0415 - beside trio

    async def main() -> None:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            bound = await bind_lanes(recorded_lanes(log, lanes), host, port)
            async with trio.open_nursery() as nursery:
                await nursery.start(run_lanes, bound, speed, Door(host, names))
                # The recording stays for good: the collector need not walk it between two tokens.
                gc.collect()
                gc.freeze()
                _announce(bound, as_json=as_json)
                if while_stdin:
                    nursery.start_soon(_until_stdin_closes, nursery.cancel_scope)
                await anext(aiter(signals))
                nursery.cancel_scope.cancel()

    trio.run(main)


async def _until_stdin_closes(scope: "trio.CancelScope") -> None:
    """Cancel ``scope`` when whoever started us has gone."""
    import os  # noqa: PLC0415 - only here

    import trio  # noqa: PLC0415 - only a server needs it

    async with trio.lowlevel.FdStream(os.dup(0)) as stdin:
        async for _ in stdin:
            pass
    scope.cancel()


def _announce(bound: "list[BoundLane]", *, as_json: bool) -> None:
    """Print where the lanes are."""
    import json  # noqa: PLC0415 - only here

    from msgspec import structs  # noqa: PLC0415 - comes with the log

    served = [one.served for one in bound]
    if as_json:
        click.echo(json.dumps({"lanes": [structs.asdict(lane) for lane in served]}))
        return
    _table([(lane, len(one.lane.answers)) for lane, one in zip(served, bound, strict=True)])
    click.echo("\nRace them again:\n  racelog record " + " ".join(_engine_flag(lane) for lane in served))
    click.echo("Ctrl-C stops.", err=True)


def _table(rows: "list[tuple[ServedLane, int]]") -> None:
    """Print a line per lane."""
    from racelog.display.cells import flat, width  # noqa: PLC0415 - beside the log

    cells = [("engine", "model", "url", "answers")]
    cells += [(flat(lane.engine), flat(lane.model), flat(lane.url), f"{answers:,}") for lane, answers in rows]
    widths = [max(width(row[column]) for row in cells) for column in range(3)]
    for row in cells:
        padded = [cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=False)]
        click.echo("  ".join([*padded, row[3]]))


def _engine_flag(lane: "ServedLane") -> str:
    """Return the flag that races ``lane`` again, safe to paste whatever the engine was called."""
    import shlex  # noqa: PLC0415 - only here

    from racelog.display.text import printable  # noqa: PLC0415 - beside the log

    name = re.sub(r"[=,\s]+", "-", printable(lane.engine)).strip("-") or "lane"
    color = f",color={lane.color}" if re.fullmatch(r"#[0-9a-fA-F]{6}", lane.color) else ""
    return f"--engine {shlex.quote(f'{name}={lane.url}{color}')}"
