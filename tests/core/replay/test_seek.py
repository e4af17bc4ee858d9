"""Seeking: by any route to an instant, the same state as a fresh fold to it."""

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from racelog.clock import NS_PER_MS
from racelog.events import AnyEvent, Tokens
from racelog.log.rewrite.join import joined
from racelog.log.rows.chunks import chunk_rows, columns
from racelog.replay.lane import LaneFold
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.race import race_view
from racelog.views.summary import race_summary
from tests.core.log.bytes_of import SMALL_RACE

MILLISECONDS = st.integers(0, 400).map(float)


def plans() -> SearchStrategy[Plan]:
    return st.builds(
        Plan,
        engine=st.sampled_from(["a", "b"]),
        ttft_ms=MILLISECONDS,
        gap_ms=MILLISECONDS,
        requests=st.integers(1, 4),
        tokens=st.integers(1, 6),
        start_ms=MILLISECONDS,
        fail=st.lists(st.integers(0, 3), max_size=2).map(tuple),
    )


races = st.builds(ScriptedRace, st.lists(plans(), min_size=1, max_size=3))
positions = st.integers(0, 8000).map(lambda milliseconds: milliseconds * NS_PER_MS)


def view_bytes(replay: Replay) -> bytes:
    return msgspec.json.encode(race_view(replay))


def fresh(events: list[AnyEvent], position_ns: int) -> bytes:
    replay = Replay(RaceTracks(events))
    replay.seek(position_ns)
    return view_bytes(replay)


def end_bytes(events: list[AnyEvent]) -> tuple[bytes, bytes]:
    replay = Replay(RaceTracks(events))
    summary = msgspec.json.encode(race_summary(replay))
    return summary, view_bytes(replay)


@given(races, st.lists(positions, min_size=1, max_size=8))
def test_any_route_of_seeks_gives_what_a_fresh_fold_gives(race: ScriptedRace, route: list[int]) -> None:
    replay = Replay(RaceTracks(race.events()))

    for position in route:
        replay.seek(position)

        assert view_bytes(replay) == fresh(race.events(), position)


@given(races, st.lists(positions, max_size=4))
def test_any_route_to_the_end_gives_the_same_end(race: ScriptedRace, route: list[int]) -> None:
    replay = Replay(RaceTracks(race.events()))
    for position in route:
        replay.seek(position)

    summary = msgspec.json.encode(race_summary(replay))

    assert (summary, view_bytes(replay)) == end_bytes(race.events())


@given(races, positions, st.integers(0, 1 << 30))
def test_splitting_batches_anywhere_changes_no_view(race: ScriptedRace, position: int, seed: int) -> None:
    split: list[AnyEvent] = []
    for event in race.events():
        if isinstance(event, Tokens):
            rows = chunk_rows(event)
            cut = seed % (len(rows) + 1)
            split += [columns(event.lane, part) for part in (rows[:cut], rows[cut:]) if part]
        else:
            split.append(event)

    assert fresh(split, position) == fresh(race.events(), position)
    assert end_bytes(split) == end_bytes(race.events())


@given(races, positions)
def test_merging_batches_as_sealing_does_changes_no_view(
    tmp_path_factory: pytest.TempPathFactory, race: ScriptedRace, position: int
) -> None:
    from racelog.log.read.reader import open_log  # noqa: PLC0415 - one use

    log = open_log(race.write_file(tmp_path_factory.mktemp("log") / "a.rlog"))

    assert fresh(list(joined(log.events)), position) == fresh(race.events(), position)


@given(races, st.integers(0, 1 << 30), positions)
def test_events_taken_in_any_order_end_in_the_same_view(race: ScriptedRace, seed: int, position: int) -> None:
    shuffled = race.events()
    Random(seed).shuffle(shuffled)

    assert fresh(shuffled, position) == fresh(race.events(), position)
    assert end_bytes(shuffled) == end_bytes(race.events())


@given(races, st.integers(0, 1 << 30), st.integers(1, 7), st.lists(positions, min_size=1, max_size=4))
def test_events_that_arrive_late_while_the_replay_moves_end_in_the_same_view(
    race: ScriptedRace, seed: int, size: int, route: list[int]
) -> None:
    shuffled = race.events()
    Random(seed).shuffle(shuffled)
    tracks = RaceTracks()
    replay = Replay(tracks)
    for turn, start in enumerate(range(0, len(shuffled), size)):
        tracks.extend(shuffled[start : start + size])
        position = route[turn % len(route)]
        replay.seek(position)

    replay.seek(position)

    assert view_bytes(replay) == fresh(race.events(), position)


@given(races, st.integers(1, 9))
def test_a_race_watched_as_it_grows_ends_as_the_race_read_at_once(race: ScriptedRace, size: int) -> None:
    events = race.events()
    tracks = RaceTracks()
    replay = Replay(tracks)
    for start in range(0, len(events), size):
        tracks.extend(events[start : start + size])
        replay.seek_end()

    assert view_bytes(replay) == end_bytes(events)[1]


def test_a_negative_position_is_the_start() -> None:
    replay = Replay(RaceTracks(SMALL_RACE.events()))
    replay.seek(-5)

    assert replay.position_ns == 0
    assert view_bytes(replay) == fresh(SMALL_RACE.events(), 0)


def test_a_fold_never_goes_back() -> None:
    fold = LaneFold(RaceTracks(SMALL_RACE.events()).lanes[0])
    fold.advance(10)

    with pytest.raises(ValueError, match="a fold at 10 ns cannot go back to 9 ns"):
        fold.advance(9)


def test_a_healthy_growing_race_is_never_folded_anew() -> None:
    events = ScriptedRace([Plan("a", requests=1)]).events()
    tracks = RaceTracks(events[:6])
    replay = Replay(tracks)
    replay.seek_end()
    fold = replay.lanes[0]
    for event in events[6:]:
        tracks.extend([event])
        replay.seek(1 << 40)

    assert replay.lanes[0] is fold


def test_a_race_of_no_events_has_a_view_and_a_summary() -> None:
    replay = Replay(RaceTracks())

    assert race_summary(replay).lanes == []
    assert race_view(replay).lanes == []


def test_the_end_of_a_growing_race_is_where_each_lane_was_last_heard_of() -> None:
    race = ScriptedRace([Plan("a", requests=4), Plan("b", start_ms=5000, requests=4)], grid="time-trial")
    known = [event for event in race.events() if event.t <= 5_050_000_000]
    replay = Replay(RaceTracks(known))
    replay.seek_end()

    assert [lane.elapsed_s for lane in race_view(replay).lanes] == [0.96, 0.0]


def test_reloaded_tracks_are_folded_anew() -> None:
    race = ScriptedRace([Plan("a", requests=4)])
    tracks = RaceTracks([event for event in race.events() if event.t <= 1_300_000_000])
    replay = Replay(tracks)
    replay.seek(500_000_000)
    tracks.reload(race.events())
    replay.seek(500_000_000)

    assert race_view(replay) == race_view(_at(race, 500_000_000))


def _at(race: ScriptedRace, position_ns: int) -> Replay:
    replay = Replay(RaceTracks(race.events()))
    replay.seek(position_ns)
    return replay
