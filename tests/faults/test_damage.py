"""A log cut or changed at every single byte: what is left is right, and what is missing is said."""

from pathlib import Path

import pytest

from racelog.errors import NotALog
from racelog.log.read.reader import open_log
from tests.core.log.bytes_of import race_bytes, read, units

RACE = race_bytes()
WHOLE = read(RACE)
ENDS = [found.end for found in units(RACE)]


def test_a_cut_at_every_byte_keeps_exactly_the_units_whose_trailers_are_whole() -> None:
    keys = list(WHOLE.by_unit)
    for cut in range(len(RACE) + 1):
        kept = sum(end <= cut for end in ENDS)

        reading = read(RACE[:cut])

        assert {key: WHOLE.by_unit[key] for key in keys[:kept]} == reading.by_unit, cut
        assert (cut not in (0, *ENDS)) == bool(reading.report.damage), cut


@pytest.mark.parametrize("bit", [0, 5, 7])
def test_a_flipped_bit_at_every_byte_loses_at_most_one_unit_and_yields_no_wrong_event(bit: int) -> None:
    for at in range(len(RACE)):
        data = bytearray(RACE)
        data[at] ^= 1 << bit

        reading = read(bytes(data))

        assert WHOLE.by_unit.items() >= reading.by_unit.items(), at
        assert len(WHOLE.by_unit) - 1 == len(reading.by_unit), at
        assert reading.report.damage, at


def test_a_byte_lost_or_added_anywhere_loses_at_most_one_unit() -> None:
    for at in range(0, len(RACE), 3):
        for data in (RACE[:at] + RACE[at + 1 :], RACE[:at] + b"\xff" + RACE[at:]):
            reading = read(data)

            assert WHOLE.by_unit.items() >= reading.by_unit.items(), at
            assert len(WHOLE.by_unit) - 1 <= len(reading.by_unit), at


def test_a_torn_file_opens_and_says_where_it_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "torn.rlog"
    path.write_bytes(RACE[:-5])

    report = open_log(path).report

    assert [
        f"torn.rlog: {len(RACE) - 5 - ENDS[-2]:,} bytes at offset {ENDS[-2]:,}: not committed: no trailer follows"
    ] == [str(damage) for damage in report.damage]
    assert not report.finished


@pytest.mark.parametrize("content", [b"", b"\0" * 500, b'{"k":"mark"}\n' * 40, RACE[: ENDS[0] - 1]])
def test_a_file_without_a_single_unit_is_not_a_log(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.rlog"
    path.write_bytes(content)

    with pytest.raises(NotALog, match="not a racelog file: it holds no committed unit"):
        open_log(path)
