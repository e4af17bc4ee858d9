"""Fuzzes the trailer and the frame it vouches for.

Invariant: 68 bytes are a trailer that packs to the same bytes, or none; and the frame under a trailer whose checksums
hold decompresses to exactly what was promised, within the limits, or is a `LogError`.

    python -m tests.fuzz.fuzz_trailer CORPUS -max_total_time=600
"""

from racelog.errors import LogError
from racelog.log.format.units import MAX_PAYLOAD_BYTES, TRAILER_BYTES, Trailer, Unit, decode_payload
from tests.fuzz.harness import PREFIX, main, repaired


def check(data: bytes) -> None:
    """The last 68 bytes are the trailer, made to hold; the rest is its frame."""
    if len(data) < TRAILER_BYTES:
        return
    raw = data[-TRAILER_BYTES:]
    unmended = Trailer.unpack(raw)
    assert unmended is None or not raw.startswith(PREFIX) or unmended.pack() == raw
    unit = repaired(data, whole=True)
    trailer = Trailer.unpack(unit[-TRAILER_BYTES:])
    assert trailer is not None
    assert trailer.pack() == unit[-TRAILER_BYTES:]
    try:
        payload = decode_payload(Unit(0, trailer, unit[:-TRAILER_BYTES]))
    except LogError:
        return
    assert len(payload) == trailer.payload_bytes <= MAX_PAYLOAD_BYTES


if __name__ == "__main__":
    main("trailer", check)
