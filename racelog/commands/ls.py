"""``racelog ls``: the races there are, newest first."""

from pathlib import Path
from typing import Any

import click

from racelog.console.arguments import home_option, json_option
from racelog.console.output import Heading, emit_json, table_lines, terminal_width, warn
from racelog.errors import RacelogError
from racelog.home import StoredRace, home_folder, stored_races

EXAMPLES = """\b
Examples:
  racelog ls                          what was recorded, newest first
  racelog ls --json | jq -r '.[0].path'
  racelog ls --home /mnt/races        races kept elsewhere
"""

HEADINGS = (
    Heading("race", whole=True), Heading("name"), Heading("started (UTC)", whole=True, gives_way=4),
    Heading("status", whole=True), Heading("grid", whole=True, gives_way=3), Heading("engines", gives_way=1),
    Heading("requests", right=True, gives_way=2), Heading("winner"),
)  # fmt: skip


@click.command(epilog=EXAMPLES, short_help="Every race you have recorded.")
@json_option
@home_option
def ls(home: Path | None, *, as_json: bool) -> None:
    """List the races in the home folder, newest first.

    The winner is the lane with the lowest median TTFT. A race that cannot be read is listed as unreadable; why, is
    told on standard error.
    """
    folder = home_folder(home)
    entries = [race_entry(stored) for stored in stored_races(folder)]
    if as_json:
        emit_json(entries)
        return
    for entry in entries:
        if entry["error"]:
            warn(f"{entry['path']} cannot be read: {entry['error']}")
    if not entries:
        warn(f"no races in {folder / 'races'} yet. Record one: racelog record")
        return
    for line in table_lines(HEADINGS, [_row(entry) for entry in entries], terminal_width()):
        click.echo(line)


def race_entry(stored: StoredRace) -> dict[str, Any]:
    """Return what the list shows of one race; ``error`` is a text where it cannot be read. Cost: reads its log."""
    from racelog.log.read.reader import open_log  # noqa: PLC0415 - not needed for --help
    from racelog.log.rewrite.verify import lost_stretches  # noqa: PLC0415 - not needed for --help
    from racelog.replay.race import RaceTracks, Replay  # noqa: PLC0415 - not needed for --help
    from racelog.views.summary import race_summary  # noqa: PLC0415 - not needed for --help

    entry: dict[str, Any] = {
        "race_id": stored.race_id, "name": "", "path": str(stored.path), "sealed": stored.sealed, "started_at": "",
        "status": "unreadable", "damaged": False, "grid": "", "engines": [], "requests": 0, "failed": 0,
        "winner": None, "error": None,
    }  # fmt: skip
    try:
        log = open_log(stored.path)
        race = race_summary(Replay(RaceTracks(log.events)))
    except (RacelogError, OSError, OverflowError, ValueError) as error:
        # The last two: facts that contradict each other or do not fit; `racelog verify` tells which.
        return {**entry, "error": str(error)}
    engines = {lane.lane: lane.engine for lane in race.lanes}
    return {
        **entry, "name": race.name, "started_at": race.started_at, "status": race.status,
        "damaged": bool(lost_stretches(log)), "grid": race.grid, "engines": list(engines.values()),
        "requests": sum(lane.requests for lane in race.lanes), "failed": sum(lane.failed for lane in race.lanes),
        "winner": engines[race.winner] if race.won and race.winner is not None else None,
    }  # fmt: skip


def _row(entry: dict[str, Any]) -> list[str | None]:
    if entry["error"]:
        return [entry["race_id"], None, None, entry["status"], None, None, None, None]
    from racelog.views.summary import ending  # noqa: PLC0415 - not needed for --help

    told = ending(entry["status"])
    status = f"{told}, damaged" if entry["damaged"] else told
    started = entry["started_at"][:19].replace("T", " ")
    engines = ", ".join(entry["engines"])
    requests = f"{entry['requests']:,}"
    return [
        entry["race_id"], entry["name"] or None, started or None, status, entry["grid"], engines or None, requests,
        entry["winner"],
    ]  # fmt: skip
