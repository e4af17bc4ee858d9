"""Events <-> a unit's payload: JSON lines, one event each.

Reading is lenient forwards (unknown fields are ignored, missing ones take their default, unknown kinds and newer
versions of known ones are kept as `Unknown`), brings older versions up to date (`racelog.log.format.upcast`), and is strict
otherwise: a line that is no event is a `LogError`, never a guess.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from racelog.errors import LogError
from racelog.events import (
    AnyEvent,
    EngineSamples,
    GpuSamples,
    HostSamples,
    KnownEvent,
    PackedTokens,
    StoredEvent,
    Tokens,
    Unknown,
)
from racelog.log.format.bounds import check_lines, check_rows
from racelog.log.format.pack import pack, unpack
from racelog.log.format.units import Unit, decode_payload
from racelog.log.format.upcast import UPCASTERS

MAX_EVENTS_PER_UNIT = 1_000_000
"""More lines than this in one unit is an attack or a bug, not a log."""

MIN_T_NS, MAX_T_NS = -(1 << 63), (1 << 63) - 1
"""Every instant fits the trailer's signed 64 bits, about 292 years either side of the origin."""

OrderedEvent = tuple[int, int, int, int, AnyEvent]
"""(t, writer, seq, position): the order of events everywhere, and the event."""

