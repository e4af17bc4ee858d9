"""A lane's badge and what is wrong with it: never green where an engine fails, and every kind of error by name."""

import pytest
from msgspec.structs import replace

from racelog.events import LaneEnd
from racelog.replay.playhead import Playhead
from racelog.replay.race import RaceTracks
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.race import LaneView, RaceView
from racelog_player.controller.player import Player
from racelog_player.panes.lanes import badge, lanes_pane, troubles
from racelog_player.terminal.style import Look
from tests.player.theatre import Still


def race_of(*plans: Plan) -> RaceView:
    events = [event for event in ScriptedRace(list(plans)).events() if not isinstance(event, LaneEnd)]
    return Player(Still(RaceTracks(events)), Playhead(10**12, 0, paused=True)).scene(0).race


def lane_of(fail: range | tuple[int, ...] = ()) -> LaneView:
    return race_of(Plan("a", requests=40, fail=tuple(fail))).lanes[0]


def troubled(**changes: object) -> LaneView:
    return replace(lane_of(), **changes)


def words(line: object) -> str:
    return "".join(span.text for span in line).strip()  # type: ignore[attr-defined]  # a line of spans


@pytest.mark.parametrize(
    ("fail", "text", "color"),
    [
        ((), "● racing", "good"),
        (range(37, 40), "! errors", "warn"),
        (range(20, 40), "✗ failing", "bad"),
    ],
)
def test_a_badge_says_by_word_sign_and_colour_how_a_lane_fares(
    fail: range | tuple[int, ...], text: str, color: str
) -> None:
    shown = badge(lane_of(fail))

    assert (shown.text, shown.style.fg) == (text, color)


def test_a_lane_that_finished_with_failures_has_no_green_tick() -> None:
    over = troubled(status="finished", condition="failing", condition_word="failing", ok=69, failed=181)

    assert (badge(over).text, badge(over).style.fg) == ("✗ 72.4 % failed", "bad")


ERRORS = {"refused": 150, "http": 30, "first_token_timeout": 1}


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (0, "181 failed: 150 refused, 30 http, 1 first_token_timeout  3 slow"),
        (1, "150 refused, 30 http, 1 first_token_timeout  3 slow"),
        (2, "150 refused +2 kinds  3 slow"),
        (3, "181 failed  3 slow"),
        (4, "181 failed"),
    ],
)
def test_errors_are_told_by_every_kind_as_long_as_there_is_room(form: int, told: str) -> None:
    assert words(troubles(troubled(failed=181, errors=ERRORS, slow=3))[form]) == told


def test_one_kind_of_error_is_named_without_its_count_again() -> None:
    assert words(troubles(troubled(failed=2, errors={"http": 2}))[0]) == "2 failed: http"


def test_slow_answers_are_counted_where_nothing_failed() -> None:
    assert words(troubles(troubled(slow=4))[0]) == "4 slow"


@pytest.mark.parametrize("columns", [60, 80, 100, 120, 200])
@pytest.mark.parametrize("per_lane", [1, 2])
def test_how_many_failed_is_never_left_out(columns: int, per_lane: int) -> None:
    race = race_of(Plan("an engine with a long name"))
    lane = replace(
        race.lanes[0], failed=181, errors=ERRORS, slow=12, requests_done=9_999, target_requests=9_999
    )
    drawn = lanes_pane(changed_race(race, lane), Look(), columns, per_lane)
    text = "\n".join(words(line) for line in drawn)

    assert "181 failed" in text or "150 refused" in text or columns < 80


def changed_race(race: RaceView, lane: LaneView) -> RaceView:
    return replace(race, lanes=[lane])


def test_a_lane_in_one_row_keeps_percent_and_rates_at_80_columns() -> None:
    lane = replace(
        race_of(Plan("engine-0")).lanes[0], requests_done=10, target_requests=20, requests_per_s=1.1
    )
    (line,) = lanes_pane(changed_race(race_of(Plan("engine-0")), lane), Look(), 80, 1)

    assert all(word in words(line) for word in ("%", "10/20", "1.10 req/s", "tok/s"))
