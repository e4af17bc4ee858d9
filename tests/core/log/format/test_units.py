"""Bytes to units and back: the framing finds every whole unit and nothing else."""

import struct
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from racelog.errors import LogError, NewerLog
from racelog.log.format import units as framing
from racelog.log.format.units import (
    MAX_PAYLOAD_BYTES,
    TRAILER_BYTES,
    Damage,
    Trailer,
    Unit,
    UnitKind,
    UnitScanner,
    decode_payload,
    encode_unit,
)
from tests.core.log.bytes_of import race_bytes, read, scan, unit, units

RACE = race_bytes()
I64 = st.integers(-(1 << 63), (1 << 63) - 1)
U64 = st.integers(0, (1 << 64) - 1)


def forged(frame: bytes, *, promised: int, frame_bytes: int | None = None, version: int = 1) -> bytes:
    """Return a unit whose trailer is valid in itself but says what it likes about its frame."""
    length = len(frame) if frame_bytes is None else frame_bytes
    return frame + Trailer(UnitKind.DATA, 7, 0, 0, 0, 1, length, promised, zlib.crc32(frame), version).pack()


@given(
    st.binary(max_size=2000),
    st.builds(Trailer, st.sampled_from(UnitKind), U64, U64, I64, I64, st.integers(0, 2**32 - 1)),
)
def test_a_unit_comes_back_as_it_was(payload: bytes, written: Trailer) -> None:
    data = encode_unit(payload, written)

    (found,) = units(data)
    trailer = found.trailer

    assert payload == decode_payload(found)
    assert written == replace(trailer, frame_bytes=0, payload_bytes=0, frame_crc=0)
    assert (0, len(data)) == (found.offset, found.end)


@given(st.binary(max_size=300))
def test_random_bytes_hold_no_unit_and_raise_nothing(data: bytes) -> None:
    assert units(data) == []


@given(st.lists(st.integers(0, len(RACE)), max_size=12))
def test_any_split_of_the_bytes_gives_the_same_units(cuts: list[int]) -> None:
    assert scan(RACE) == scan(RACE, cuts)


@given(
    st.lists(st.integers(0, 2 * len(RACE)), max_size=12),
    st.integers(0, len(RACE) - 1),
    st.binary(max_size=90),
)
def test_any_split_of_damaged_bytes_gives_the_same_units_and_damage(
    cuts: list[int], at: int, garbage: bytes
) -> None:
    data = RACE[:at] + garbage + RACE[at + 3 :]

    assert scan(data) == scan(data, [cut for cut in cuts if cut <= len(data)])


def test_one_byte_at_a_time_gives_the_same_units() -> None:
    assert scan(RACE) == scan(RACE, list(range(len(RACE))))


def test_every_byte_is_accounted_for_as_unit_or_damage() -> None:
    data = b"junk" + RACE[:400] + b"\0" * 99 + RACE[700:] + b"tail"

    spans = [
        (f.offset, f.end) if isinstance(f, Unit) else (f.offset, f.offset + f.length) for f in scan(data)
    ]

    assert [0, *(stop for _, stop in spans)] == [*(start for start, _ in spans), len(data)]


def test_garbage_between_units_is_damage_and_costs_nothing_else() -> None:
    first, second = unit(seq=0), unit(seq=1)

    found = scan(first + b"garbage" + second)

    assert [f.trailer.seq for f in found if isinstance(f, Unit)] == [0, 1]
    assert [Damage(len(first), 7, "no trailer")] == [f for f in found if isinstance(f, Damage)]


def test_a_tail_of_zeros_is_called_one() -> None:
    assert Damage(len(RACE), 4096, "zero tail") == scan(RACE + b"\0" * 4096)[-1]


def test_a_torn_tail_is_not_committed() -> None:
    torn = RACE[:-1]

    assert isinstance(tail := scan(torn)[-1], Damage)
    assert tail.reason == "not committed: no trailer follows"
    assert len(units(RACE)) - 1 == len(units(torn))


def test_a_log_written_after_a_torn_tail_reads_on() -> None:
    assert len(units(RACE)) * 2 - 1 == len(units(RACE[:-1] + RACE))


def test_two_logs_one_after_the_other_are_both() -> None:
    other = unit(seq=99)

    assert {**read(RACE).by_unit, **read(other).by_unit} == read(RACE + other).by_unit


