"""Files to events: one order whatever the files, and an account of what is missing."""

import errno
import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.errors import LogError, NotALog, RaceNotFound
from racelog.events import Finish, Head, Mark, RaceFacts, RequestEnd, Tokens
from racelog.log.format.codec import encode_events
from racelog.log.read.reader import RaceLog, open_log
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import Plan, ScriptedRace

RACE = ScriptedRace([Plan("a", requests=2, tokens=3), Plan("b", requests=3, tokens=3, fail=(1,))])


def lines(log: RaceLog) -> list[bytes]:
    """Return a log's events as sorted lines without the segments' own heads and ends."""
    return sorted(encode_events([event]) for event in log.events if not isinstance(event, Head | Finish))


@pytest.fixture
def segments(tmp_path: Path) -> Path:
    return RACE.write_segments(tmp_path / "race.live")


def test_a_directory_reads_as_its_segments_in_time_order(segments: Path) -> None:
    log = open_log(segments)

    assert sorted(event.t for event in log.events) == [event.t for event in log.events]
    assert sorted(encode_events([event]) for event in RACE.events()) == lines(log)


@pytest.mark.parametrize("seed", range(5))
def test_segments_put_together_in_any_order_read_as_the_directory(
    segments: Path, tmp_path: Path, seed: int
) -> None:
    files = list(segments.iterdir())
    random.Random(seed).shuffle(files)
    (tmp_path / "cat.rlog").write_bytes(b"".join(file.read_bytes() for file in files))

    assert open_log(segments).events == open_log(tmp_path / "cat.rlog").events


def test_file_names_do_not_matter(segments: Path) -> None:
    before = open_log(segments).events
    (segments / "conductor.rlog").rename(segments / "zz.rlog")

    assert before == open_log(segments).events


def test_files_that_are_no_segments_are_not_read(segments: Path) -> None:
    before = open_log(segments).report
    (segments / "notes.txt").write_text("hello")

    assert before == open_log(segments).report


def test_a_repeated_segment_is_counted_and_changes_nothing(segments: Path) -> None:
    before = open_log(segments)
    (segments / "copy.rlog").write_bytes((segments / "lane-0.rlog").read_bytes())

    after = open_log(segments)

    assert before.events == after.events
    assert (0, before.report.units) == (before.report.duplicate_units, after.report.units)
    assert after.report.duplicate_units > 0


def test_an_empty_segment_beside_others_is_no_damage(segments: Path) -> None:
    (segments / "fresh.rlog").touch()

    assert open_log(segments).report.damage == []


def test_the_report_counts_what_there_is(segments: Path) -> None:
    log = open_log(segments)
    report = log.report

    assert (report.files, report.writers, report.finished_writers, report.finished) == (3, 3, 3, True)
    assert sum(file.stat().st_size for file in segments.iterdir()) == report.bytes
    assert (len(log.events), 2 * 3 + 2 * 3) == (report.events, report.chunks)


def test_a_race_without_one_writer_s_end_is_unfinished(segments: Path) -> None:
    lane = segments / "lane-1.rlog"
    lane.write_bytes(lane.read_bytes()[:-10])

    report = open_log(segments).report

    assert (report.writers, report.finished_writers, report.finished) == (3, 2, False)


def test_nothing_at_a_path_is_no_race(tmp_path: Path) -> None:
    with pytest.raises(RaceNotFound, match=r"no log at .*none.rlog"):
        open_log(tmp_path / "none.rlog")


def test_an_empty_directory_is_not_a_log(tmp_path: Path) -> None:
    with pytest.raises(NotALog):
        open_log(tmp_path)


def test_a_segment_that_cannot_be_opened_is_a_log_error(
    segments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> object:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(LogError, match=r"cannot read .*\.rlog: Permission denied"):
        open_log(segments)


def test_events_are_found_by_kind(segments: Path) -> None:
    log = open_log(segments)

    facts = log.first(RaceFacts)

    assert facts is not None
    assert facts.name == "scripted"
    assert [end.status for end in log.of(RequestEnd) if end.status != "ok"] == [False] * 0 + ["failed"]
    assert log.first(Mark) is None


def test_a_unit_of_nonsense_is_damage_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "odd.rlog"
    ragged = Tokens(t=0, lane=0, r=[1], d=[0], x=[])
    with SegmentWriter(path, RACE.head()) as writer:
        writer.commit([ragged])
        writer.commit([Mark(t=5, label="after")])

    log = open_log(path)

    assert [Mark(t=5, label="after")] == list(log.of(Mark))
    assert [d.reason for d in log.report.damage] == ["columns of a Tokens event at t=0 differ in length"]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 7))
def test_events_of_one_instant_keep_the_order_they_were_written_in(
    tmp_path_factory: pytest.TempPathFactory, times: list[int], per_unit: int
) -> None:
    marks = [Mark(t=t, label=str(i)) for i, t in enumerate(times)]
    path = tmp_path_factory.mktemp("log") / "a.rlog"
    with SegmentWriter(path, RACE.head()) as writer:
        for start in range(0, len(marks), per_unit):
            writer.commit(marks[start : start + per_unit])

    assert sorted(marks, key=lambda mark: mark.t) == list(open_log(path).of(Mark))


def test_a_report_can_be_written_as_json(segments: Path) -> None:
    plain = msgspec.json.decode(msgspec.json.encode(open_log(segments).report))

    assert (plain["damage"], plain["files"]) == ([], 3)


def test_a_running_race_that_was_sealed_meanwhile_is_read_from_its_sealed_file(tmp_path: Path) -> None:
    race = ScriptedRace([Plan("a")])
    live = race.write_segments(tmp_path / "race.live")
    sealed = race.write_file(tmp_path / "race.rlog")
    (live / "lane-0.rlog").unlink()

    assert open_log(live).path == sealed


def test_a_running_race_that_is_gone_is_read_from_its_sealed_file(tmp_path: Path) -> None:
    sealed = ScriptedRace([Plan("a")]).write_file(tmp_path / "race.rlog")

    assert open_log(tmp_path / "race.live").path == sealed
