"""Sealing: one compact file, equal to the segments, or the segments as they were."""

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import msgspec
import pytest
import zstandard

from racelog.errors import InputError, LogError, StorageError
from racelog.events import Finish, Head, HostSamples, Mark, Tokens, Unknown
from racelog.log.format.codec import decode_events, encode_events
from racelog.log.format.units import Unit, decode_payload
from racelog.log.read.reader import open_log
from racelog.log.read.scan import scan_file
from racelog.log.rewrite import seal as sealing
from racelog.log.rewrite.compact import compact
from racelog.log.rewrite.seal import payload_bytes, put_together, seal
from racelog.log.rewrite.verify import verify_log
from racelog.log.rows.fingerprint import fingerprint
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import Plan, ScriptedRace

RACE = ScriptedRace([Plan("a", requests=3, tokens=6), Plan("b", requests=3, tokens=6, fail=(1,))])


@pytest.fixture
def live(tmp_path: Path) -> Path:
    return RACE.write_segments(tmp_path / "race.live", per_unit=2)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_sealed_file_holds_the_same_facts_and_the_segments_are_gone(live: Path, tmp_path: Path) -> None:
    before = open_log(live).events

    path = seal(live, tmp_path / "race.rlog")

    assert fingerprint(before) == fingerprint(open_log(path).events)
    assert [file.name for file in tmp_path.iterdir()] == ["race.rlog"]


def test_a_sealed_file_is_one_finished_segment_that_names_its_sources(live: Path, tmp_path: Path) -> None:
    log = open_log(seal(live, tmp_path / "race.rlog"))
    (head,) = log.of(Head)
    (finish,) = log.of(Finish)

    assert ("seal", [f"{writer:016x}" for writer in (1, 2, 3)]) == (head.role, head.sources)
    assert (True, "sealed", len(log.events) - 1) == (log.report.finished, finish.reason, finish.events)


def test_a_file_that_takes_the_name_while_it_is_sealed_stays_and_nothing_is_left_beside_it(
    live: Path, tmp_path: Path
) -> None:
    before, target = contents(live), tmp_path / "race.rlog"

    def appear(doing: str, _done: int, _total: int) -> None:
        if doing == "proving":
            target.write_bytes(b"mine")

    with pytest.raises(InputError, match="exists already; sealing never overwrites a log"):
        seal(live, target, appear)

    assert (target.read_bytes(), contents(live)) == (b"mine", before)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["race.live", "race.rlog"]


def test_a_sealed_file_is_smaller(live: Path, tmp_path: Path) -> None:
    before = sum(file.stat().st_size for file in live.iterdir())

    assert seal(live, tmp_path / "race.rlog").stat().st_size < before / 2


def test_a_sealed_unit_holds_no_more_rows_than_one_damaged_byte_may_cost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealing, "ROWS_PER_UNIT", 6)
    batch = Tokens(t=1, lane=0, r=[0] * 3, d=[0] * 3, x=["x"] * 3)

    assert [[batch, batch], [batch]] == list(sealing.sealed_units([batch] * 3))


def test_a_sealed_unit_holds_no_more_text_than_a_column_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "CHARACTERS_PER_BATCH", 10)
    batch = Tokens(t=1, lane=0, r=[0], d=[0], x=["12345"])

    assert [[batch, batch], [batch]] == list(sealing.sealed_units([batch] * 3))


def test_a_lane_of_chunks_that_no_unit_could_hold_together_seals(tmp_path: Path) -> None:
    live = RACE.write_segments(tmp_path / "race.live")
    with SegmentWriter(live / "lane-9.rlog", RACE.head(9, "lane", 0)) as writer:
        for t in range(9):
            writer.commit([Tokens(t=t, lane=0, r=[1], d=[0], x=["x" * (8 << 20)])])
        writer.finish(9)
    before = fingerprint(open_log(live).events)

    assert before == fingerprint(open_log(seal(live, tmp_path / "race.rlog")).events)


def test_readings_of_many_flushes_are_sealed_as_one_column(tmp_path: Path) -> None:
    live = RACE.write_segments(tmp_path / "race.live")
    with SegmentWriter(live / "telemetry.rlog", RACE.head(writer=9)) as writer:
        for t in range(3):
            writer.commit([HostSamples(t=t, process="host", d=[0], cpu_pct=[1.5], rss_mib=[2.5])])
        writer.finish(6)

    (column,) = open_log(seal(live, tmp_path / "race.rlog")).of(HostSamples)

    assert (column.t, column.d, column.cpu_pct) == (0, [0, 1, 1], [1.5] * 3)


