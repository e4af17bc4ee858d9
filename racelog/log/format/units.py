"""Bytes <-> units: the framing of a log. Pure; no files, no events.

    file := unit*      unit := zstd-frame trailer      trailer := 68 bytes, a zstd skippable frame

A unit is committed by its trailer. Readers find trailers, not frames: a trailer is 12 fixed bytes, its own CRC,
and the length and CRC of the frame before it, so one search both walks a healthy file and resynchronises after
damage. Everything between two verified units is damage; everything after the last one is not committed yet.

Layout of a trailer, little-endian (schemas/log-format.md):
magic u32 0x184D2A5C | length u32 60 | "RLG1" | kind u8 | flags u8 | version u16 | writer u64 | seq u64 |
t_min i64 | t_max i64 | n_events u32 | zlen u32 | ulen u32 | crc32(frame) u32 | crc32(trailer before this) u32
"""

import struct
import threading
import zlib
from collections.abc import Iterator
from enum import IntEnum
from typing import Self

import zstandard
from msgspec import Struct

from racelog.errors import LogError, NewerLog

FRAMING_VERSION = 1
TRAILER_BYTES = 68
_SKIPPABLE_MAGIC = 0x184D2A5C
TRAILER_PREFIX = struct.pack("<II4s", _SKIPPABLE_MAGIC, TRAILER_BYTES - 8, b"RLG1")
_BODY = struct.Struct("<BBHQQqqIIII")
_CRC = struct.Struct("<I")

MAX_PAYLOAD_BYTES = 64 << 20
"""A unit's payload never decompresses to more: bounds a bomb to one allocation."""

MAX_FRAME_BYTES = MAX_PAYLOAD_BYTES + (MAX_PAYLOAD_BYTES >> 8) + 1024
"""No frame of such a payload is longer (ZSTD_COMPRESSBOUND is src + src / 256 and a little); bounds what a search for
the next trailer keeps in memory."""

MAX_WINDOW_BYTES = 8 << 20
"""The largest zstd window a reader must provide; RFC 8878 §3.1.1.1.2 recommends 8 MiB."""

LIVE_LEVEL = 3
SMALL_LEVEL = 12
SMALL_PAYLOAD_BYTES = 8 << 10
SEALED_LEVEL = 19
"""A live unit is small where a lane is slow, and there the CPU is idle: at 1,000 tokens/s level 12 takes 0.4 ms four times a
second and a token costs 8.9 instead of 9.4 B. Beyond, level 3 keeps up with any engine."""

_DIGITS_BEGIN, _NEXT_PLACE, _TEXT_BEGINS, _LINE_ENDS = b'"d":["', b'","', b'"x":[', b"\n"
"""Where a sealed frame begins a new zstd block: at the digits of every place, at the text, and where the line ends. Each
has frequencies of its own, and a block has one table: on real model text a token costs 4.7 B so, 4.9 B in blocks as the
compressor likes. A hint to the compressor alone: any reader reads any blocks."""

_LEAST_BLOCK_BYTES = 4 << 10
"""A block's tables cost about 100 bytes: below this a cut gains nothing."""


class UnitKind(IntEnum):
    """What a unit is for; the letter shows in a hex dump."""

    HEAD = ord("H")
    DATA = ord("D")
    FINISH = ord("F")


class Trailer(Struct, frozen=True):
    """A unit's own description, readable without decompressing it."""

    kind: int
    writer: int
    seq: int
    t_min: int
    t_max: int
    n_events: int
    frame_bytes: int = 0
    payload_bytes: int = 0
    frame_crc: int = 0
    version: int = FRAMING_VERSION
    flags: int = 0

    def pack(self) -> bytes:
        """Return the trailer's 68 bytes."""
        body = TRAILER_PREFIX + _BODY.pack(
            self.kind, self.flags, self.version, self.writer, self.seq, self.t_min, self.t_max,
            self.n_events, self.frame_bytes, self.payload_bytes, self.frame_crc,
        )  # fmt: skip
        return body + _CRC.pack(zlib.crc32(body))

    @classmethod
    def unpack(cls, data: bytes) -> Self | None:
        """Return the trailer in these 68 bytes, or None if they are none."""
        fields = trailer_fields(data)
        if fields is None:
            return None
        kind, flags, version, writer, seq, t_min, t_max, n_events, zlen, ulen, crc = fields
        return cls(kind, writer, seq, t_min, t_max, n_events, zlen, ulen, crc, version, flags)


