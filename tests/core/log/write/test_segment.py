"""One writer's file: whole units, one after another, never over someone else's bytes."""

import errno
import os
import stat
from pathlib import Path

import pytest

from racelog.errors import StorageError
from racelog.events import Finish, Head, Mark, Tokens
from racelog.log.read.reader import open_log
from racelog.log.rows.fingerprint import fingerprint
from racelog.log.write import segment as writing
from racelog.log.write.files import OsFiles
from racelog.log.write.segment import SegmentWriter, new_writer_id
from racelog.testing.races import ScriptedRace

HEAD = ScriptedRace([]).head(writer=0xABC)
MARKS = [Mark(t=t, label=f"mark {t}") for t in range(5)]


def test_a_segment_is_a_head_what_was_committed_and_a_finish(tmp_path: Path) -> None:
    with SegmentWriter(tmp_path / "a.rlog", HEAD) as writer:
        writer.commit(MARKS)
        writer.finish(9, "done")

    assert [HEAD, *MARKS, Finish(t=9, events=6, reason="done")] == open_log(tmp_path / "a.rlog").events


def test_what_is_committed_is_readable_at_once(tmp_path: Path) -> None:
    with SegmentWriter(tmp_path / "a.rlog", HEAD) as writer:
        writer.commit(MARKS)

        assert [HEAD, *MARKS] == open_log(tmp_path / "a.rlog").events


def test_a_segment_without_a_finish_is_unfinished(tmp_path: Path) -> None:
    with SegmentWriter(tmp_path / "a.rlog", HEAD) as writer:
        writer.commit(MARKS)

    assert not open_log(tmp_path / "a.rlog").report.finished


def test_committing_nothing_writes_nothing(tmp_path: Path) -> None:
    with SegmentWriter(tmp_path / "a.rlog", HEAD) as writer:
        before = writer.committed_bytes
        writer.commit([])

        assert before == writer.committed_bytes == (tmp_path / "a.rlog").stat().st_size


def test_an_existing_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.rlog"
    path.write_bytes(b"precious")

    with pytest.raises(
        StorageError, match=rf"cannot create the log segment .*a.rlog: {os.strerror(errno.EEXIST)}"
    ):
        SegmentWriter(path, HEAD)

    assert path.read_bytes() == b"precious"


def test_a_missing_folder_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=os.strerror(errno.ENOENT)):
        SegmentWriter(tmp_path / "none" / "a.rlog", HEAD)


def test_a_commit_too_large_for_one_unit_becomes_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SegmentWriter(tmp_path / "a.rlog", HEAD) as writer:
        monkeypatch.setattr(writing, "MAX_PAYLOAD_BYTES", 100)
        writer.commit(MARKS)

    log = open_log(tmp_path / "a.rlog")

    assert list(log.of(Mark)) == MARKS
    assert log.report.units == 4


def test_a_batch_of_chunks_that_no_unit_can_hold_is_written_as_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = Tokens(t=1, lane=0, r=list(range(9)), d=list(range(9)), x=["x" * 90] * 9)

    with SegmentWriter(tmp_path / "a.rlog", HEAD) as writer:
        monkeypatch.setattr(writing, "MAX_PAYLOAD_BYTES", 400)
        writer.commit([batch])
        writer.finish(99)
    log = open_log(tmp_path / "a.rlog")

    assert fingerprint([batch]) == fingerprint(log.of(Tokens))
    assert log.report.finished


def test_one_event_too_large_for_any_unit_is_refused_with_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SegmentWriter(tmp_path / "a.rlog", HEAD) as writer:
        monkeypatch.setattr(writing, "MAX_PAYLOAD_BYTES", 20)
        with pytest.raises(StorageError, match=r"one event of .* bytes; the limit is 20"):
            writer.commit(MARKS[:1])


def test_a_segment_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with SegmentWriter(tmp_path / "a.rlog", HEAD):
            pass
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "a.rlog").stat().st_mode) == 0o600


@pytest.mark.parametrize("how", ["removed", "replaced", "folder moved"])
def test_a_segment_that_is_gone_while_it_is_written_takes_no_more(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "race.live"
    folder.mkdir()
    path = folder / "a.rlog"
    with SegmentWriter(path, HEAD) as writer:
        writer.commit(MARKS)
        if how == "folder moved":
            folder.rename(tmp_path / "elsewhere")
        else:
            path.unlink()
        if how == "replaced":
            path.touch()

        with pytest.raises(StorageError, match="is not there any more: it was removed or moved"):
            writer.commit(MARKS)


def test_more_events_than_a_unit_may_hold_become_several_units(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "FREE_EVENTS", 2)
    with SegmentWriter(tmp_path / "a.rlog", HEAD) as writer:
        writer.commit(MARKS)

    assert list(open_log(tmp_path / "a.rlog").of(Mark)) == MARKS


def test_a_writer_s_id_comes_from_its_head(tmp_path: Path) -> None:
    with SegmentWriter(tmp_path / "a.rlog", HEAD):
        pass

    head = open_log(tmp_path / "a.rlog").first(Head)
    assert head is not None
    assert int(head.writer, 16) == 0xABC


def test_writer_ids_fit_63_bits_and_differ() -> None:
    ids = {new_writer_id() for _ in range(100)}

    assert len(ids) == 100
    assert max(ids) < 1 << 63


def test_units_compressed_at_once_are_the_same_file_as_units_one_by_one(tmp_path: Path) -> None:
    units = [[Mark(t=t, label="x" * t) for t in range(number)] for number in range(9)]
    one_by_one, at_once = tmp_path / "a.rlog", tmp_path / "b.rlog"

    with SegmentWriter(one_by_one, HEAD) as writer:
        for unit in units:
            writer.commit(unit)
        writer.finish(9)
    with SegmentWriter(at_once, HEAD) as writer:
        writer.commit_each(units, threads=3)
        writer.finish(9)

    assert one_by_one.read_bytes() == at_once.read_bytes()


class _FullAfter(OsFiles):
    """A disk that takes so many units."""

    def __init__(self, units: int) -> None:
        self._left = units

    def write(self, fd: int, data: bytes) -> int:
        if not self._left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._left -= 1
        return super().write(fd, data)


def test_a_disk_that_fills_while_units_are_compressed_at_once_keeps_those_before(tmp_path: Path) -> None:
    path = tmp_path / "a.rlog"
    with (
        SegmentWriter(path, HEAD, files=_FullAfter(3)) as writer,
        pytest.raises(StorageError, match="No space left"),
    ):
        writer.commit_each([[mark] for mark in MARKS], threads=2)

    assert [HEAD, *MARKS[:2]] == open_log(path).events
