"""A log read while it grows: every event once, whenever one looks."""

from functools import partial
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.events import AnyEvent, Mark
from racelog.log.format.codec import encode_events
from racelog.log.read.follow import LogFollower
from racelog.log.read.reader import open_log
from racelog.log.rewrite.seal import seal
from racelog.testing.races import Plan, ScriptedRace
from tests.core.log.bytes_of import race_bytes, unit

RACE = ScriptedRace([Plan("a", requests=2, tokens=3), Plan("b", requests=2, tokens=3)])
BYTES = race_bytes(RACE)


def lines(events: list[AnyEvent]) -> list[bytes]:
    return sorted(encode_events([event]) for event in events)


@given(st.lists(st.integers(0, len(BYTES)), max_size=15))
def test_polls_at_any_moments_see_every_event_exactly_once(
    tmp_path_factory: pytest.TempPathFactory, moments: list[int]
) -> None:
    path = tmp_path_factory.mktemp("log") / "a.rlog"
    follower = LogFollower(path)
    seen = []
    written = 0
    for moment in [*sorted(moments), len(BYTES)]:
        with path.open("ab") as file:
            file.write(BYTES[written:moment])
        written = moment
        seen += follower.poll()

    assert lines(open_log(path).events) == lines(seen)
    assert follower.poll() == []


def test_nothing_is_there_before_the_log_is(tmp_path: Path) -> None:
    follower = LogFollower(tmp_path / "later.live")

    assert follower.poll() == []


@pytest.mark.parametrize("limit_bytes", [1, 1 << 20])
def test_polls_of_a_few_bytes_each_come_to_the_end_of_what_is_there(tmp_path: Path, limit_bytes: int) -> None:
    follower = LogFollower(RACE.write_segments(tmp_path / "race.live"))
    polls = list(iter(partial(follower.poll, limit_bytes), []))

    assert lines(open_log(follower.path).events) == lines(list(chain.from_iterable(polls)))
    assert (len(polls) == 1) == (limit_bytes == 1 << 20)


def test_segments_may_appear_at_any_time(tmp_path: Path) -> None:
    whole = RACE.write_segments(tmp_path / "whole")
    growing = tmp_path / "race.live"
    growing.mkdir()
    follower = LogFollower(growing)
    seen = []
    for file in sorted(whole.iterdir(), reverse=True):
        (growing / file.name).write_bytes(file.read_bytes())
        seen += follower.poll()

    assert lines(open_log(whole).events) == lines(seen)
    assert follower.report.units == open_log(whole).report.units


def test_each_poll_is_in_time_order(tmp_path: Path) -> None:
    times = [event.t for event in LogFollower(RACE.write_segments(tmp_path / "race.live")).poll()]

    assert sorted(times) == times


def test_a_torn_tail_that_is_cut_off_and_written_again_is_read_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.rlog"
    first, lost, second = (unit(b'{"k":"mark","t":%d,"label":"x"}\n' % t, seq=t) for t in (0, 1, 2))
    follower = LogFollower(path)
    seen = []
    for content in (first + lost[:-9], first, first + second):
        path.write_bytes(content)
        seen += follower.poll()

    assert [Mark(t=0, label="x"), Mark(t=2, label="x")] == seen


def test_damage_between_units_is_reported_and_the_rest_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.rlog"
    path.write_bytes(unit(seq=0) + b"garbage" + unit(seq=1))
    follower = LogFollower(path)

    assert len(follower.poll()) == 2
    assert [damage.reason for damage in follower.report.damage] == ["no trailer"]


def test_a_race_sealed_under_the_follower_gives_nothing_more(tmp_path: Path) -> None:
    live = RACE.write_segments(tmp_path / "race.live")
    follower = LogFollower(live)
    before = follower.poll()
    seal(live, tmp_path / "race.rlog")

    assert follower.poll() == []
    assert len(before) == follower.report.events
