"""The page of insights where there are none: it says whether they still come, or why there are none."""

import pytest

from racelog.replay.race import RaceTracks
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.story.engine import story
from racelog_player.panes.pages.insights import insights_pane


@pytest.mark.parametrize(
    ("over", "told"),
    [
        (False, "   the first ones appear after a quarter of the race"),
        (True, "   none: they need a quarter of the race, and 5 answers of an engine"),
    ],
)
def test_a_page_without_insights_says_why(*, over: bool, told: str) -> None:
    short = story(RaceTracks(ScriptedRace([Plan("a", requests=1)]).events()))
    lines = insights_pane(short, 80, 20, 0, over=over)

    assert "".join(span.text for span in lines[2]) == told
