"""What is shown live at an instant is what a replay shows of that instant, at 100 random ones."""

from bisect import bisect_left
from operator import attrgetter
from pathlib import Path
from random import Random

import msgspec

from racelog.events import AnyEvent, RaceFacts, Tokens
from racelog.log.read.follow import LogFollower
from racelog.log.read.reader import open_log
from racelog.log.rows.chunks import chunk_rows, columns
from racelog.log.write.segment import SegmentWriter
from racelog.replay.race import RaceTracks, Replay, state_at
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.race import race_view

time_of = attrgetter("t")
FLUSH_NS = 250_000_000
REAL = Path(__file__).parents[2] / "bench" / "corpus" / "smollm2-vllm.rlog"


def leaderboard(replay: Replay) -> bytes:
    """Return all a view says of the lanes and their places; how long the race will be is not known live."""
    view = race_view(replay)
    return msgspec.json.encode((view.position_s, view.standings, view.lanes))


def grown(events: list[AnyEvent], directory: Path, head: ScriptedRace) -> list[tuple[int, bytes]]:
    """Record ``events`` flush by flush, follow them, and return the leaderboard at 100 instants as it was live."""
    directory.mkdir()
    end = max(event.t for event in events)
    pending = sorted(Random(5).randrange(end - 10**9) for _ in range(100))
    follower, tracks, seen = LogFollower(directory), RaceTracks(), []
    replay, written = Replay(tracks), 0
    race_id = next(event.race_id for event in events if isinstance(event, RaceFacts))
    own = msgspec.structs.replace(head.head(), race_id=race_id)
    with SegmentWriter(directory / "lane-0.rlog", own) as writer:
        for flush in range(0, end + FLUSH_NS, FLUSH_NS):
            written, before = bisect_left(events, flush + FLUSH_NS, written, key=time_of), written
            if fresh := events[before:written]:
                writer.commit(fresh)
            tracks.extend(follower.poll())
            start = min((track.start_ns for track in tracks.lanes.values() if track.start_ns), default=0)
            while pending and pending[0] + start < flush + FLUSH_NS:
                replay.seek(pending[0])
                seen.append((pending.pop(0), leaderboard(replay)))
        writer.finish(end)
    return seen


def test_a_hundred_instants_of_a_scripted_race(tmp_path: Path) -> None:
    plans = [
        Plan("a", ttft_ms=81, gap_ms=11, requests=30, fail=(4,)),
        Plan("b", ttft_ms=79, gap_ms=13, requests=30),
    ]
    race = ScriptedRace(plans)
    events = chunk_by_chunk(race.events())
    whole = RaceTracks(events)
    seen = grown(events, tmp_path / "race.live", race)
    assert len(seen) == 100
    assert [board for _, board in seen] == [leaderboard(state_at(whole, at)) for at, _ in seen]


def test_a_hundred_instants_of_a_real_race(tmp_path: Path) -> None:
    events = chunk_by_chunk(open_log(REAL).events)
    whole = RaceTracks(events)
    seen = grown(events, tmp_path / "race.live", ScriptedRace([]))
    assert len(seen) == 100
    assert [board for _, board in seen] == [leaderboard(state_at(whole, at)) for at, _ in seen]


def chunk_by_chunk(events: list[AnyEvent]) -> list[AnyEvent]:
    """Return the events in time order, each chunk one of its own, so that a flush may cut anywhere."""
    single: list[AnyEvent] = []
    for event in events:
        if isinstance(event, Tokens):
            single += [columns(event.lane, [row]) for row in chunk_rows(event)]
        else:
            single.append(event)
    return sorted(single, key=lambda event: event.t)
