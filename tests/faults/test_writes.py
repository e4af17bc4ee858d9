"""Every write of a segment fails once, in every way: what was committed before stays whole and readable."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from racelog.errors import ExitCode, StorageError
from racelog.events import Head, Mark
from racelog.log.read.reader import open_log
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import ScriptedRace

HEAD = ScriptedRace([]).head()
MARKS = [Mark(t=t, label="x" * t) for t in range(6)]
WRITES = len(MARKS) + 2


class FailingDisk:
    """Stands for ``os.write``: call number ``at`` fails, by an error or by taking only half; others go through."""

    def __init__(self, at: int, failure: int | None) -> None:
        self.at = at
        self.failure = failure
        self.calls = 0
        self.write = os.write

    def __call__(self, fd: int, data: bytes) -> int:
        self.calls += 1
        if self.calls != self.at:
            return self.write(fd, data)
        if self.failure is not None:
            raise OSError(self.failure, os.strerror(self.failure))
        return self.write(fd, data[: len(data) // 2])


def record(path: Path) -> None:
    """Write a segment, one mark to a unit."""
    with SegmentWriter(path, HEAD) as writer:
        for mark in MARKS:
            writer.commit([mark])
        writer.finish(99)


NEXT_STEPS = {
    errno.ENOSPC: "No space left on device; free some space, then try again",
    errno.EIO: "the device failed: look at the kernel's log",
    None: r"the disk took [0-9,]+ of [0-9,]+ bytes, as one does that is full; free some space, then try again",
}


@pytest.mark.parametrize("failure", NEXT_STEPS, ids=["ENOSPC", "EIO", "short write"])
@pytest.mark.parametrize("at", range(2, WRITES + 1))
def test_a_failing_write_loses_nothing_that_was_committed_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, failure: int | None
) -> None:
    disk = FailingDisk(at, failure)
    monkeypatch.setattr(os, "write", disk)

    with pytest.raises(StorageError, match=NEXT_STEPS[failure]) as caught:
        record(tmp_path / "a.rlog")

    log = open_log(tmp_path / "a.rlog")
    assert caught.value.exit_code == ExitCode.STORAGE
    assert disk.calls == at
    assert [HEAD, *MARKS[: at - 2]] == log.events
    assert log.report.damage == []


def open_descriptors() -> list[str]:
    return sorted(path.name for path in Path("/dev/fd").iterdir())


@pytest.mark.parametrize("failure", [errno.ENOSPC, None], ids=["ENOSPC", "short write"])
def test_a_failing_first_write_leaves_an_empty_file_and_no_open_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: int | None
) -> None:
    monkeypatch.setattr(os, "write", FailingDisk(1, failure))
    before = open_descriptors()

    with pytest.raises(StorageError):
        record(tmp_path / "a.rlog")

    assert (tmp_path / "a.rlog").stat().st_size == 0
    assert before == open_descriptors()


def test_a_writer_goes_on_after_space_was_freed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SegmentWriter(tmp_path / "a.rlog", HEAD) as writer:
        monkeypatch.setattr(os, "write", FailingDisk(1, None))
        with pytest.raises(StorageError):
            writer.commit(MARKS[:1])
        writer.commit(MARKS)
        writer.finish(99)

    log = open_log(tmp_path / "a.rlog")
    assert (list(log.of(Mark)), log.report.finished, log.report.damage) == (MARKS, True, [])


def test_a_partial_unit_that_cannot_be_cut_off_ends_the_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, length: int) -> None:
        raise OSError(errno.EIO, "no")

    with SegmentWriter(tmp_path / "a.rlog", HEAD) as writer:
        writer.commit(MARKS[:2])
        monkeypatch.setattr(os, "write", FailingDisk(1, None))
        monkeypatch.setattr(os, "ftruncate", refuse)
        for _ in range(2):
            with pytest.raises(StorageError):
                writer.commit(MARKS[2:])

    log = open_log(tmp_path / "a.rlog")
    assert [HEAD, *MARKS[:2]] == log.events
    assert [damage.reason for damage in log.report.damage] == ["not committed: no trailer follows"]


def test_a_failing_sync_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fdatasync", refuse, raising=False)
    with SegmentWriter(tmp_path / "a.rlog", HEAD) as writer, pytest.raises(StorageError, match="cannot sync"):
        writer.sync()


WRITE_FOR_EVER = """
import sys
from pathlib import Path
from racelog.events import Mark
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import ScriptedRace
writer = SegmentWriter(Path(sys.argv[1]), ScriptedRace([]).head())
t = 0
while True:
    writer.commit([Mark(t=t, label="x" * 100)])
    t += 1
    print(t, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_committed(tmp_path: Path) -> None:
    path = tmp_path / "a.rlog"
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for _ in range(200):
            told = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)

    events = open_log(path).events

    assert isinstance(events[0], Head)
    assert list(range(len(events) - 1)) == [event.t for event in events[1:]]
    assert told <= len(events) - 1
