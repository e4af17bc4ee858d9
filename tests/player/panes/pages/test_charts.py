"""Charts: a picture drawn on from the last one is the picture drawn anew; zooming shows the stretch it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.replay.race import RaceTracks, Replay
from racelog.views.series import Series, SeriesView, axis_ns, round_length_ns, series_view, shorter_ns
from racelog_player.controller.player import Player
from racelog_player.film.snapshot import text_of
from racelog_player.panes.pages.axes import Dots, Heights, Plot
from racelog_player.panes.screen import screen
from racelog_player.terminal.style import Look
from tests.player.panes.pages.test_pages import player
from tests.player.theatre import SECOND, theatre

CELLS, ROWS = 10, 3
HEIGHTS = st.lists(st.none() | st.integers(0, ROWS * 4 - 1), max_size=CELLS * 2)


def rows(dots: Dots) -> list[list[tuple[str, str]]]:
    return [dots.row(row) for row in range(ROWS)]


def stretch(shown: Player) -> tuple[float, float]:
    view = shown.scene(0).content
    assert isinstance(view, SeriesView)
    return view.from_s, view.to_s


@given(st.lists(st.tuples(HEIGHTS, HEIGHTS), min_size=1, max_size=6))
def test_curves_drawn_on_from_others_are_those_drawn_anew(frames: list[tuple[Heights, Heights]]) -> None:
    plot = Plot(CELLS, ROWS, ["one", "two"])
    for one, two in frames:
        wide = max(len(one), len(two))
        curves = [[*curve, *[None] * (wide - len(curve))] for curve in (one, two)]
        places = list(range(wide))
        drawn = rows(plot.drawn(places, curves))
        assert drawn == rows(Plot(CELLS, ROWS, ["one", "two"]).drawn(places, curves))


def test_a_steady_slope_is_one_dot_thin() -> None:
    dots = Dots(2, 1, ["c"])
    dots.curve([(0, 0), (3, 3)], 0)
    assert dots.row(0) == [("⡠⠊", "c")]


def test_a_value_alone_is_a_dot() -> None:
    dots = Dots(2, 1, ["c"])
    dots.curve([(2, 0)], 0)
    assert dots.row(0) == [(" ⡀", "c")]


@given(
    st.lists(st.integers(0, 25 * SECOND), min_size=1, max_size=8),
    st.sampled_from([None, 2 * SECOND, 10 * SECOND]),
)
def test_steps_that_were_remembered_are_those_made_anew(positions: list[int], span_ns: int | None) -> None:
    replay, series = Replay(RaceTracks(theatre())), Series()
    for position in positions:
        replay.seek(position)
        assert series.view(replay, 40, span_ns) == series_view(replay, 40, span_ns)


def test_a_step_that_has_passed_keeps_its_place_and_its_value() -> None:
    replay = Replay(RaceTracks(theatre()))
    replay.seek(16 * SECOND)
    before = series_view(replay, 40).lanes[0].tpot_ms
    replay.seek(18 * SECOND)
    assert before[:-1] == series_view(replay, 40).lanes[0].tpot_ms[: len(before) - 1]


@pytest.mark.parametrize(
    ("least_s", "length_s"), [(0, 2), (2, 2), (2.1, 3), (17.4, 20), (61, 75), (3599, 5000)]
)
def test_an_axis_has_a_round_length(least_s: float, length_s: float) -> None:
    assert round_length_ns(int(least_s * SECOND)) == length_s * SECOND


def test_shorter_lengths_end_at_the_least() -> None:
    assert [shorter_ns(3 * SECOND), shorter_ns(2 * SECOND)] == [2 * SECOND] * 2


def test_the_axis_of_a_race_that_is_over_is_as_long_as_the_race() -> None:
    replay = Replay(RaceTracks(theatre()))
    replay.seek_end()
    assert axis_ns(replay) == replay.tracks.duration_ns()


def test_plus_shows_a_shorter_stretch_that_follows_the_playhead() -> None:
    shown = player("c")
    shown.press("+", 0)
    shown.press("+", 0)
    assert stretch(shown) == pytest.approx((7.5, 17.5))
    shown.press("left", 0)
    assert stretch(shown) == pytest.approx((2.5, 12.5))


def test_minus_goes_back_to_the_whole_race() -> None:
    shown = player("c")
    for key in "++--":
        shown.press(key, 0)
    assert "the whole race" in text_of(screen(shown.scene(0), Look(), 120, 40))


def test_plus_is_speed_on_other_pages() -> None:
    shown = player("")
    shown.press("+", 0)
    assert shown.playhead.speed == 1.5
