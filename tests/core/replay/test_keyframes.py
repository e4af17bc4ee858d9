"""Any route to an instant gives the same bytes: through keyframes, over them, back and forth, while the log grows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.events import AnyEvent, RequestEnd, Tokens
from racelog.log.read.reader import open_log
from racelog.log.rows.chunks import chunk_rows, columns
from racelog.replay import keyframes
from racelog.replay.keyframes import Keyframes, state_bytes
from racelog.replay.lane import LaneFold
from racelog.replay.race import RaceTracks, Replay, state_at
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.race import race_view

REAL = Path(__file__).parents[2] / "bench" / "corpus" / "smollm2-vllm.rlog"
SECOND = 1_000_000_000


def busy(requests: int = 40) -> ScriptedRace:
    return ScriptedRace(
        [
            Plan("a", ttft_ms=90, gap_ms=7, requests=requests, tokens=5, fail=(3, 9)),
            Plan("b", ttft_ms=60, gap_ms=11, requests=requests, tokens=7, start_ms=1300),
        ]
    )


@pytest.fixture(autouse=True)
def dense(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keyframes so near each other that a small race has many, and so few kept that they are thinned."""
    monkeypatch.setattr(keyframes.Keyframes.__init__, "__defaults__", (8,))
    monkeypatch.setattr(keyframes, "MOST", 6)


POSITIONS = st.integers(0, 12 * SECOND)


@given(st.lists(POSITIONS, min_size=1, max_size=12))
def test_any_route_ends_in_the_bytes_of_a_fresh_fold(route: list[int]) -> None:
    tracks = RaceTracks(busy().events())
    replay = Replay(tracks)
    for position in route:
        replay.seek(position)

    assert replay.state_bytes() == state_at(tracks, route[-1]).state_bytes()
    assert race_view(replay) == race_view(state_at(tracks, route[-1]))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.sampled_from(["start", "first-token", "wall"]))
def test_a_real_log_too_has_one_state_at_each_instant_in_every_alignment(
    route: list[float], align: str
) -> None:
    tracks = RaceTracks(open_log(REAL).events)
    tracks.align = align  # type: ignore[assignment]  # one of its three words
    replay, end = Replay(tracks), tracks.duration_ns()
    for share in route:
        replay.seek(round(share * end))

    assert replay.state_bytes() == state_at(tracks, round(route[-1] * end)).state_bytes()


@given(st.integers(1, 9), POSITIONS)
def test_how_chunks_were_batched_leaves_no_trace(size: int, position: int) -> None:
    whole = busy(8).events()
    rebatched: list[AnyEvent] = []
    for event in whole:
        if isinstance(event, Tokens):
            rows = list(chunk_rows(event))
            rebatched += [columns(event.lane, rows[at : at + size]) for at in range(0, len(rows), size)]
        else:
            rebatched.append(event)
    states = {state_at(RaceTracks(events), position).state_bytes() for events in (whole, rebatched)}

    assert len(states) == 1


@given(st.lists(st.integers(0, 10**6), max_size=8), POSITIONS)
def test_a_log_that_grew_while_it_was_sought_in_ends_as_one_read_whole(
    cuts: list[int], position: int
) -> None:
    events = busy(10).events()
    growing = RaceTracks()
    replay = Replay(growing)
    begin = 0
    for cut in sorted(cut % len(events) for cut in cuts):
        growing.extend(events[begin:cut])
        begin = max(begin, cut)
        replay.seek(position)
        replay.seek(position // 2)
    growing.extend(events[begin:])
    replay.seek(position)

    assert replay.state_bytes() == state_at(RaceTracks(events), position).state_bytes()


def test_keyframes_are_verified_by_a_fold_from_the_start() -> None:
    replay = Replay(RaceTracks(busy().events()))
    replay.seek_end()

    assert [kept.verify() for kept in replay.keyframes.values()] == [[], []]
    assert min(len(kept) for kept in replay.keyframes.values()) > 2


def test_a_keyframe_that_was_tampered_with_is_named() -> None:
    kept = Keyframes(stride=8)
    fold = LaneFold(RaceTracks(busy().events()).lanes[0])
    kept.fold_to(fold, 3 * SECOND)
    kept._kept[1].ok += 1

    assert kept.verify() == [kept._kept[1].position_ns]


def test_a_keyframe_that_something_earlier_overtook_is_not_used() -> None:
    tracks = RaceTracks(busy().events())
    replay = Replay(tracks)
    replay.seek_end()
    tracks.extend([RequestEnd(t=SECOND + 50_000_000, lane=0, req=0, status="failed", error="late")])
    replay.seek(5 * SECOND)

    assert replay.state_bytes() == state_at(tracks, 5 * SECOND).state_bytes()
    assert replay.lanes[0].errors["late"] == 1


def test_a_keyframe_does_not_move_when_the_fold_taken_from_it_does() -> None:
    kept = Keyframes(stride=8)
    kept.fold_to(LaneFold(RaceTracks(busy().events()).lanes[0]), 3 * SECOND)
    before = [state_bytes(frame) for frame in kept._kept]
    taken = kept.nearer(2 * SECOND, 0)
    assert taken is not None
    taken.advance(9 * SECOND)

    assert [state_bytes(frame) for frame in kept._kept] == before


def test_the_state_does_not_depend_on_the_hash_seed() -> None:
    program = (
        "from racelog.log.read.reader import open_log; from racelog.replay.race import RaceTracks, state_at; import sys, hashlib;"
        "print(hashlib.sha256(state_at(RaceTracks(open_log(sys.argv[1]).events), 10**10).state_bytes()).hexdigest())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program, str(REAL)], env={**os.environ, "PYTHONHASHSEED": seed},
            check=True, capture_output=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }  # fmt: skip

    assert len(told) == 1


def test_aligned_at_first_tokens_every_lane_has_its_own_at_one_position() -> None:
    tracks = RaceTracks(busy().events(), align="first-token")
    firsts = {tracks.position_ns(track, track.firsts[0][0]) for track in tracks.lanes.values()}

    assert firsts == {90_000_000}
    assert {track.facts.engine: tracks.origin_ns(track) for track in tracks.lanes.values()} == {
        "a": SECOND, "b": 1_270_000_000,
    }  # fmt: skip


def test_on_the_wall_clock_a_lane_that_started_later_starts_later() -> None:
    tracks = RaceTracks(busy().events(), align="wall")
    replay = state_at(tracks, 200_000_000)

    assert [fold.status for fold in replay.lanes.values()] == ["racing", "waiting"]
