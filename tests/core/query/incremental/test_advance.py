"""A race that grows: every question gives the rows of a race read anew, wherever the last one left off."""

import os
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import racelog
from racelog import plugins
from racelog.events import (
    AnyEvent,
    Control,
    EngineSamples,
    Finish,
    Gap,
    GpuSamples,
    Head,
    HostSamples,
    LaneEnd,
    LaneFacts,
    LaneStart,
    Mark,
    Prompt,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    Tokens,
    Unknown,
    Usage,
)
from racelog.log.format.codec import OrderedEvent
from racelog.log.format.units import Unit
from racelog.log.read.reader import LogReport, RaceLog, open_log
from racelog.log.read.resume import read_onward
from racelog.log.read.scan import scan_file
from racelog.log.rows.rows import lane_of
from racelog.log.rows.window import part_between
from racelog.log.write.segment import SegmentWriter
from racelog.query.connection.connect import load_races
from racelog.query.contract.tables import TABLES, Batch
from racelog.query.incremental import advance, store
from racelog.query.incremental.advance import grow
from racelog.query.incremental.checkpoint import Cut, OvertakenError
from racelog.query.incremental.state_codec import GraphError, packed, unpacked
from racelog.query.incremental.store import GrowingRace
from racelog.query.project.project import race_batches
from racelog.testing.races import RACE_ID, Plan, ScriptedRace, recorder_readings

MS = 1_000_000
DEMO = "recorder/racelog_recorder/demo/demo.rlog"
PATH = Path("/races/growing.live")
Rows = dict[str, list[str]]

RACE = ScriptedRace([Plan("a", requests=6, tokens=8, fail=(3,)), Plan("b", ttft_ms=30, requests=5, tokens=9)])


@pytest.fixture(autouse=True)
def settled_at_once(monkeypatch):
    """Settle whatever every lane has passed: the more cuts, the more there is to go wrong."""
    monkeypatch.setattr(advance, "MARGIN_NS", 1)
    monkeypatch.setattr(advance, "SETTLE_NS", 1)


def rows_of(batches: list[Batch]) -> Rows:
    rows: Rows = {table: [] for table in TABLES}
    for table, columns in batches:
        found = [
            column if isinstance(column := columns[declared.name], list) else np.ma.asarray(column).tolist()
            for declared in TABLES[table]
        ]
        rows[table] += map(repr, zip(*found, strict=True))
    return {table: sorted(found) for table, found in rows.items()}


def everything(connection) -> Rows:
    return {table: sorted(map(repr, connection.execute(f"from {table}").fetchall())) for table in TABLES}


@dataclass
class Asked:
    """Asks a race that grows in memory, keeping between questions what the cache would."""

    entries: list[OrderedEvent] = field(default_factory=list)
    new: list[OrderedEvent] = field(default_factory=list)
    kept: list[Batch] = field(default_factory=list)
    cut: Cut | None = None
    resumed: int = 0
    overtaken: int = 0

    def commit(self, writer: int, seq: int, unit: list[AnyEvent]) -> None:
        fresh = [(event.t, writer, seq, place, event) for place, event in enumerate(unit)]
        self.new += fresh
        self.entries += fresh

    def rows(self) -> Rows:
        try:
            grown = grow(PATH, self.cut, sorted(self.new, key=lambda entry: entry[:4]))
            self.resumed += self.cut is not None
        except OvertakenError:
            self.overtaken += 1
            self.kept, self.cut, self.new = [], None, [*self.entries]
            grown = grow(PATH, None, self.new)
        rows = rows_of([*self.kept, *grown.settled, *grown.fresh])
        if grown.cut is not None:
            self.kept += grown.settled
            self.cut = msgspec.msgpack.decode(msgspec.msgpack.encode(grown.cut), type=Cut)
            self.new = []
        return rows

    def anew(self) -> Rows:
        events = [entry[4] for entry in sorted(self.entries, key=lambda entry: entry[:4])]
        return rows_of(race_batches(RaceLog(PATH, events, LogReport())))