def test_a_difference_in_any_chunk_shows_in_the_fingerprint() -> None:
    first = Tokens(t=1, lane=0, r=[0, 0], d=[0, 5], x=["a", "b"])
    second = Tokens(t=1, lane=0, r=[0, 0], d=[0, 6], x=["a", "b"])

    assert fingerprint([first]) != fingerprint([second])


@pytest.mark.parametrize(
    "line",
    [
        b'{"k":"from.the.future","t":5,"x":[1,2.50]}\n',
        b'{"k":"mark","t":5,"label":"x","mood":[1, 2.50]}\n',
        b'{"k":"tok","t":5,"lane":0,"r":[9,9],"d":[0,5],"x":["a","b"],"logprob":[-0.10,-2]}\n',
        b'{"k":"host","t":5,"process":"host","d":[0],"cpu_pct":[1.50],"rss_mib":[2],"fans":[3]}\n',
    ],
    ids=["kind", "field", "column of chunks", "column of readings"],
)
def test_what_racelog_does_not_know_survives_sealing_byte_for_byte(tmp_path: Path, line: bytes) -> None:
    live = RACE.write_segments(tmp_path / "race.live")
    with SegmentWriter(live / "new.rlog", RACE.head(writer=9)) as writer:
        writer.commit([Unknown(t=5, k="mark", raw=msgspec.Raw(line[:-1]))])
        writer.finish(6)

    written = list(scan_file(seal(live, tmp_path / "race.rlog")))

    assert line in b"".join(decode_payload(unit) for unit in written if isinstance(unit, Unit))


def test_a_target_that_exists_is_never_overwritten(live: Path, tmp_path: Path) -> None:
    (tmp_path / "race.rlog").write_bytes(b"precious")
    before = contents(live)

    with pytest.raises(InputError, match="exists already; sealing never overwrites a log"):
        seal(live, tmp_path / "race.rlog")

    assert (b"precious", before) == ((tmp_path / "race.rlog").read_bytes(), contents(live))


def test_a_failing_write_leaves_the_segments_and_no_leftovers(
    live: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(live)

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageError, match="No space left on device"):
        seal(live, tmp_path / "race.rlog")

    assert (before, [live]) == (contents(live), list(tmp_path.iterdir()))


