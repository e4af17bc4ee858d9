"""The readings behind the verdict on the recorder: the same by any route, late ones in their place."""

from hypothesis import given
from hypothesis import strategies as st

from racelog.events import HostSamples
from racelog.replay.race import RaceTracks, Replay
from racelog.views.evidence.readings import Readings, health_view
from tests.player.theatre import SECOND, theatre


@given(st.lists(st.integers(0, 30 * SECOND), min_size=1, max_size=6))
def test_readings_gathered_on_the_way_are_those_gathered_anew(positions: list[int]) -> None:
    replay, readings = Replay(RaceTracks(theatre())), Readings()
    for position in positions:
        replay.seek(position)
        assert readings.view(replay) == health_view(replay)


def test_readings_of_a_growing_log_are_those_of_the_whole() -> None:
    events = theatre()
    tracks = RaceTracks(events[:200])
    replay, readings = Replay(tracks), Readings()
    replay.seek(20 * SECOND)
    readings.view(replay)
    tracks.extend(events[200:])
    replay.seek(21 * SECOND)
    whole = Replay(RaceTracks(events))
    whole.seek(21 * SECOND)
    assert readings.view(replay) == health_view(whole)


def test_a_batch_that_comes_late_is_put_in_its_place() -> None:
    early, late = (
        HostSamples(t=second * SECOND, process="p", d=[0], cpu_pct=[cpu], rss_mib=[None])
        for second, cpu in ((2, 20.0), (1, 10.0))
    )
    tracks = RaceTracks([*theatre(), early])
    replay, readings = Replay(tracks), Readings()
    replay.seek(3 * SECOND)
    readings.view(replay)
    tracks.extend([late])
    assert [one.history for one in readings.view(replay).processes if one.process == "p"] == [[10.0, 20.0]]
