"""The journal on a scripted disk and a scripted clock: when it writes, how long it waits, what it gives up and says so."""

import errno
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
import trio.testing

from racelog.events import Finish, Gap, Head, Mark, Note, Tokens
from racelog.log.read.reader import RaceLog, open_log
from racelog.log.write.files import OsFiles
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import ScriptedRace
from racelog_recorder.cli.record import FSYNC
from racelog_recorder.journal.chunks import ChunkColumns
from racelog_recorder.journal.durability import FLUSH_BYTES, FSYNC_CHOICES, Durability, Fsync
from racelog_recorder.journal.journal import Journal

HEAD = ScriptedRace([]).head(7, "lane", 3)
WINDOW_S = 0.25


class ScriptedFiles(OsFiles):
    """Real files that can be stalled, count their syncs and fail them by number."""

    def __init__(self, failing_syncs: tuple[int, ...] = ()) -> None:
        self.failing_syncs = failing_syncs
        self.synced: list[int] = []
        self.running = threading.Event()
        self.running.set()

    def write(self, fd: int, data: bytes) -> int:
        self.running.wait()
        return super().write(fd, data)

    @property
    def syncs(self) -> int:
        return len(self.synced)

    def sync(self, fd: int) -> None:
        self.synced.append(os.fstat(fd).st_ino)
        if self.syncs in self.failing_syncs:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def stall(self) -> None:
        self.running.clear()

    def go_on(self) -> None:
        self.running.set()


class Recording:
    """A journal at work in a nursery, on a disk and clock that the test drives."""

    def __init__(
        self, tmp_path: Path, *, fsync: Fsync = "interval", max_waiting: int = 4, **disk: tuple[int, ...]
    ) -> None:
        self.path = tmp_path / "race.live" / "lane-3.rlog"
        self.path.parent.mkdir()
        self.files = ScriptedFiles(**disk)
        self.columns = ChunkColumns(3)
        self.journal = Journal(
            SegmentWriter(self.path, HEAD, files=self.files), HEAD, self.columns,
            durability=Durability(flush_s=WINDOW_S, fsync=fsync), max_waiting=max_waiting,
        )  # fmt: skip
        self.chunks = 0
        self.marks = 0

    def run(self, script: Callable[["Recording"], Awaitable[None]], *, by_hand: bool = False) -> RaceLog:
        """Run ``script`` beside the journal, finish, and return the log.

        The clock jumps on whenever all tasks wait, even for a thread; ``by_hand`` it moves by `pass_window` alone.
        """
        self.clock = trio.testing.MockClock(autojump_threshold=float("inf") if by_hand else 0)

        async def main() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.journal.run)
                await script(self)
                nursery.cancel_scope.cancel()
            await self.journal.finish("done")

        trio.run(main, clock=self.clock)
        return self.log()

    async def pass_window(self) -> None:
        """Let one flush window pass, and what it starts be done."""
        await trio.testing.wait_all_tasks_blocked()
        self.clock.jump(WINDOW_S)
        await trio.testing.wait_all_tasks_blocked()
        while self.journal._writing.locked():  # a thread writes; it does not count as a task
            await trio.lowlevel.checkpoint()

    def log(self) -> RaceLog:
        return open_log(self.path.parent)

    def mark(self) -> None:
        self.journal.record(Mark(t=self.marks, label=str(self.marks)))
        self.marks += 1

    def chunk(self, text: str = "x") -> None:
        self.columns.add(self.chunks, 0, text, "c", None, "k")
        self.chunks += 1


async def record_through_a_stall(recording: Recording, *, stall_s: float) -> None:
    """Record a mark and three chunks in every window before, during and after a stall."""
    for second in range(2):
        if second:
            recording.files.stall()
        end_s = trio.current_time() + (stall_s if second else 1.0)
        while trio.current_time() < end_s:
            recording.mark()
            for _ in range(3):
                recording.chunk()
            await trio.sleep(WINDOW_S)
    recording.files.go_on()


def read_chunks(log: RaceLog) -> int:
    return sum(len(batch.r) for batch in log.of(Tokens))


def test_the_command_offers_every_fsync_policy() -> None:
    assert FSYNC == FSYNC_CHOICES