def test_a_file_that_does_not_read_back_equal_takes_nothing_s_place(
    live: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(live)
    monkeypatch.setattr(sealing, "joined", lambda events: list(events)[:-3])

    with pytest.raises(LogError, match=r"does not read back equal; the segments in .* are untouched"):
        seal(live, tmp_path / "race.rlog")

    assert before == contents(live)
    assert not (tmp_path / "race.rlog").exists()


def test_a_failing_rename_leaves_the_segments(
    live: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(live)

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(StorageError, match=r"cannot move the sealed log to .*race.rlog: Input/output error"):
        seal(live, tmp_path / "race.rlog")

    assert before == contents(live)


def test_a_second_try_after_a_failure_succeeds(live: Path, tmp_path: Path) -> None:
    (tmp_path / "race.rlog.sealing").write_bytes(b"left by a crash")
    before = open_log(live).events

    assert fingerprint(before) == fingerprint(open_log(seal(live, tmp_path / "race.rlog")).events)


def test_damaged_segments_are_kept_beside_the_sealed_file(live: Path, tmp_path: Path) -> None:
    lane = live / "lane-0.rlog"
    lane.write_bytes(lane.read_bytes()[:-1])
    before = contents(live)

    path = seal(live, tmp_path / "race.rlog")

    assert before == contents(live)
    assert fingerprint(open_log(live).events) == fingerprint(open_log(path).events)


def test_segments_that_grow_meanwhile_are_kept(live: Path, tmp_path: Path) -> None:
    def write_on(doing: str, done: int, total: int) -> None:
        if (doing, done) == ("sealing", total):
            with SegmentWriter(live / "late.rlog", RACE.head(writer=9)) as writer:
                writer.commit([Mark(t=1, label="late")])

    seal(live, tmp_path / "race.rlog", progress=write_on)

    assert (live / "late.rlog").exists()
    assert (live / "lane-0.rlog").exists()


def test_files_that_are_no_segments_are_left_alone(live: Path, tmp_path: Path) -> None:
    (live / "diary.txt").write_text("mine")

    seal(live, tmp_path / "race.rlog")

    assert contents(live) == {"diary.txt": b"mine"}


def test_segments_without_a_head_cannot_be_sealed(live: Path, tmp_path: Path) -> None:
    for segment in live.iterdir():
        units = list(scan_file(segment))
        segment.write_bytes(segment.read_bytes()[units[0].end :])

    with pytest.raises(LogError, match="no segment head"):
        seal(live, tmp_path / "race.rlog")

    assert (live / "lane-0.rlog").exists()


@pytest.mark.skipif(shutil.which("zstd") is None, reason="no zstd on this machine")
@pytest.mark.parametrize("name", ["race.rlog", "race.live/lane-0.rlog"])
def test_the_zstd_tool_reads_a_log_as_json_lines(live: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if not path.exists():
        seal(live, path)
    events = open_log(path).events

    subprocess.run(["zstd", "-t", "-q", "-f", path], check=True)
    text = subprocess.run(["zstd", "-dcf", path], check=True, capture_output=True).stdout

    assert Counter(encode_events([event]) for event in events) == Counter(
        encode_events([event]) for event in decode_events(text)
    )


def test_any_zstd_stream_reader_reads_a_log_as_json_lines(live: Path, tmp_path: Path) -> None:
    path = seal(live, tmp_path / "race.rlog")
    with path.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()

    assert len(open_log(path).events) == len(text.splitlines())


def test_a_seal_that_is_interrupted_leaves_nothing_beside_its_target(tmp_path, monkeypatch):
    folder = ScriptedRace([Plan("a")]).write_segments(tmp_path / "race.live")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seal(
            folder,
            tmp_path / "race.rlog",
            lambda doing, _done, _total: stop() if doing == "proving" else None,
        )

    assert [path.name for path in tmp_path.iterdir()] == ["race.live"]
    assert before == {file.name: file.read_bytes() for file in folder.iterdir()}


def test_units_put_together_are_the_same_units_and_the_segments_are_gone(live: Path, tmp_path: Path) -> None:
    before = [found for file in sorted(live.iterdir()) for found in scan_file(file)]

    path = put_together(live, tmp_path / "race.rlog")

    assert [(one.trailer, one.frame) for one in scan_file(path) if isinstance(one, Unit)] == [
        (one.trailer, one.frame) for one in before if isinstance(one, Unit)
    ]
    assert [file.name for file in tmp_path.iterdir()] == ["race.rlog"]


def test_a_log_put_together_is_whole_and_compact_packs_it(live: Path, tmp_path: Path) -> None:
    facts = fingerprint(open_log(live).events)
    path = put_together(live, tmp_path / "race.rlog")
    state = verify_log(path).state
    compact(path)
    log = open_log(path)

    assert (state, fingerprint(log.events), [head.role for head in log.of(Head)]) == (
        "whole",
        facts,
        ["seal"],
    )


def test_segments_that_are_damaged_stay_beside_what_was_put_together_of_them(
    live: Path, tmp_path: Path
) -> None:
    lane = sorted(live.iterdir())[1]
    data = bytearray(lane.read_bytes())
    data[len(data) // 2] ^= 0xFF
    lane.write_bytes(data)
    before = contents(live)

    path = put_together(live, tmp_path / "race.rlog")

    assert contents(live) == before
    assert not [found for found in scan_file(path) if not isinstance(found, Unit)]


def test_a_file_that_took_the_name_is_not_written_over_by_units_put_together(
    live: Path, tmp_path: Path
) -> None:
    target = tmp_path / "race.rlog"
    target.write_bytes(b"mine")

    with pytest.raises(InputError, match="exists already; sealing never overwrites a log"):
        put_together(live, target)

    assert target.read_bytes() == b"mine"


def test_what_units_hold_unpacked_is_told_without_unpacking_them(live: Path) -> None:
    units = [found for file in live.iterdir() for found in scan_file(file)]

    assert payload_bytes(live) == sum(len(decode_payload(one)) for one in units if isinstance(one, Unit))
