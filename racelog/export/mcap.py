"""The race as MCAP, the container of robot logs, for Foxglove and every other MCAP reader.

JSON messages with JSON schemas; marks and notes are ``foxglove.Log``, so they show in Foxglove's log panel. A
message's time is the calendar time of what it tells: a request's is its end, a token's its arrival.
"""

import heapq
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from racelog.clock import NS_PER_S
from racelog.errors import RacelogError
from racelog.events import ClockAnchor, Note
from racelog.export.source import Source
from racelog.log.write.atomic import new_file
from racelog.query.contract.tables import TABLES

LEVELS = {"debug": 1, "info": 2, "warning": 3, "error": 4}
"""foxglove.Log's levels (https://docs.foxglove.dev/docs/sdk/schemas/log)."""

FOXGLOVE_LOG = "foxglove.Log"

LOG_SCHEMA = {
    "title": FOXGLOVE_LOG,
    "type": "object",
    "properties": {
        "timestamp": {
            "type": "object",
            "title": "time",
            "properties": {
                "sec": {"type": "integer", "minimum": 0},
                "nsec": {"type": "integer", "minimum": 0},
            },
        },
        "level": {"type": "integer", "enum": [0, 1, 2, 3, 4, 5]},
        "message": {"type": "string"},
        "name": {"type": "string"},
        "file": {"type": "string"},
        "line": {"type": "integer", "minimum": 0},
    },
}

_TYPES = {"BIGINT": "integer", "INTEGER": "integer", "DOUBLE": "number", "BOOLEAN": "boolean"}

Message = tuple[int, int, str, str, dict[str, Any]]
"""(t_ns, running number, topic, schema, content); the number keeps what happened at once in order."""


def write(source: Source, folder: Path, form: str, *, force: bool = False) -> list[Path]:
    """Write ``<race id>.mcap``.

    Raises:
        InputError: it is there already and ``force`` is not set.
        RacelogError: the package mcap is not installed.
        StorageError: it cannot be written.
    """
    try:
        from mcap.writer import Writer  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise RacelogError(
            "mcap needs a package that is not here. Try: pip install 'racelog[mcap]'"
        ) from error
    target = folder / f"{source.stem}.{form}"
    with new_file(target, force=force) as partial, partial.open("wb") as file:
        writer: Any = Writer(file)
        writer.start("", "racelog")
        writer.add_metadata("race", {"race_id": source.summary.race_id, "name": source.summary.name})
        _write_messages(writer, source)
        writer.finish()
    return [target]


def _write_messages(writer: Any, source: Source) -> None:
    wall_ns = wall_origin_ns(source)
    channels: dict[str, int] = {}
    for number, (t_ns, _, topic, schema, content) in enumerate(messages(source)):
        if topic not in channels:
            data = json.dumps(LOG_SCHEMA if schema == FOXGLOVE_LOG else table_schema(schema)).encode()
            schema_id = writer.register_schema(schema, "jsonschema", data)
            channels[topic] = writer.register_channel(topic, "json", schema_id)
        at = max(0, wall_ns + t_ns)
        if schema == FOXGLOVE_LOG:
            content["timestamp"] = {"sec": at // NS_PER_S, "nsec": at % NS_PER_S}
        writer.add_message(channels[topic], at, json.dumps(content).encode(), at, sequence=number)


def wall_origin_ns(source: Source) -> int:
    """Return the calendar time of t = 0 in ns since 1970; 0 in a log without a clock anchor."""
    anchor = source.log.first(ClockAnchor)
    (race,) = source.rows("SELECT mono_origin_ns FROM races")
    if anchor is None or race["mono_origin_ns"] is None:
        return 0
    return anchor.wall_ns - anchor.mono_ns + int(race["mono_origin_ns"])


def table_schema(name: str) -> dict[str, Any]:
    """Return the JSON schema of a row: ``racelog.<table>``, columns as the SQL contract has them."""
    columns = TABLES[name.removeprefix("racelog.")]
    return {
        "title": name,
        "type": "object",
        "properties": {
            column.name: {"type": _TYPES.get(column.type, "string"), "description": column.meaning}
            for column in columns
        },
    }


def messages(source: Source) -> Iterator[Message]:
    """Yield everything that has an instant, in time order."""
    marks = source.rows("FROM marks ORDER BY t_ns")
    streams = [
        _rows(source, "requests", "t_end_ns", "/lanes/{lane_id}/requests"),
        _rows(source, "tokens", "t_ns", "/lanes/{lane_id}/tokens"),
        _rows(source, "gpu_samples", "t_ns", "/gpus/{source}/{device}"),
        _rows(source, "host_samples", "t_ns", "/host/{process}"),
        (
            (mark["t_ns"], i, "/marks", FOXGLOVE_LOG, _said(mark["label"], "mark"))
            for i, mark in enumerate(marks)
        ),
        (
            (note.t, i, "/notes", FOXGLOVE_LOG, _said(note.text, "note", note.level))
            for i, note in enumerate(source.log.of(Note))
        ),
    ]
    return heapq.merge(*streams, key=lambda message: message[:2])


def _rows(source: Source, table: str, time: str, topic: str) -> Iterator[Message]:
    query = f"FROM {table} WHERE {time} IS NOT NULL ORDER BY {time}"
    for number, row in enumerate(source.rows(query)):
        content = {name: value for name, value in row.items() if value is not None}
        yield row[time], number, topic.format(**row), f"racelog.{table}", content


def _said(text: str, name: str, level: str = "info") -> dict[str, Any]:
    return {"level": LEVELS[level], "message": text, "name": name, "file": "", "line": 0}