def test_an_event_is_in_the_file_when_its_flush_window_ends(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    found: list[int] = []

    async def script(recording: Recording) -> None:
        recording.mark()
        await recording.pass_window()
        found.append(len(list(recording.log().of(Mark))))

    recording.run(script, by_hand=True)

    assert found == [1]


def test_a_window_without_events_writes_no_unit(tmp_path: Path) -> None:
    async def script(_recording: Recording) -> None:
        await trio.sleep(10)

    log = Recording(tmp_path).run(script)

    assert [type(event) for event in log.events] == [Head, Finish]


def test_much_pending_data_is_flushed_before_the_window_ends(tmp_path: Path) -> None:
    taken: list[int] = []

    async def script(recording: Recording) -> None:
        recording.chunk("x" * FLUSH_BYTES)
        await trio.testing.wait_all_tasks_blocked()
        taken.append(len(recording.columns))

    Recording(tmp_path).run(script)

    assert taken == [0]


def test_many_pending_events_are_flushed_before_the_window_ends(tmp_path: Path) -> None:
    left: list[int] = []

    async def script(recording: Recording) -> None:
        for _ in range(1000):
            recording.mark()
        await trio.testing.wait_all_tasks_blocked()
        left.append(len(recording.journal._events))

    Recording(tmp_path).run(script)

    assert left == [0]


def test_a_stall_that_the_queue_holds_costs_nothing(tmp_path: Path) -> None:
    recording = Recording(tmp_path, max_waiting=100)
    log = recording.run(lambda recording: record_through_a_stall(recording, stall_s=20))

    assert list(log.of(Gap)) == []
    assert (recording.chunks, recording.marks) == (read_chunks(log), len(list(log.of(Mark))))


def test_what_a_longer_stall_costs_is_a_gap_with_exact_counts(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    log = recording.run(lambda recording: record_through_a_stall(recording, stall_s=20))
    gaps = list(log.of(Gap))

    assert sum(gap.chunks for gap in gaps) == recording.chunks - read_chunks(log) > 0
    assert sum(gap.events for gap in gaps) == recording.marks - len(list(log.of(Mark))) > 0
    assert {(gap.lane, gap.reason) for gap in gaps} == {
        (3, "the disk stalled and 4 batches were waiting for it already")
    }


def test_recording_goes_on_after_a_gap(tmp_path: Path) -> None:
    async def script(recording: Recording) -> None:
        await record_through_a_stall(recording, stall_s=20)
        recording.mark()

    recording = Recording(tmp_path)
    log = recording.run(script)

    assert list(log.of(Mark))[-1].t == recording.marks - 1
    assert log.report.finished


@pytest.mark.parametrize("stall_s", [60, 600])
def test_memory_stays_bounded_however_long_the_disk_stalls(tmp_path: Path, stall_s: float) -> None:
    held: list[int] = []

    async def script(recording: Recording) -> None:
        await record_through_a_stall(recording, stall_s=stall_s)
        batches = [*recording.journal._backlog._waiting]
        held.append(
            sum(len(event.r) for batch in batches for event in batch.events if isinstance(event, Tokens))
        )
        held.append(len(recording.columns))

    recording = Recording(tmp_path)
    recording.run(script)

    assert max(held) <= 3 * (recording.journal._backlog.limit + 3)


def test_a_stall_while_finishing_loses_nothing(tmp_path: Path) -> None:
    recording = Recording(tmp_path)

    async def script(recording: Recording) -> None:
        recording.files.stall()
        for _ in range(3):
            recording.mark()
            await trio.sleep(WINDOW_S)
        threading.Timer(0.05, recording.files.go_on).start()

    log = recording.run(script)

    assert [mark.t for mark in log.of(Mark)] == [0, 1, 2]


async def record_for_ten_seconds(recording: Recording) -> None:
    """Record a mark in each of forty windows."""
    for _ in range(40):
        recording.mark()
        await recording.pass_window()


@pytest.mark.parametrize(("fsync", "expected"), [("never", 0), ("interval", 9 + 1), ("always", 40 + 1)])
def test_ten_seconds_and_the_end_are_synced_as_often_as_asked(
    tmp_path: Path, fsync: Fsync, expected: int
) -> None:
    recording = Recording(tmp_path, fsync=fsync)
    recording.run(record_for_ten_seconds, by_hand=True)

    assert expected == recording.files.syncs


def test_what_was_written_last_is_synced_though_nothing_follows(tmp_path: Path) -> None:
    synced: list[int] = []

    async def script(recording: Recording) -> None:
        recording.mark()
        for _ in range(20):
            await recording.pass_window()
        synced.append(recording.files.syncs)

    Recording(tmp_path).run(script, by_hand=True)

    assert synced == [1]


def test_after_a_failed_sync_a_new_segment_says_what_is_in_doubt(tmp_path: Path) -> None:
    recording = Recording(tmp_path, fsync="always", failing_syncs=(2,))

    async def script(recording: Recording) -> None:
        for _ in range(4):
            recording.mark()
            await recording.journal.flush()

    log = recording.run(script)
    (note,) = log.of(Note)
    first, second = (open_log(recording.path.with_name(name)) for name in ("lane-3.rlog", "lane-3.2.rlog"))

    assert [mark.t for mark in first.of(Mark)] == [0, 1]
    assert [mark.t for mark in second.of(Mark)] == [2, 3]
    assert (note.level, note.lane) == ("error", 3)
    assert "lane-3.rlog: Input/output error" in note.text
    assert "; whether the last " in note.text
    assert note.text.endswith("survive a power failure is unknown; recording goes on in lane-3.2.rlog")


def test_a_successor_names_the_writer_it_goes_on_for(tmp_path: Path) -> None:
    recording = Recording(tmp_path, fsync="always", failing_syncs=(1, 3))

    async def script(recording: Recording) -> None:
        for _ in range(4):
            recording.mark()
            await recording.journal.flush()

    recording.run(script)
    names = ("lane-3.rlog", "lane-3.2.rlog", "lane-3.3.rlog")
    heads = [open_log(recording.path.with_name(name)).first(Head) for name in names]

    assert [head.sources for head in heads if head] == [
        [],
        [HEAD.writer],
        [heads[1].writer if heads[1] else ""],
    ]
    assert {(head.role, head.lane, head.race_id) for head in heads if head} == {("lane", 3, HEAD.race_id)}


def test_a_failed_sync_is_never_tried_again(tmp_path: Path) -> None:
    recording = Recording(tmp_path, fsync="always", failing_syncs=(1,))

    async def script(recording: Recording) -> None:
        recording.mark()
        await recording.journal.flush()

    recording.run(script)

    assert recording.files.synced.count(recording.path.stat().st_ino) == 1


def test_a_failing_last_sync_is_told_by_a_successor(tmp_path: Path) -> None:
    recording = Recording(tmp_path, failing_syncs=(1,))

    async def script(recording: Recording) -> None:
        recording.mark()

    log = recording.run(script)

    assert (len(list(log.of(Note))), len(list(log.of(Finish)))) == (1, 2)
    assert log.report.finished
