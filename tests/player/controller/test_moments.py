"""Going back from moment to moment while the race plays on."""

from pathlib import Path

import pytest

from racelog.replay.playhead import Playhead
from racelog_player.playback.playback import Playback
from racelog_player.playback.source import PastRace

SECOND = 1_000_000_000


@pytest.fixture
def playback(log: Path) -> Playback:
    """Playback near the end of a race, playing."""
    source = PastRace(log)
    return Playback(source, Playhead(source.tracks.duration_ns() - SECOND // 10, 0))


def gone_back(playback: Playback, *presses_s: float) -> list[int]:
    found = []
    for at_s in presses_s:
        now_ns = int(at_s * SECOND)
        playback.jump(now_ns, forward=False)
        found.append(playback.position_ns(now_ns))
    return found


@pytest.mark.parametrize("speed", [0.5, 1.0, 8.0])
def test_pressed_at_ease_it_goes_back_one_moment_further_each_time(playback: Playback, speed: float) -> None:
    playback.playhead = Playhead(playback.playhead.anchor_ns, 0, speed)
    first, *found = gone_back(playback, 0.0, 2.0, 4.0, 6.0)
    earlier = sorted({one.position_ns for one in playback.moments() if one.position_ns < first}, reverse=True)
    assert found == earlier[:3]


def test_who_has_watched_on_for_a_while_sees_the_same_moment_again(playback: Playback) -> None:
    playback.seek(2 * SECOND, 0)
    first, again = gone_back(playback, 0.0, 5.5)
    assert again >= first


def test_a_seek_in_between_makes_the_next_press_go_from_there(playback: Playback) -> None:
    gone_back(playback, 0.0)
    end_ns = playback.source.tracks.duration_ns()
    playback.seek(end_ns, SECOND)
    (found,) = gone_back(playback, 1.0)
    assert found == max(
        one.position_ns for one in playback.moments() if one.position_ns < end_ns - SECOND // 2
    )