def test_a_log_twice_is_the_log_once_and_the_repeats_are_counted() -> None:
    once, twice = read(RACE), read(RACE + RACE)

    assert once.by_unit == twice.by_unit
    assert (once.report.units, once.report.events) == (twice.report.duplicate_units, twice.report.events)


def test_a_frame_under_a_foreign_trailer_is_a_checksum_mismatch() -> None:
    first, second = unit(seq=0), unit(b'{"k":"mark","t":1,"label":"y"}\n', seq=1)
    mixed = first[:-TRAILER_BYTES] + second[-TRAILER_BYTES:]

    assert scan(mixed) == [Damage(0, len(mixed), "checksum mismatch")]


def test_a_trailer_that_claims_more_than_there_is_hides_no_later_unit() -> None:
    absurd = forged(b"", promised=10, frame_bytes=0xFFFF_FFFF)

    assert [found.trailer.seq for found in units(absurd + unit(seq=5))] == [5]


def test_a_search_without_end_keeps_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "MAX_FRAME_BYTES", 1000)
    scanner = UnitScanner()
    for _ in range(50):
        list(scanner.feed(b"\0" * 997))

    assert len(scanner._buffer) < 4000
    assert Damage(0, 50 * 997, "zero tail") == scanner.finish()


def test_a_unit_after_a_long_search_is_found_with_its_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "MAX_FRAME_BYTES", 1000)
    data = b"x" * 9999 + unit(seq=5)

    damage, found = scan(data, list(range(0, len(data), 500)))

    assert damage == Damage(0, 9999, "no trailer")
    assert isinstance(found, Unit)
    assert (found.offset, found.trailer.seq) == (9999, 5)


def test_a_payload_larger_than_promised_is_refused() -> None:
    (bomb,) = units(forged(zstandard.compress(bytes(1 << 20)), promised=10))

    with pytest.raises(LogError, match="disagree on the payload's size"):
        decode_payload(bomb)


def test_a_promise_beyond_the_limit_is_refused_without_decompressing() -> None:
    huge = MAX_PAYLOAD_BYTES + 1
    header = struct.pack("<IBI", zstandard.MAGIC_NUMBER, 0b1010_0000, huge)
    (bomb,) = units(forged(header, promised=huge))

    with pytest.raises(LogError, match="disagree on the payload's size"):
        decode_payload(bomb)


def test_a_frame_that_hides_its_size_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(write_content_size=False)
    frame = zstandard.ZstdCompressor(compression_params=parameters).compress(b"x" * 100)
    (hidden,) = units(forged(frame, promised=100))

    with pytest.raises(LogError, match="disagree on the payload's size"):
        decode_payload(hidden)


def test_a_second_frame_under_one_trailer_is_refused() -> None:
    frame = zstandard.compress(b"abc")
    (double,) = units(forged(frame + frame, promised=3))

    with pytest.raises(LogError, match="unit at byte 0"):
        decode_payload(double)


def test_a_frame_with_broken_content_is_refused_although_its_crc_holds() -> None:
    frame = bytearray(unit()[:-TRAILER_BYTES])
    frame[-1] ^= 1  # zstd's own content checksum
    (broken,) = units(forged(bytes(frame), promised=31))

    with pytest.raises(LogError, match="unit at byte 0"):
        decode_payload(broken)


def test_a_newer_framing_is_refused_with_the_advice_to_update() -> None:
    newer = forged(zstandard.compress(b""), promised=0, version=2)

    with pytest.raises(NewerLog, match=r"byte 0 uses log framing 2.*pip install --upgrade racelog"):
        scan(newer)


def test_a_payload_beyond_the_limit_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "MAX_PAYLOAD_BYTES", 3)

    with pytest.raises(ValueError, match="4 bytes, more than the limit 3"):
        unit(b"1234")


def test_a_trailer_is_a_skippable_frame_of_68_bytes() -> None:
    trailer = unit()[-TRAILER_BYTES:]

    assert struct.unpack_from("<II4s", trailer) == (0x184D2A5C, 60, b"RLG1")
    assert zlib.crc32(trailer[:-4]) == struct.unpack_from("<I", trailer, 64)[0]


def test_the_window_stays_within_what_every_zstd_reader_provides() -> None:
    frame = unit(bytes(range(256)) * 90_000)[:-TRAILER_BYTES]

    assert zstandard.get_frame_parameters(frame).window_size <= framing.MAX_WINDOW_BYTES


def test_zstd_s_own_checksum_is_in_every_frame() -> None:
    assert all(zstandard.get_frame_parameters(found.frame).has_checksum for found in units(RACE))
