"""`racelog.open`: asking for a part gives that part of the whole, in order, and reads no more than it must."""

import itertools
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import racelog
from racelog.errors import InputError, LogError, NotALog
from racelog.events import AnyEvent, LaneFacts, RequestEnd, RequestSent, Tokens
from racelog.log.format.codec import encode_events
from racelog.log.read.library import Log
from racelog.log.read.reader import open_log
from racelog.log.read.stream import LogStream
from racelog.log.rewrite.seal import seal
from racelog.log.rows.rows import facts_of, lane_of
from racelog.log.rows.window import part_between
from racelog.testing.races import Plan, ScriptedRace
from tests.core.log.bytes_of import race_bytes
from tests.core.strategies import any_events

RACE = ScriptedRace([Plan("a", requests=3, tokens=8), Plan("b", requests=3, tokens=8, fail=(1,))])


@pytest.fixture
def live(tmp_path: Path) -> Path:
    return RACE.write_segments(tmp_path / "race.live", per_unit=2)


def lines(events) -> list[bytes]:
    return [encode_events([event]) for event in events]


def facts(events: list[AnyEvent]) -> list[tuple[int, str]]:
    return sorted((fact.t, repr(fact)) for event in events for fact in facts_of(event))


def test_selecting_everything_gives_every_event_in_order(live: Path) -> None:
    assert lines(open_log(live).events) == lines(racelog.open(live).select())


def test_a_sealed_file_gives_every_event_in_order(live: Path, tmp_path: Path) -> None:
    path = seal(live, tmp_path / "race.rlog")

    assert lines(open_log(path).events) == lines(racelog.open(path).select())


def test_segments_put_together_twice_give_every_event_once(live: Path, tmp_path: Path) -> None:
    whole = tmp_path / "cat.rlog"
    whole.write_bytes(2 * b"".join(file.read_bytes() for file in sorted(live.iterdir())))

    assert lines(open_log(live).events) == lines(racelog.open(whole).select())


@given(start=st.integers(-10, 500), length=st.integers(0, 300))
def test_a_stretch_holds_the_facts_of_its_instants_and_no_others(
    tmp_path_factory: pytest.TempPathFactory, start: int, length: int
) -> None:
    path = RACE.write_segments(tmp_path_factory.mktemp("log") / "race.live", per_unit=2)
    start_ns, end_ns = start * 1_000_000, (start + length) * 1_000_000

    with racelog.open(path) as log:
        part = list(log.select(start_ns=start_ns, end_ns=end_ns))

    assert [fact for fact in facts(open_log(path).events) if start_ns <= fact[0] < end_ns] == facts(part)
    assert sorted(part, key=lambda event: event.t) == part


@given(any_events, st.integers(-(1 << 41), 1 << 60), st.integers(-(1 << 41), 1 << 60))
def test_the_parts_of_an_event_are_the_event(event: AnyEvent, first: int, second: int) -> None:
    low, high = sorted((first, second))
    edges = [-(1 << 63), low, high, 1 << 63]
    parts = [part_between(event, start, end) for start, end in itertools.pairwise(edges)]

    assert facts([event]) == facts([part for part in parts if part is not None])


@pytest.mark.parametrize("lane", [1, "b"])
def test_a_lane_is_selected_by_number_or_name(live: Path, lane: int | str) -> None:
    expected = [event for event in open_log(live).events if lane_of(event) == 1]

    assert lines(expected) == lines(racelog.open(live).select(lane=lane))


def test_an_unknown_lane_is_a_mistake_told_at_once(live: Path) -> None:
    with pytest.raises(InputError, match=r"no lane 'c' in .*; there are 'a' \(0\), 'b' \(1\)"):
        racelog.open(live).select(lane="c")


def test_a_kind_is_selected_by_its_type(live: Path) -> None:
    log = racelog.open(live)

    assert list(open_log(live).of(RequestEnd)) == list(log.select(kind=RequestEnd))
    assert list(open_log(live).of(RequestSent)) == list(log.of(RequestSent))
    assert open_log(live).first(Tokens) == log.first(Tokens)


def test_the_race_and_its_lanes_are_told(live: Path) -> None:
    log = racelog.open(live)

    assert log.race is not None
    assert (
        log.race.name,
        {number: facts.engine for number, facts in log.lanes.items()},
    ) == ("scripted", {0: "a", 1: "b"})
    assert {facts.lane: facts for facts in open_log(live).of(LaneFacts)} == log.lanes


def test_events_and_report_are_those_of_reading_everything(live: Path) -> None:
    log, whole = racelog.open(live), open_log(live)

    assert (whole.events, whole.report) == (log.events, log.report)
    assert (min(event.t for event in whole.events), log.index.end_ns) == (log.start_ns, log.end_ns)


def test_what_is_not_asked_for_is_not_read(tmp_path: Path) -> None:
    data = bytearray(race_bytes(RACE, per_unit=2))
    data[-200] ^= 1
    path = tmp_path / "race.rlog"
    path.write_bytes(data)
    log = racelog.open(path)

    list(log.select(end_ns=1))
    before = list(log.damage)
    list(log.select())
    list(log.select())

    assert ([], log.report.damage) == (before, log.damage)


def test_a_race_sealed_after_it_was_opened_is_still_read(live: Path, tmp_path: Path) -> None:
    before = lines(open_log(live).events)
    log = racelog.open(live)
    seal(live, tmp_path / "race.rlog")

    assert before == lines(log.select())


def test_a_race_sealed_before_it_was_opened_is_read_from_its_file(live: Path, tmp_path: Path) -> None:
    sealed = seal(live, tmp_path / "race.rlog")

    assert sealed == racelog.open(live).path


def test_a_path_without_a_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "race.live").mkdir()

    with pytest.raises(NotALog):
        Log(tmp_path / "race.live")


def test_a_stream_gives_the_events_of_its_units_as_they_come(live: Path) -> None:
    data = b"".join(file.read_bytes() for file in sorted(live.iterdir()))

    stream = LogStream(BytesIO(data + data))

    assert sorted(lines(open_log(live).events)) == sorted(lines(stream))
    assert (len(data) * 2, stream.report.units) == (stream.report.bytes, stream.report.duplicate_units)


def test_a_stream_reports_what_it_could_not_read(live: Path) -> None:
    stream = LogStream(BytesIO((live / "lane-0.rlog").read_bytes()[:-1]), "stdin")

    list(stream)

    assert [(item.file, item.reason) for item in stream.report.damage] == [
        ("stdin", "not committed: no trailer follows")
    ]


def test_a_stream_without_a_unit_is_refused() -> None:
    with pytest.raises(NotALog, match="stdin is not a racelog log"):
        list(LogStream(BytesIO(b"hello"), "stdin"))


def test_a_stream_that_cannot_be_read_is_a_log_error() -> None:
    class Broken(BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(LogError, match="cannot read stdin: Input/output error"):
        list(LogStream(Broken(), "stdin"))
