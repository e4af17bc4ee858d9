"""Events <-> a unit's payload: JSON lines, one event each.

Reading is lenient forwards (unknown fields are ignored, missing ones take their default, unknown kinds are kept
as `Unknown`) and strict otherwise: a line that is no event is a `LogError`, never a guess.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from racelog.errors import LogError
from racelog.events import AnyEvent, KnownEvent, Tokens, Unknown

MAX_EVENTS_PER_UNIT = 1_000_000
"""More lines than this in one unit is an attack or a bug, not a log."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[KnownEvent] = msgspec.json.Decoder(KnownEvent)


class _Envelope(Struct):
    """The two fields every kind has, known or not."""

    k: str
    t: int


_envelope_decoder = msgspec.json.Decoder(_Envelope)
_KINDS = {str(kind.__struct_config__.tag) for kind in KnownEvent.__args__}


def encode_events(events: Iterable[AnyEvent]) -> bytes:
    """Return the events as JSON lines, each ended by a newline."""
    return b"".join(
        (bytes(event.raw) if isinstance(event, Unknown) else _encoder.encode(event)) + b"\n"
        for event in events
    )


def decode_event(line: bytes) -> AnyEvent:
    """Return the event on one line.

    Raises:
        LogError: the line is no JSON object with ``k`` and ``t``, or a known kind with a wrong field.
    """
    try:
        return _decoder.decode(line)
    except msgspec.ValidationError as error:
        return _unknown(line, error)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise LogError(f"not an event: {line[:80]!r}: {error}") from error


def _unknown(line: bytes, error: Exception) -> Unknown:
    """Return ``line`` as an unknown kind, unless its kind is known and the line merely wrong."""
    try:
        envelope = _envelope_decoder.decode(line)
    except (msgspec.DecodeError, RecursionError) as other:
        raise LogError(f"not an event: {line[:80]!r}: {other}") from error
    if envelope.k in _KINDS:
        raise LogError(f"wrong {envelope.k!r} event: {error}: {line[:80]!r}") from error
    return Unknown(t=envelope.t, k=envelope.k, raw=Raw(line))


def decode_events(payload: bytes) -> list[AnyEvent]:
    """Return the events of one unit's payload, in order.

    Raises:
        LogError: a line is not an event, a column is ragged, or the unit holds absurdly many.
    """
    lines = payload.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    if len(lines) > MAX_EVENTS_PER_UNIT:
        raise LogError(f"unit holds {len(lines)} events, more than the limit {MAX_EVENTS_PER_UNIT}")
    events = [decode_event(line) for line in lines]
    for event in events:
        if isinstance(event, Tokens):
            _check_columns(event)
    return events


def _check_columns(batch: Tokens) -> None:
    """Raise `LogError` unless every column of ``batch`` has one entry per chunk."""
    length = len(batch.r)
    sized = (batch.d, batch.x)
    optional = (batch.c, batch.n, batch.s)
    if any(len(column) != length for column in sized) or any(
        column and len(column) != length for column in optional
    ):
        raise LogError(f"token columns of lane {batch.lane} at t={batch.t} differ in length")


def time_span(events: Iterable[AnyEvent]) -> tuple[int, int]:
    """Return the first and last instant the events speak of; columns count up to their last row.

    Raises:
        ValueError: there is no event.
    """
    starts: list[int] = []
    ends: list[int] = []
    for event in events:
        starts.append(event.t)
        deltas: list[int] = getattr(event, "d", [])
        ends.append(event.t + sum(deltas))
    return min(starts), max(ends)


def to_plain(event: AnyEvent) -> dict[str, Any]:
    """Return the event as a plain dictionary, as its JSON line would decode."""
    plain: dict[str, Any] = msgspec.json.decode(encode_events([event]))
    return plain
