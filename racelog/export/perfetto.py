"""The race as a native Perfetto trace: a process a lane, a track a request slot, a slice a request, counters for GPUs.

Perfetto's protobuf is written by hand: it takes four message kinds and three wire rules
(https://perfetto.dev/docs/reference/synthetic-track-event, https://protobuf.dev/programming-guides/encoding).
Timestamps are the recording host's ``CLOCK_MONOTONIC``, so a system trace of the same time lines up.
"""

import struct
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from racelog.clock import NS_PER_S
from racelog.export.source import Source
from racelog.log.write.atomic import new_file

SLICE_BEGIN, SLICE_END, INSTANT, COUNTER = 1, 2, 3, 4
SEQUENCE = 1
GPU_COUNTERS = {"util_pct": "%", "power_w": "W", "mem_used_mib": "MiB", "temp_c": "C", "sm_clock_mhz": "MHz"}

REQUESTS = (
    "SELECT * REPLACE (coalesce(t_sent_ns, t_scheduled_ns, t_end_ns) AS t_sent_ns) FROM requests "
    "WHERE lane_id = {lane} AND (t_sent_ns IS NOT NULL OR status = 'failed') "
    "ORDER BY coalesce(t_sent_ns, t_scheduled_ns, t_end_ns), request_id"
)
"""What never got a connection stands from when it was due until it failed."""
TOKENS = "SELECT request_id, t_ns, kind, text, coalesced FROM tokens WHERE lane_id = {lane} ORDER BY request_id, seq"
RATES = (
    "SELECT (t_ns - {start}) // 1000000000 AS second, count(*) AS chunks FROM tokens "
    "WHERE lane_id = {lane} GROUP BY 1 ORDER BY 1"
)

Field = tuple[int, int | float | str | bytes]
"""A protobuf field: its number and value; ints are varints, floats fixed64, texts and messages length-delimited."""


def write(source: Source, folder: Path, form: str, *, force: bool = False) -> list[Path]:
    """Write ``<race id>.perfetto-trace``.

    Raises:
        InputError: it is there already and ``force`` is not set.
        StorageError: it cannot be written.
    """
    target = folder / f"{source.stem}.{form}-trace"
    with new_file(target, force=force) as partial, partial.open("wb") as file:
        _Trace(source, file).write()
    return [target]