def writers_events() -> list[list[AnyEvent]]:
    """Return what each writer of a race with every kind of row would record, in time order."""
    conductor: list[AnyEvent] = [
        *RACE.race_events(), Control(t=900 * MS, what="go", by="plan"), Mark(t=1_200 * MS, label="here", by="user"),
        *(
            GpuSamples(t=t * MS, source="nvml", device=t // 100 % 2, d=[0, 40 * MS], mem_used_mib=[90.0, 99.0], mem_total_mib=[100.0, 100.0])
            for t in range(950, 2_400, 100)
        ),
        *(HostSamples(t=t * MS, process="host", d=[0, 50 * MS], cpu_pct=[5.0, 6.0], rss_mib=[1.0, 1.0]) for t in range(1_000, 2_400, 300)),
    ]  # fmt: skip
    lanes = []
    for lane, plan in enumerate(RACE.plans):
        readings = [
            recorder_readings(plan.engine, start_ms=float(start), rows=3, cpu_pct=[99.0, 10.0, 95.0])
            for start in range(1_000, 2_200, 300)
        ]
        lanes.append([*RACE.lane_events(lane), *readings])
    return [sorted(events, key=lambda event: event.t) for events in (conductor, *lanes)]


@settings(max_examples=12, deadline=None)
@given(chance=st.randoms(use_true_random=False), units=st.integers(4, 20), late=st.booleans())
def test_every_question_on_a_growing_race_gives_the_rows_of_the_race_read_anew(chance, units, late):
    events = writers_events()
    asked = Asked()
    for writer in range(len(events)):
        head: list[AnyEvent] = [RACE.head(writer + 1)]
        asked.commit(writer + 1, 0, head)
    cuts = [sorted(chance.sample(range(1, len(own)), min(units, len(own) - 1))) for own in events]
    pieces = [
        (own[start:end][-1].t if not late else chance.random(), writer, number, own[start:end])
        for writer, (own, ends) in enumerate(zip(events, cuts, strict=True), 1)
        for number, (start, end) in enumerate(zip([0, *ends], [*ends, len(own)], strict=True), 1)
    ]
    seen = dict.fromkeys(range(1, 4), 0)
    by_name = {(writer, number): unit for _, writer, number, unit in pieces}
    for _, writer, _, _ in sorted(pieces, key=lambda piece: piece[:3]):
        seen[writer] += 1
        asked.commit(writer, seen[writer], by_name[writer, seen[writer]])
        if chance.random() < 0.7:
            assert asked.rows() == asked.anew()


def test_a_race_whose_writers_keep_in_step_is_told_on_and_not_anew():
    asked = Asked()
    numbered = [(event.t, writer, event) for writer, own in enumerate(writers_events(), 1) for event in own]
    for seq, (_, writer, event) in enumerate(sorted(numbered, key=lambda one: one[:2])):
        asked.commit(writer, seq, [event])
        if seq % 5 == 0:
            assert asked.rows() == asked.anew()
    assert asked.cut is not None
    assert asked.resumed > 10
    assert asked.overtaken <= 2


def test_rules_that_look_back_beyond_the_cut_say_what_they_would_have_said(monkeypatch):
    """A minute with a stall: throughput falls, one answer is late, and the GPU was full when it was last heard of."""
    monkeypatch.setattr(advance, "SILENT_NS", 1_000 * MS)
    race = ScriptedRace(
        [Plan("a", gap_ms=100, requests=30, tokens=12), Plan("b", gap_ms=50, requests=50, tokens=14)]
    )
    stall = 26_200 * MS  # between a request and its first token
    late: list[AnyEvent] = [
        replace(event, t=event.t + 9_000 * MS) if event.t > stall else event for event in race.lane_events(0)
    ]
    gpu: list[AnyEvent] = [
        GpuSamples(
            t=t * 1_000 * MS, source="nvml", device=0, d=[0], mem_used_mib=[99.0], mem_total_mib=[100.0]
        )
        for t in range(1, 16, 3)
    ]
    asked = Asked()
    told = [
        (event.t, writer, event)
        for writer, own in enumerate((late, race.lane_events(1), gpu), 2)
        for event in own
    ]
    asked.commit(1, 0, [race.head(), *race.race_events()])
    for seq, (_, writer, event) in enumerate(sorted(told, key=lambda one: one[:2])):
        asked.commit(writer, seq, [event])
        if seq % 11 == 0:
            assert asked.rows() == asked.anew()

    rows = asked.rows()
    assert rows == asked.anew()
    assert {"'throughput-drop'", "'outlier'"} <= {
        word for row in rows["anomalies"] for word in row.split(", ")
    }
    assert any("GPU 0 memory was 99.0 % full" in row for row in rows["anomalies"])
    assert asked.overtaken == 0
    assert asked.resumed > 30


def half_way() -> Asked:
    """Return a race that was asked about as of 1.6 s: requests of both lanes have ended, others are under way."""
    asked = Asked()
    for writer, own in enumerate(writers_events(), 1):
        asked.commit(
            writer, 0, [event for event in own if event.t + sum(getattr(event, "d", [])) <= 1_600 * MS]
        )
    asked.rows()
    return asked


BELONGS_BEFORE: list[AnyEvent] = [
    RACE.head(9),
    *RACE.race_events()[1:5],
    LaneStart(t=1_700 * MS, lane=0),
    LaneFacts(t=1_700 * MS, lane=2, engine="c", model="m", url=""),
    LaneEnd(t=1_200 * MS, lane=0, status="died"),
    Tokens(t=1_300 * MS, lane=0, r=[2], d=[0], x=["late"]),
    Tokens(t=1_700 * MS, lane=0, r=[0], d=[0], x=["of a request that has ended"]),
    Tokens(t=1_700 * MS, lane=7, r=[0], d=[0], x=["of a lane nobody knows"]),
    Tokens(t=1_800 * MS, lane=7, r=[], d=[], x=[]),
    RequestScheduled(t=1_700 * MS, lane=0, req=0, prompt=0),
    RequestScheduled(t=1_200 * MS, lane=0, req=50, prompt=0),
    RequestEnd(t=1_700 * MS, lane=1, req=0, status="failed"),
    Usage(t=1_700 * MS, lane=0, req=0, output_tokens=1),
    GpuSamples(t=1_200 * MS, source="nvml", device=0, d=[0]),
    recorder_readings("a", start_ms=1_250.0, rows=1),
    Control(t=1_100 * MS, what="pause", by="user"),
    HostSamples(t=1_000 * MS, process="host", d=[0], cpu_pct=[1.0], rss_mib=[2.0]),
    EngineSamples(t=1_000 * MS, lane=0, source="prometheus", d=[0], running=[3.0]),
]


@pytest.mark.parametrize("event", BELONGS_BEFORE, ids=lambda event: f"{type(event).__name__} {event.t // MS}")
def test_what_settled_rows_could_speak_of_has_the_race_told_from_its_start(event):
    asked = half_way()
    asked.commit(9, 1, [event])

    assert asked.rows() == asked.anew()
    assert asked.overtaken == 1


def test_a_second_send_of_a_request_under_way_has_the_race_told_from_its_start():
    asked = half_way()
    assert asked.cut is not None
    (lane, (request, *_)) = next((lane, sent) for lane, sent in asked.cut.sent.items() if sent)
    asked.commit(9, 1, [RequestSent(t=1_700 * MS, lane=lane, req=request, connection="reopened")])

    assert asked.rows() == asked.anew()
    assert asked.overtaken == 1


@pytest.mark.parametrize(
    "event",
    [
        Mark(t=1_100 * MS, label="told late", by="user"),
        Prompt(t=1_700 * MS, prompt=77, messages=[{"role": "user", "content": "New?"}]),
        HostSamples(t=1_000 * MS, process="telemetry", d=[0], cpu_pct=[1.0], rss_mib=[2.0]),
        Gap(t=1_100 * MS, lane=0, chunks=3, reason="full"),
        RequestScheduled(t=1_700 * MS, lane=0, req=50, prompt=77),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_no_settled_row_speaks_of_is_told_on(event):
    asked = half_way()
    asked.commit(9, 1, [event])

    assert asked.rows() == asked.anew()
    assert asked.overtaken == 0
    assert asked.resumed == 1


def live_units(flush_ns: int = 500 * MS) -> list[tuple[int, int, list[AnyEvent]]]:
    """Return (end, writer, events) of a real race as its recorder would have committed it."""
    by_flush: dict[tuple[int, int], list[AnyEvent]] = {}
    for event in open_log(DEMO).events:
        if isinstance(event, Head | Finish | Unknown):
            continue
        lane = None if isinstance(event, LaneFacts) else lane_of(event)
        start, last = event.t, event.t + sum(getattr(event, "d", []))
        while start <= last:
            end = (start // flush_ns + 1) * flush_ns
            if (part := part_between(event, start, end)) is not None:
                by_flush.setdefault((end, 1 if lane is None else lane + 2), []).append(part)
            start = end
    return [(*key, by_flush[key]) for key in sorted(by_flush)]


class Recording:
    """A directory that grows, unit by unit, in a home."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "races" / f"{RACE_ID}.live"
        self.folder.mkdir(parents=True)
        self._writers: dict[int, SegmentWriter] = {}

    def commit(self, writer: int, events: list[AnyEvent]) -> None:
        if writer not in self._writers:
            head = Head(t=0, race_id=RACE_ID, writer=f"{writer:016x}", role="lane", mono_origin_ns=5)
            self._writers[writer] = SegmentWriter(self.folder / f"{writer}.rlog", head)
        self._writers[writer].commit(events)

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()

    def finish(self) -> None:
        for writer in self._writers.values():
            writer.finish(60_000 * MS)


@pytest.fixture
def recording(home):
    made = Recording(home)
    yield made
    made.close()


@pytest.fixture
def onward(monkeypatch):
    """Return a list that grows by how many events each question reads from the log."""
    read: list[int] = []

    def counted(*args):
        found = read_onward(*args)
        read.append(len(found.entries))
        return found

    monkeypatch.setattr(store, "read_onward", counted)
    return read


def record(recording: Recording, units: list[tuple[int, int, list[AnyEvent]]]) -> None:
    for _, writer, events in units:
        recording.commit(writer, events)


def test_a_real_race_gives_the_rows_of_the_race_read_anew_at_every_question(home, recording, onward):
    units = live_units()
    for start in range(0, len(units), 60):
        record(recording, units[start : start + 60])

        assert everything(racelog.connect()) == everything(racelog.connect(cache=False))

    assert len(onward) == len(range(0, len(units), 60))


COUNTS = """
from racelog.views.story.rules import comment

class Counts:
    def __init__(self):
        self.ends = 0

    def step(self, beat, book):
        self.ends += beat.kind == "end"
        return [comment(beat, book, "acme", f"end {self.ends}")] if beat.kind == "end" else []
"""


def test_a_rule_of_another_package_tells_a_growing_race_as_it_tells_one_read_anew(home, recording, install):
    units = live_units()
    half = len(units) // 2
    record(recording, units[:half])
    racelog.connect()  # without the rule, which keeps a part
    install("acme", COUNTS, "[racelog.rules]\ncounts = acme_module:Counts\n")
    plugins.forget()
    for part in (units[half:-3], units[-3:]):
        record(recording, part)
        grown = racelog.connect()

        assert everything(grown) == everything(racelog.connect(cache=False))
        told = grown.execute("select text from commentary where key = 'acme' order by position_s").fetchall()
        assert told == [(f"end {count}",) for count in range(1, len(told) + 1)]
        assert told


def test_a_question_reads_what_is_new_and_nothing_else(home, recording, onward):
    units = live_units()
    record(recording, units[:-3])
    racelog.connect()
    record(recording, units[-3:])

    racelog.connect()

    assert onward[1] == sum(len(events) for _, _, events in units[-3:])


def _zeroed(path):
    """What a power failure may leave of a file: its size."""
    path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "state").write_bytes(b"not a state"),
        lambda folder: (folder / "state").write_bytes((folder / "state").read_bytes()[:-1]),
        lambda folder: (folder / "state").unlink(),
        lambda folder: shutil.rmtree(next(folder.glob("part-*"))),
        lambda folder: next(folder.glob("part-*/tokens.parquet")).write_bytes(b"PAR1"),
        lambda folder: _zeroed(next(folder.glob("part-*/tokens.parquet"))),
        shutil.rmtree,
        lambda folder: shutil.rmtree(folder.parent),
    ],
)
def test_what_was_kept_and_is_harmed_or_deleted_is_made_again(home, recording, harm):
    record(recording, live_units())
    before = everything(racelog.connect())
    harm(next(home.glob("cache/v*/*-growing")))

    assert everything(racelog.connect()) == before
    assert everything(racelog.connect()) == before


def test_a_writer_killed_between_a_part_and_the_state_leaves_the_state_before(home, recording, monkeypatch):
    units = live_units()
    record(recording, units[:-60])
    racelog.connect()
    folder = next(home.glob("cache/v*/*-growing"))
    state = (folder / "state").read_bytes()
    shutil.copytree(next(folder.glob("part-*")), folder / "part-of-a-process-that-died")
    (folder / ".partial-of-it").write_bytes(state[:100])
    record(recording, units[-60:])

    assert everything(racelog.connect()) == everything(racelog.connect(cache=False))

    for path in folder.iterdir():
        os.utime(path, (1, 1))
    monkeypatch.setattr("racelog.query.cache.cache.GRACE_S", 3600)
    recording.commit(1, [Mark(t=57_000 * MS, label="late")])
    assert everything(racelog.connect()) == everything(racelog.connect(cache=False))


def test_parts_are_joined_as_they_come_and_swept_once_nobody_can_be_reading_them(
    home, recording, monkeypatch
):
    monkeypatch.setattr("racelog.query.cache.cache.GRACE_S", -1)
    units = live_units()
    for start in range(0, len(units), 40):
        record(recording, units[start : start + 40])
        racelog.connect()

    folder = next(home.glob("cache/v*/*-growing"))
    state = GrowingRace(folder, recording.folder).state()

    assert state is not None
    assert {path.name for path in folder.glob("part-*")} == set(state.parts)
    assert len(state.parts) <= 4
    assert everything(racelog.connect()) == everything(racelog.connect(cache=False))


def test_questions_at_once_agree(home, recording):
    units = live_units()
    record(recording, units[:100])
    racelog.connect()
    record(recording, units[100:])
    found: list[Rows] = []
    askers = [
        threading.Thread(target=lambda: found.append(everything(load_races().connection))) for _ in range(3)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()

    assert found == [everything(racelog.connect(cache=False))] * 3
    assert everything(racelog.connect()) == found[0]


def test_a_race_that_finishes_is_cached_as_any_other(home, recording):
    record(recording, live_units())
    racelog.connect()
    recording.finish()

    after = everything(racelog.connect())

    assert after == everything(racelog.connect(cache=False))
    assert len(list(home.glob("cache/v*/*/entry.json"))) == 1


def test_a_torn_tail_is_told_as_ever(home, recording):
    record(recording, live_units())
    racelog.connect()
    with (recording.folder / "1.rlog").open("ab") as file:
        file.write(b"torn")

    assert racelog.connect().execute("select damaged_bytes from races").fetchall() == [(4,)]


def test_a_file_that_was_replaced_is_read_anew(home, recording):
    record(recording, live_units())
    racelog.connect()
    file = recording.folder / "2.rlog"
    units = [found for found in scan_file(file) if isinstance(found, Unit)]
    data = file.read_bytes()
    file.unlink()
    file.write_bytes(data[: units[-20].end])

    assert everything(racelog.connect()) == everything(racelog.connect(cache=False))


def test_a_cache_that_cannot_be_written_is_told_and_all_rows_are_there(home, recording):
    record(recording, live_units())
    (home / "cache").write_text("in the way")

    loaded = load_races()

    assert [problem[:17] for problem in loaded.problems] == ["nothing is cached"]
    assert everything(loaded.connection) == everything(racelog.connect(cache=False))


def test_only_known_classes_are_stored_and_made_again():
    with pytest.raises(GraphError, match="Mark is not stored"):
        packed([Mark(t=1, label="a")], {})
    with pytest.raises(GraphError, match="not whole"):
        unpacked(["Path", {}], {})


def test_an_object_met_twice_is_one_object_when_it_is_read_back():
    said = Tokens(t=0, lane=0, r=[], d=[], x=[])
    value = {("a", 1): [said, said], "set": {1, 2}}

    back = unpacked(packed(value, {id(said): "it"}), {"it": said})

    assert back == value
    assert back["a", 1][0] is said