TrailerFields = tuple[int, int, int, int, int, int, int, int, int, int, int]
"""kind, flags, version, writer, seq, t_min, t_max, n_events, zlen, ulen, frame crc: in the order of the bytes."""


def trailer_fields(data: bytes) -> TrailerFields | None:
    """Return what the trailer in these 68 bytes says, or None if they are none. Cost: a third of `Trailer.unpack`."""
    if len(data) != TRAILER_BYTES or not data.startswith(TRAILER_PREFIX):
        return None
    if _CRC.unpack_from(data, TRAILER_BYTES - 4)[0] != zlib.crc32(data[:-4]):
        return None
    fields: TrailerFields = _BODY.unpack_from(data, len(TRAILER_PREFIX))
    return fields


class Unit(Struct, frozen=True):
    """One verified unit: where it lies, what its trailer says, and its compressed frame."""

    offset: int
    trailer: Trailer
    frame: bytes

    @property
    def end(self) -> int:
        """Offset of the first byte after this unit."""
        return self.offset + len(self.frame) + TRAILER_BYTES


class Damage(Struct, frozen=True):
    """Bytes between verified units that belong to none."""

    offset: int
    length: int
    reason: str

    @property
    def end(self) -> int:
        """Offset of the first byte after the damage."""
        return self.offset + self.length


def live_level(payload_bytes: int) -> int:
    """Return the level to compress a running race's unit at."""
    return SMALL_LEVEL if payload_bytes <= SMALL_PAYLOAD_BYTES else LIVE_LEVEL


