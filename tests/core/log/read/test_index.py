"""The index: what trailers alone tell is what reading everything tells, and damage only makes it slower."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.errors import LogError, NewerLog, NotALog, RaceNotFound
from racelog.events import Mark
from racelog.log.format.codec import encode_events
from racelog.log.format.units import Damage, Trailer, Unit, UnitKind, encode_unit
from racelog.log.read.index import LogIndex
from racelog.log.read.scan import log_files, scan_file
from tests.core.log.bytes_of import SMALL_RACE, race_bytes

Place = tuple[int, int, int]


def made(path: Path, spans: list[tuple[int, int]]) -> Path:
    """Write a file with one unit for each (t_min, t_max)."""
    path.write_bytes(
        b"".join(
            encode_unit(
                encode_events([Mark(t=first, label="x")]), Trailer(UnitKind.DATA, 7, seq, first, last, 1)
            )
            for seq, (first, last) in enumerate(spans)
        )
    )
    return path


def scanned(path: Path) -> set[Place]:
    """Return (file number, offset, end) of every unit that a walk from the front finds."""
    return {
        (number, found.offset, found.end)
        for number, file in enumerate(log_files(path))
        for found in scan_file(file)
        if isinstance(found, Unit)
    }


def indexed(path: Path) -> set[Place]:
    index = LogIndex(path)
    index.close()
    return {(span.file, span.offset, span.end) for span in index.spans}


def test_an_index_holds_every_unit_of_a_file(tmp_path: Path) -> None:
    path = SMALL_RACE.write_file(tmp_path / "a.rlog")

    assert scanned(path) == indexed(path)


def test_an_index_holds_every_unit_of_every_segment(tmp_path: Path) -> None:
    path = SMALL_RACE.write_segments(tmp_path / "a.live")

    assert scanned(path) == indexed(path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data + b"\0" * 300,
        lambda data: data[: len(data) // 2] + data[len(data) // 2 + 40 :],
        lambda data: data[:-10] + b"\xff" + data[-9:],
        lambda data: b"garbage" * 30 + data,
    ],
    ids=["torn", "zero tail", "hole", "bad trailer", "garbage before"],
)
def test_an_index_of_a_damaged_file_holds_what_a_walk_finds(tmp_path: Path, spoil) -> None:
    path = tmp_path / "a.rlog"
    path.write_bytes(spoil(race_bytes()))

    assert scanned(path) == indexed(path)


def test_a_flipped_bit_in_a_frame_is_found_when_the_unit_is_read(tmp_path: Path) -> None:
    data = bytearray(race_bytes())
    data[20] ^= 1
    path = tmp_path / "a.rlog"
    path.write_bytes(data)
    index = LogIndex(path)

    (found,) = index.read(min(index.spans, key=lambda span: span.offset))

    assert isinstance(found, Damage)
    assert (found.offset, found.reason) == (0, "checksum mismatch")


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda pair: (min(pair), max(pair))), min_size=1
    ),
    st.integers(-1, 21),
    st.integers(-1, 21),
)
def test_the_units_found_are_those_that_reach_into_the_stretch(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[int, int]], start: int, end: int
) -> None:
    index = LogIndex(made(tmp_path_factory.mktemp("log") / "a.rlog", spans))

    found = [(span.t_min, span.t_max) for span in index.overlapping(start, end)]
    index.close()

    assert sorted(span for span in spans if span[0] < end and span[1] >= start) == sorted(found)


def test_an_index_knows_when_the_log_begins_and_ends(tmp_path: Path) -> None:
    index = LogIndex(made(tmp_path / "a.rlog", [(5, 30), (1, 9)]))

    assert (len(index), index.start_ns, index.end_ns) == (2, 1, 30)


@pytest.mark.parametrize("data", [b"", b"not a log", b"\0" * 500])
def test_a_file_without_a_unit_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.rlog"
    path.write_bytes(data)

    with pytest.raises(NotALog):
        LogIndex(path)


def test_nothing_at_the_path_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(RaceNotFound):
        LogIndex(tmp_path / "none.rlog")


def test_a_newer_framing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.rlog"
    path.write_bytes(encode_unit(b"{}\n", Trailer(UnitKind.DATA, 7, 0, 1, 1, 1, version=2)))

    with pytest.raises(NewerLog):
        LogIndex(path)


def test_a_closed_index_reads_no_more(tmp_path: Path) -> None:
    index = LogIndex(made(tmp_path / "a.rlog", [(1, 2)]))
    index.close()
    index.close()

    with pytest.raises(LogError, match="is closed"):
        index.read(index.spans[0])