_COLUMNS: dict[type, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Tokens: (("r", "x"), ("c", "n", "s")),
    HostSamples: (("cpu_pct", "rss_mib"), ("loop_lag_us",)),
    GpuSamples: (
        (),
        ("util_pct", "mem_used_mib", "mem_total_mib", "power_w", "temp_c", "sm_clock_mhz", "energy_j"),
    ),
    EngineSamples: (
        (),
        (
            "running",
            "waiting",
            "kv_cache_pct",
            "input_tokens",
            "output_tokens",
            "cached_tokens",
            "preemptions",
        ),
    ),
}
"""The columns beside ``d`` of every kind that has them: those always there, and those that may be empty."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[KnownEvent | PackedTokens] = msgspec.json.Decoder(StoredEvent)


class _Envelope(Struct):
    """What every kind has, known or not."""

    k: str
    t: int
    v: int = 1


_envelope_decoder = msgspec.json.Decoder(_Envelope)
FIELDS_OF = {str(kind.__struct_config__.tag): {"k", *kind.__struct_fields__} for kind in StoredEvent.__args__}
"""The fields that racelog knows of every kind that a log may hold."""


def encode_events(events: Iterable[AnyEvent], *, packed: bool = False) -> bytes:
    """Return the events as JSON lines, each ended by a newline; chunks ``packed`` as a sealed file stores them."""
    stored = (pack(event) if packed and isinstance(event, Tokens) else event for event in events)
    return b"".join(
        (bytes(event.raw) if isinstance(event, Unknown) else _encoder.encode(event)) + b"\n"
        for event in stored
    )


def decode_event(line: bytes) -> AnyEvent:
    """Return the event on one line.

    Raises:
        LogError: the line is no JSON object with ``k`` and ``t``, or a known kind with a wrong field.
    """
    event = _decode_stored(line)
    return unpack(event) if isinstance(event, PackedTokens) else event


def _decode_stored(line: bytes) -> AnyEvent | PackedTokens:
    """Return the event on one line, packed chunks as they are stored."""
    try:
        event: KnownEvent | PackedTokens = _decoder.decode(_up_to_date(line) if UPCASTERS else line)
    except msgspec.ValidationError as error:
        return _unknown(line, error)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise LogError(f"not an event: {line[:80]!r}: {error}") from error
    if event.v not in (1, _newest(type(event))):
        return _unknown(line, None)
    return event


def _newest(kind: type[Struct]) -> int:
    """Return the newest version of a known kind."""
    return UPCASTERS.newest(str(kind.__struct_config__.tag))


def _up_to_date(line: bytes) -> bytes:
    """Return the line of an old version as a line of the newest; any other line as it is."""
    envelope = _envelope_decoder.decode(line)
    if not UPCASTERS.is_old(envelope.k, envelope.v):
        return line
    try:
        return _encoder.encode(UPCASTERS.upcast(msgspec.json.decode(line)))
    except Exception as error:  # whatever a step trips over in data from outside is the data's fault
        raise LogError(f"{envelope.k!r} event of version {envelope.v}: {error!r}: {line[:80]!r}") from error


def _unknown(line: bytes, error: Exception | None) -> Unknown:
    """Return ``line`` as an unknown kind, unless its kind is known and the line merely wrong."""
    try:
        line.decode()
        envelope = _envelope_decoder.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as other:
        raise LogError(f"not an event: {line[:80]!r}: {other}") from error
    if envelope.k in FIELDS_OF and 1 <= envelope.v <= UPCASTERS.newest(envelope.k):
        raise LogError(f"wrong {envelope.k!r} event: {error}: {line[:80]!r}") from error
    return Unknown(t=envelope.t, k=envelope.k, raw=Raw(line))


def decode_unit(unit: Unit) -> list[AnyEvent]:
    """Return the events of one verified unit, in order.

    Raises:
        LogError: as `decode_payload` and `decode_events`.
    """
    return decode_events(decode_payload(unit), len(unit.frame))


def decode_events(payload: bytes, frame_bytes: int | None = None) -> list[AnyEvent]:
    """Return the events of one unit's payload, in order; ``frame_bytes`` is what it was compressed to.

    Raises:
        LogError: the payload is not UTF-8, a line is not an event, a column is ragged or runs backwards, an instant
            does not fit 64 bits, or the unit holds absurdly many events, or more than its frame may unfold to.
    """
    count = payload.count(b"\n")
    if count > MAX_EVENTS_PER_UNIT:
        raise LogError(f"unit holds {count} events, more than the limit {MAX_EVENTS_PER_UNIT}")
    frame_bytes = len(payload) if frame_bytes is None else frame_bytes
    check_lines(count, payload, frame_bytes)
    _check_text(payload)
    stored = _decode_at_once(payload, count)
    if stored is None:
        lines = payload.split(b"\n")
        if not lines[-1]:
            lines.pop()
        stored = [_decode_stored(line) for line in lines]
    check_rows(stored, frame_bytes)
    events = [unpack(event) if isinstance(event, PackedTokens) else event for event in stored]
    for event in events:
        _check(event)
    return events


def _decode_at_once(payload: bytes, lines: int) -> Sequence[AnyEvent | PackedTokens] | None:
    """Return the events in one call of the decoder, three times the speed for short lines; None when it cannot.

    A line break in JSON never stands between ``}`` and ``{`` but between two values, so where every break stands so,
    each line is one value and nothing is read more leniently than line by line.
    """
    if (
        UPCASTERS
        or payload.count(b"}\n{") != lines - 1
        or not (payload.startswith(b"{") and payload.endswith(b"}\n"))
    ):
        return None
    try:
        events = _decoder.decode_lines(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None  # an unknown kind, or damage: line by line tells which
    if len(events) != lines or [event for event in events if event.v != 1]:
        return None
    return events


def _check_text(payload: bytes) -> None:
    """Raise `LogError` unless the payload is UTF-8; msgspec itself passes over a field that it does not know."""
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        raise LogError(f"not UTF-8: {error}") from error


def _check(event: AnyEvent) -> None:
    """Raise `LogError` unless the event's columns have one entry per row and its instants fit, in order."""
    end = event.t
    names = _COLUMNS.get(type(event))
    if names is not None:
        end += _check_columns(event, *names)
    if not MIN_T_NS <= event.t <= end <= MAX_T_NS:
        raise LogError(f"instant outside 64 bits: t={event.t}, last row {end}")


def _check_columns(event: AnyEvent, required: tuple[str, ...], optional: tuple[str, ...]) -> int:
    """Return the nanoseconds from the event's instant to its last row; raise `LogError` if a column is wrong."""
    deltas: list[int] = event.d  # type: ignore[union-attr]  # only kinds with columns come here
    rows = len(deltas)
    sizes = [len(getattr(event, name)) for name in required]
    sizes += [len(column) for name in optional if (column := getattr(event, name))]
    if sizes != [rows] * len(sizes):
        raise LogError(f"columns of a {type(event).__name__} event at t={event.t} differ in length")
    if rows and (least := min(deltas)) < 0:
        raise LogError(f"a {type(event).__name__} event at t={event.t} runs backwards: d={least}")
    return sum(deltas)


def time_span(events: Iterable[AnyEvent]) -> tuple[int, int]:
    """Return the first and last instant the events speak of; columns count up to their last row.

    Raises:
        ValueError: there is no event.
    """
    starts: list[int] = []
    ends: list[int] = []
    for event in events:
        # A known kind that is carried as it stands (fields from the future) is read by others as what it is.
        seen = (
            decode_event(bytes(event.raw)) if isinstance(event, Unknown) and event.k in FIELDS_OF else event
        )
        starts.append(seen.t)
        deltas: list[int] = getattr(seen, "d", [])
        ends.append(seen.t + sum(deltas))
    return min(starts), max(ends)


def to_plain(event: AnyEvent) -> dict[str, Any]:
    """Return the event as a plain dictionary, as its JSON line would decode.

    A number in an `Unknown` that no double holds is infinite here; its line is kept all the same.
    """
    line = encode_events([event])
    try:
        plain: dict[str, Any] = msgspec.json.decode(line)
    except msgspec.ValidationError:  # msgspec refuses 1e400, which is good JSON
        plain = json.loads(line)
    return plain