def encode_unit(payload: bytes, trailer: Trailer, *, level: int = LIVE_LEVEL) -> bytes:
    """Return one unit: ``payload`` as a checksummed zstd frame, and its trailer.

    The lengths and the frame's CRC in ``trailer`` are filled in here. The window is capped at what a reader
    must provide. Cost: the compression; it releases the GIL.

    Raises:
        ValueError: the payload is larger than `MAX_PAYLOAD_BYTES`.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"unit payload has {len(payload)} bytes, more than the limit {MAX_PAYLOAD_BYTES}")
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level, source_size=len(payload), window_log=min(23, max(10, len(payload).bit_length())),
        write_checksum=True, write_content_size=True,
    )  # fmt: skip
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    frame = compressor.compress(payload) if level < SEALED_LEVEL else _compress_in_blocks(compressor, payload)
    full = Trailer(
        trailer.kind, trailer.writer, trailer.seq, trailer.t_min, trailer.t_max, trailer.n_events,
        len(frame), len(payload), zlib.crc32(frame), trailer.version, trailer.flags,
    )  # fmt: skip
    return frame + full.pack()


def _compress_in_blocks(compressor: zstandard.ZstdCompressor, payload: bytes) -> bytes:
    """Return one frame whose blocks end where numbers become text and text becomes numbers."""
    stream = compressor.compressobj(size=len(payload))
    pieces = []
    start = 0
    for end in _block_ends(payload):
        pieces += [stream.compress(payload[start:end]), stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)]
        start = end
    return b"".join([*pieces, stream.compress(payload[start:]), stream.flush()])


def _block_ends(payload: bytes) -> Iterator[int]:
    """Yield where blocks end inside ``payload``, in order."""
    last = 0
    for edge in _column_edges(payload):
        if edge - last >= _LEAST_BLOCK_BYTES:
            yield edge
            last = edge


def _column_edges(payload: bytes) -> Iterator[int]:
    """Yield where the columns of packed chunks begin and end, in order."""
    end = 0
    while (digits := payload.find(_DIGITS_BEGIN, end)) >= 0:
        end = payload.find(_LINE_ENDS, digits) + 1 or len(payload)
        text = payload.find(_TEXT_BEGINS, digits, end)
        while 0 <= digits < text:
            yield digits
            digits = payload.find(_NEXT_PLACE, digits + 1, text)
        if text >= 0:
            yield text
        if end < len(payload):
            yield end


class _Own(threading.local):
    """A decompressor for each thread: making one takes as long as half a small unit, and none may be shared."""

    def __init__(self) -> None:
        self.decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)


_own = _Own()


def decode_payload(unit: Unit) -> bytes:
    """Return the payload of ``unit``, decompressed within bounds and checked.

    Raises:
        LogError: the frame is not what its trailer promises; the message names the offset.
    """
    promised = unit.trailer.payload_bytes
    try:
        if promised > MAX_PAYLOAD_BYTES or zstandard.frame_content_size(unit.frame) != promised:
            raise LogError(f"unit at byte {unit.offset}: frame and trailer disagree on the payload's size")
        payload = _own.decompressor.decompress(unit.frame, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise LogError(f"unit at byte {unit.offset}: {error}") from error
    if len(payload) != promised:
        raise LogError(f"unit at byte {unit.offset}: {len(payload)} bytes where {promised} were promised")
    return payload


class UnitScanner:
    """Finds the verified units in a stream of bytes, however it is split.

    ``feed`` returns what became certain; ``finish`` says what the tail was. Cost: one memory search and one
    CRC over every byte; each byte is summed at most once, so no input makes it quadratic. Memory: what was fed
    since the last unit, at most about twice `MAX_FRAME_BYTES`.
    """

    def __init__(self, offset: int = 0) -> None:
        self._buffer = bytearray()
        self._offset = offset
        self._searched = 0
        self._dropped = 0
        self._all_zero = True

    @property
    def committed(self) -> int:
        """Offset after the last verified trailer; a growing file is read on from the bytes after it."""
        return self._offset

    def feed(self, data: bytes) -> Iterator[Unit | Damage]:
        """Yield the units (and the damage between them) that ``data`` completes."""
        self._buffer += data
        while (found := self._next_trailer()) is not None:
            yield from found
        if self._searched > 2 * MAX_FRAME_BYTES:
            self._drop(self._searched - MAX_FRAME_BYTES)

    def finish(self) -> Damage | None:
        """Return the uncommitted tail as damage, or None if the bytes ended at a unit's end."""
        length = self._dropped + len(self._buffer)
        if not length:
            return None
        zero = self._all_zero and not any(self._buffer)
        return Damage(self._offset, length, "zero tail" if zero else "not committed: no trailer follows")

    def _drop(self, count: int) -> None:
        """Forget bytes too far back to belong to any unit still to come."""
        self._all_zero = self._all_zero and not any(self._buffer[:count])
        del self._buffer[:count]
        self._dropped += count
        self._searched -= count

    def _next_trailer(self) -> list[Unit | Damage] | None:
        """Return what the next valid trailer settles, or None when more bytes are needed."""
        buffer = self._buffer
        while True:
            at = buffer.find(TRAILER_PREFIX, self._searched)
            if at < 0:
                self._searched = max(self._searched, len(buffer) - len(TRAILER_PREFIX) + 1)
                return None
            if at + TRAILER_BYTES > len(buffer):
                self._searched = at
                return None
            trailer = Trailer.unpack(bytes(buffer[at : at + TRAILER_BYTES]))
            if trailer is None or trailer.frame_bytes > min(at, MAX_FRAME_BYTES):
                self._searched = at + 1
                continue
            return self._settle(at, trailer)

    def _settle(self, at: int, trailer: Trailer) -> list[Unit | Damage]:
        """Consume the buffer up to the end of the trailer at ``at``."""
        start = at - trailer.frame_bytes
        frame = bytes(self._buffer[start:at])
        end = at + TRAILER_BYTES
        base, before = self._offset, self._dropped + start
        del self._buffer[:end]
        self._offset += self._dropped + end
        self._searched = self._dropped = 0
        self._all_zero = True
        if zlib.crc32(frame) != trailer.frame_crc:
            return [Damage(base, self._offset - base, "checksum mismatch")]
        if trailer.version > FRAMING_VERSION:
            raise NewerLog(
                f"unit at byte {base + before} uses log framing {trailer.version}; this racelog reads up to "
                f"{FRAMING_VERSION}. Update racelog: pip install --upgrade racelog"
            )
        unit = Unit(base + before, trailer, frame)
        return [Damage(base, before, "no trailer"), unit] if before else [unit]
