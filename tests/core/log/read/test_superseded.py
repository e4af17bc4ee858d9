"""Segments and the file they were sealed into, put together in any way: every fact is read once."""

import json
from pathlib import Path

import pytest

import racelog
from racelog.cli import run
from racelog.events import Head, Mark
from racelog.log.format.codec import encode_events
from racelog.log.read.exact import gather
from racelog.log.read.reader import open_log
from racelog.log.rewrite.compact import compact
from racelog.log.rewrite.seal import seal
from racelog.log.rewrite.verify import verify_log
from racelog.log.rows.fingerprint import fingerprint
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from tests.core.log.bytes_of import units

RACE = ScriptedRace([Plan("a", requests=2, tokens=4), Plan("b", requests=2, tokens=4)])


@pytest.fixture
def segments(tmp_path: Path) -> bytes:
    live = RACE.write_segments(tmp_path / "kept")
    return b"".join(file.read_bytes() for file in sorted(live.iterdir()))


@pytest.fixture
def sealed(tmp_path: Path) -> bytes:
    return seal(RACE.write_segments(tmp_path / "race.live"), tmp_path / "race.rlog").read_bytes()


@pytest.fixture(params=["segments first", "sealed first"])
def together(request: pytest.FixtureRequest, tmp_path: Path, segments: bytes, sealed: bytes) -> Path:
    parts = (segments, sealed) if request.param == "segments first" else (sealed, segments)
    return put_together(tmp_path, *parts)


def put_together(folder: Path, *parts: bytes) -> Path:
    path = folder / "together.rlog"
    path.write_bytes(b"".join(parts))
    return path


def test_a_sealed_file_and_its_segments_read_as_the_sealed_file(
    tmp_path: Path, segments: bytes, together: Path
) -> None:
    log = open_log(together)

    assert open_log(tmp_path / "race.rlog").events == log.events
    assert (len(units(segments)), 0, 1) == (
        log.report.superseded_units,
        log.report.duplicate_units,
        log.report.writers,
    )


def test_every_reader_but_a_stream_reads_them_so(tmp_path: Path, segments: bytes, together: Path) -> None:
    expected = encode_events(open_log(tmp_path / "race.rlog").events)

    with racelog.open(together) as log:
        assert expected == encode_events(log.select())
    assert expected == encode_events(gather(together).log.events)
    verdict = verify_log(together)
    assert ("whole", len(units(segments)), 1) == (
        verdict.state,
        verdict.superseded_units,
        len(verdict.writers),
    )


def test_cat_tells_every_fact_once(tmp_path: Path, together: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told = []
    for log in (tmp_path / "race.rlog", together):
        assert run(["cat", str(log), "--json"]) == 0
        told.append(capfd.readouterr().out)

    assert told[0] == told[1]


def test_a_directory_with_its_sealed_file_inside_reads_as_that(tmp_path: Path, sealed: bytes) -> None:
    (tmp_path / "kept").mkdir()
    live = RACE.write_segments(tmp_path / "kept" / "race")
    (live / "sealed.rlog").write_bytes(sealed)

    assert open_log(tmp_path / "race.rlog").events == open_log(live).events


@pytest.mark.parametrize("harm", ["its end is cut off", "a unit is damaged", "a unit is missing"])
def test_a_sealed_file_that_is_not_whole_supersedes_nothing(
    tmp_path: Path, segments: bytes, sealed: bytes, harm: str
) -> None:
    _, second, *_, last = units(sealed)
    broken = bytearray(sealed)
    if harm == "its end is cut off":
        del broken[last.offset :]
    elif harm == "a unit is missing":
        del broken[second.offset : second.end]
    else:
        broken[second.offset + 9] ^= 1
    path = put_together(tmp_path, segments, bytes(broken))

    log = open_log(path)

    assert (log.report.superseded_units, log.report.writers) == (0, 4)
    recorded = set(encode_events(open_log(tmp_path / "kept").events).splitlines())
    assert recorded <= set(encode_events(log.events).splitlines())


def test_what_was_sealed_twice_supersedes_the_segments_still(
    tmp_path: Path, segments: bytes, sealed: bytes
) -> None:
    (tmp_path / "merged.rlog").write_bytes(sealed)
    with SegmentWriter(tmp_path / "late.rlog", RACE.head(writer=77)) as writer:
        writer.commit([Mark(t=1, label="late")])
        writer.finish(2)
    late = (tmp_path / "late.rlog").read_bytes()
    compact(put_together(tmp_path, sealed, late), twice := tmp_path / "twice.rlog")

    path = put_together(tmp_path, segments, twice.read_bytes(), late)

    assert fingerprint(open_log(twice).events) == fingerprint(open_log(path).events)


def test_a_live_segment_supersedes_nothing_of_the_writer_it_goes_on_for(tmp_path: Path) -> None:
    live = RACE.write_segments(tmp_path / "race")
    head = Head(
        t=0, race_id=RACE_ID, writer=f"{9:016x}", role="lane", mono_origin_ns=0, sources=[f"{2:016x}"]
    )
    with SegmentWriter(live / "lane-0b.rlog", head) as writer:
        writer.finish(2)

    report = open_log(live).report

    assert (report.superseded_units, report.writers) == (0, 4)


def test_files_that_claim_to_be_sealed_from_each_other_hide_nothing(tmp_path: Path) -> None:
    for writer, other in ((1, 2), (2, 1)):
        head = Head(
            t=0,
            race_id=RACE_ID,
            writer=f"{writer:016x}",
            role="seal",
            mono_origin_ns=0,
            sources=[f"{other:016x}"],
        )
        with SegmentWriter(tmp_path / f"{writer}.rlog", head) as segment:
            segment.commit([Mark(t=writer, label="here")])
            segment.finish(3)

    path = put_together(tmp_path, (tmp_path / "1.rlog").read_bytes(), (tmp_path / "2.rlog").read_bytes())

    assert [mark.t for mark in open_log(path).of(Mark)] == [1, 2]


def test_a_log_recovered_with_loss_supersedes_no_sounder_copy(
    tmp_path: Path, sealed: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = bytearray(sealed)
    broken[units(sealed)[1].offset + 9] ^= 1
    assert (
        run(
            [
                "recover",
                str(put_together(tmp_path, bytes(broken))),
                "-o",
                str(tmp_path / "saved.rlog"),
                "--json",
            ]
        )
        == 3
    )
    assert json.loads(capfd.readouterr().out)["losses"]

    path = put_together(tmp_path, sealed, (tmp_path / "saved.rlog").read_bytes())

    assert open_log(path).report.superseded_units == 0