class _Trace:
    """Writes packets one after another; knows the next free track."""

    def __init__(self, source: Source, file: BinaryIO) -> None:
        self._source = source
        self._file = file
        self._tracks = count(1)
        (race,) = source.rows("SELECT mono_origin_ns FROM races")
        self._origin_ns = race["mono_origin_ns"] or 0

    def write(self) -> None:
        for lane in self._source.rows("FROM lanes ORDER BY lane_id"):
            process = self._process(lane["lane_id"] + 1, f"{lane['engine']} ({lane['model']})")
            self._write_lane(lane, process)
        self._write_gpus()
        marks = self._track("marks")
        for mark in self._source.rows("FROM marks ORDER BY t_ns"):
            self._event(mark["t_ns"], marks, INSTANT, (23, mark["label"]))

    def _write_lane(self, lane: dict[str, Any], process: int) -> None:
        tokens = self._source.rows(TOKENS.format(lane=lane["lane_id"]))
        by_request: dict[int, list[dict[str, Any]]] = {}
        for token in tokens:
            by_request.setdefault(token["request_id"], []).append(token)
        slots: list[tuple[int, int]] = []  # when each slot is free again, and its track
        for request in self._source.rows(REQUESTS.format(lane=lane["lane_id"])):
            chunks = by_request.get(request["request_id"], [])
            end = max(request["t_end_ns"] or 0, request["t_sent_ns"], *(chunk["t_ns"] for chunk in chunks), 0)
            free = next((i for i, (until, _) in enumerate(slots) if until <= request["t_sent_ns"]), None)
            if free is None:
                free = len(slots)
                slots.append((0, self._track(f"slot {free}", process)))
            slots[free] = (end, slots[free][1])
            self._write_request(request, chunks, end, slots[free][1])
        self._write_rate(lane, process)

    def _write_request(
        self, request: dict[str, Any], chunks: list[dict[str, Any]], end: int, track: int
    ) -> None:
        notes = ("request_id", "phase", "status", "http_status", "input_tokens", "output_tokens", "token_basis",
                 "ttft_ms", "tpot_ms", "e2e_ms", "finish_reason", "error_kind", "prompt", "response")  # fmt: skip
        sent, first, last = request["t_sent_ns"], request["t_first_token_ns"], request["t_last_token_ns"]
        name = f"request {request['request_id']}"
        told = [_annotation(key, request[key]) for key in notes if request[key] is not None]
        self._event(sent, track, SLICE_BEGIN, (23, name), (22, request["phase"]), *told)
        if first is not None:
            self._event(sent, track, SLICE_BEGIN, (23, "to first token"))
            self._event(first, track, SLICE_END)
            self._event(first, track, SLICE_BEGIN, (23, "decode"))
            for chunk in chunks:
                noted = [_annotation(key, chunk[key]) for key in ("text", "coalesced")]
                self._event(chunk["t_ns"], track, INSTANT, (23, chunk["kind"]), *noted)
            self._event(last, track, SLICE_END)
        self._event(end, track, SLICE_END)

    def _write_rate(self, lane: dict[str, Any], process: int) -> None:
        start = lane["t_start_ns"] or 0
        counter = self._counter("token chunks per second", "chunks/s", process)
        for row in self._source.rows(RATES.format(lane=lane["lane_id"], start=start)):
            self._count(start + row["second"] * NS_PER_S, counter, float(row["chunks"]))

    def _write_gpus(self) -> None:
        counters: dict[tuple[str, int, str], int] = {}
        for sample in self._source.rows("FROM gpu_samples ORDER BY t_ns"):
            for name, unit in GPU_COUNTERS.items():
                if sample[name] is None:
                    continue
                key = (sample["source"], sample["device"], name)
                if key not in counters:
                    counters[key] = self._counter(f"GPU {sample['device']} {name}", unit)
                self._count(sample["t_ns"], counters[key], float(sample[name]))

    def _process(self, pid: int, name: str) -> int:
        return self._describe((3, message((1, pid), (6, name))))

    def _track(self, name: str, parent: int | None = None) -> int:
        return self._describe((2, name), *_under(parent))

    def _counter(self, name: str, unit: str, parent: int | None = None) -> int:
        return self._describe((2, name), *_under(parent), (8, message((6, unit))))

    def _describe(self, *fields: Field) -> int:
        uuid = next(self._tracks)
        self._packet((60, message((1, uuid), *fields)))
        return uuid

    def _event(self, t_ns: int, track: int, kind: int, *fields: Field) -> None:
        self._packet((8, max(0, self._origin_ns + t_ns)), (11, message((9, kind), (11, track), *fields)))

    def _count(self, t_ns: int, track: int, value: float) -> None:
        self._event(t_ns, track, COUNTER, (44, value))

    def _packet(self, *fields: Field) -> None:
        self._file.write(message((1, message(*fields, (10, SEQUENCE)))))


def _under(parent: int | None) -> Iterator[Field]:
    if parent is not None:
        yield (5, parent)


def _annotation(name: str, value: Any) -> Field:
    """Return a debug annotation: a number, a truth or a text by name."""
    if isinstance(value, bool):
        said: Field = (2, int(value))
    elif isinstance(value, int):
        said = (4, value)
    else:
        said = (5, value) if isinstance(value, float) else (6, str(value))
    return (4, message((10, name), said))


def message(*fields: Field) -> bytes:
    """Return fields as a protobuf message."""
    return b"".join(_field(number, value) for number, value in fields)


def _field(number: int, value: float | str | bytes) -> bytes:
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode("utf-8", "replace") if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """Return an integer seven bits at a time, least first; a negative one as its 64-bit two's complement."""
    value &= (1 << 64) - 1
    encoded = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte is the encoding
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
