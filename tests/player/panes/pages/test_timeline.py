"""The timeline: a bar's colour is its request's status, and without colours each status has a sign of its own."""

import pytest

from racelog.display.signs import to_ascii
from racelog.views.timeline import BarView, LaneBars, Outcome, TimelineView
from racelog_player.panes.pages.timeline import timeline_pane
from racelog_player.terminal.canvas import Depth, Span
from racelog_player.terminal.style import Look

OUTCOMES: tuple[Outcome, ...] = ("ok", "slow", "failed", "cancelled", "streaming")


def bar_of(outcome: Outcome, look: Look, color: str = "green") -> Span:
    """Return the solid part of a request's bar."""
    bar = BarView(req=3, start_s=0, first_s=1, end_s=8, outcome=outcome, tokens=9, warmup=False)
    lane = LaneBars(lane=0, engine="vLLM", color=color, emoji="", bars=[bar])
    lines = timeline_pane(TimelineView(from_s=0, to_s=8, lanes=[lane], gpus=[]), look, 80, 20)
    return next(span for span in lines[2] if len(span.text.strip()) > 20 and "░" not in span.text)


@pytest.mark.parametrize(
    ("outcome", "color"),
    [("ok", "good"), ("slow", "warn"), ("failed", "bad"), ("cancelled", "faint"), ("streaming", "accent")],
)
def test_a_bar_has_the_colour_of_its_status_whatever_the_lanes_is(outcome: Outcome, color: str) -> None:
    assert bar_of(outcome, Look(), "pink").style.fg == color


@pytest.mark.parametrize("look", [Look(Depth.NONE), Look(Depth.TRUE, ascii_only=True)])
def test_without_colours_every_status_has_its_own_sign(look: Look) -> None:
    assert len({to_ascii(bar_of(outcome, look).text[0]) for outcome in OUTCOMES}) == len(OUTCOMES)


def test_a_request_that_failed_before_its_first_token_is_drawn_as_a_failure() -> None:
    bar = BarView(req=3, start_s=0, first_s=None, end_s=0.1, outcome="failed", tokens=0, warmup=False)
    lane = LaneBars(lane=0, engine="vLLM", color="", emoji="", bars=[bar])
    lines = timeline_pane(TimelineView(from_s=0, to_s=8, lanes=[lane], gpus=[]), Look(), 80, 20)

    assert [span.text for span in lines[2] if span.style.fg == "bad"] == ["█", "failed "]
