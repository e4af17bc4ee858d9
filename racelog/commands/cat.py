"""``racelog cat``: a log as running text, or as one flat record per fact."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from racelog.console.arguments import home_option, race_argument
from racelog.console.choices import check_window, kind_option, lane_option, window_options
from racelog.console.output import emit_pieces
from racelog.console.reading import opened
from racelog.display.text import json_inert

if TYPE_CHECKING:
    from racelog.log.rows.rows import Fact

CSV_COLUMNS = ("t_ns", "kind", "lane", "engine", "req", "what")

EXAMPLES = """\b
Examples:
  racelog cat | less                               what happened, line by line
  racelog cat --lane vllm --start 10s --end 12s    two seconds of one lane
  racelog cat --kind tok --format csv > tokens.csv
  racelog cat --kind gpu --format ndjson | jq .power_w
  ssh host cat race.rlog | racelog cat -             as the log flows in
"""


@click.command(epilog=EXAMPLES, short_help="What happened, told in time order.")
@race_argument
@click.option(
    "--format", "form", type=click.Choice(["text", "ndjson", "csv"]), default="text", show_default=True,
    help="Lines for people, JSON objects, or a table.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --format ndjson.")
@kind_option
@lane_option
@window_options
@home_option
def cat(
    *,
    race: str,
    form: str,
    kind: str | None,
    lane: str | None,
    start: int | None,
    end: int | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Tell what happened in RACE in time order, every fact at its own instant.

    Every streamed chunk and every reading of a sensor is a line of its own; as text, chunks of one request that follow
    within 250 ms share one. Times are seconds on the race's clock, or nanoseconds where they are called t or t_ns. For the events exactly as the
    log holds them: racelog dump. With - for RACE, a log is read from standard input and told in the order it comes.
    """
    from racelog.console.narrate import story  # noqa: PLC0415 - not needed for --help
    from racelog.log.rows.rows import facts_in_order  # noqa: PLC0415 - not needed for --help

    check_window(start, end)
    with opened(race, home, kind=kind, lane=lane, start=start, end=end) as log:
        facts = facts_in_order(event for events in log.batches() for event in events)
        if form == "csv" and not as_json:
            emit_pieces(_csv(facts, log.engines))
        elif form == "ndjson" or as_json:
            emit_pieces(_ndjson(facts, log.engines))
        else:
            emit_pieces(story(facts, log.engines, log.names()))
        log.finish()


def _ndjson(facts: Iterable["Fact"], engines: Mapping[int, str]) -> Iterator[str]:
    """Yield a JSON object per fact: t, kind, lane, engine and request where there are any, and its own fields."""
    import msgspec  # noqa: PLC0415 - not needed for --help

    for fact in facts:
        record: dict[str, object] = {"t": fact.t, "k": fact.k}
        if fact.lane is not None:
            record |= {"lane": fact.lane, "engine": engines.get(fact.lane)}
        if fact.req is not None:
            record["req"] = fact.req
        yield json_inert(msgspec.json.encode(record | fact.more).decode()) + "\n"


def _csv(facts: Iterable["Fact"], engines: Mapping[int, str]) -> Iterator[str]:
    """Yield a header and a row per fact; ``what`` is a chunk's text as it came, and of any other kind its words."""
    from racelog.console.narrate import told  # noqa: PLC0415 - not needed for --help

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for fact in facts:
        engine = None if fact.lane is None else engines.get(fact.lane)
        what = fact.more["text"] if fact.k == "tok" and "text" in fact.more else told(fact)
        writer.writerow((fact.t, fact.k, fact.lane, engine, fact.req, what))
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()
