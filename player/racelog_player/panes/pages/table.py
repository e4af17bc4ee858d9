"""The table of pages: for each, the key that opens it, the view it is made from, and the pane that draws it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from racelog.replay.race import Replay
from racelog.views.details import details_view
from racelog.views.evidence.readings import Readings
from racelog.views.inspector import inspector_view, reading_view
from racelog.views.series import Series
from racelog.views.story.achievements import viewer_achievements
from racelog.views.story.engine import Story
from racelog.views.timeline import Timeline
from racelog_player.model.scene import Page, Scene
from racelog_player.panes.frame import Keys
from racelog_player.panes.pages.achievements import achievements_pane
from racelog_player.panes.pages.charts import charts_pane
from racelog_player.panes.pages.details import details_pane
from racelog_player.panes.pages.explain import explain_pane
from racelog_player.panes.pages.heads import nothing
from racelog_player.panes.pages.health import health_pane
from racelog_player.panes.pages.help import help_pane
from racelog_player.panes.pages.insights import insights_pane
from racelog_player.panes.pages.inspector import DENSE_ROWS, LEAST_ROWS, inspector_pane
from racelog_player.panes.pages.options import options_pane
from racelog_player.panes.pages.reading import reading_pane
from racelog_player.panes.pages.timeline import timeline_pane
from racelog_player.settings.keys import Do
from racelog_player.settings.options import OptionsView
from racelog_player.terminal.canvas import Line
from racelog_player.terminal.style import Look

_BACK = ("esc", "back to the race")
_LANE = ("tab", "next engine")

STEPS = 240
"""Steps of a chart: two a cell on a terminal of 130 columns; narrower ones draw them closer."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What views of pages are made from: a replay where it stands, and what of it is looked at.

    ``lane`` is the one in focus, ``request`` the one that is read, ``span_ns`` the stretch that charts show, ``explained`` how
    many explanations the viewer has looked at. ``series``, ``timeline`` and ``readings`` remember what they have folded.
    """

    replay: Replay
    lane: int
    request: int | None
    span_ns: int | None
    story: Callable[[], Story]
    explained: int
    options: Callable[[], OptionsView]
    series: Series
    timeline: Timeline
    readings: Readings


@dataclass(frozen=True, slots=True)
class PageRow:
    """One page.

    ``keys`` stand in the footer. ``make`` gives its view, which is kept for a while where making it is ``slow``; without one it draws the scene alone.
    ``draw`` takes scene, view, look, columns and rows. Where ``lanes`` are needed, there is nothing to show without any.
    A notch of the wheel scrolls several of its ``by_lines``, or to the next thing.
    """

    wish: Do | None
    keys: Keys
    draw: Callable[[Scene, Any, Look, int, int], list[Line]]
    make: Callable[[Sources], object] | None = None
    slow: bool = False
    lanes: bool = True
    by_lines: bool = True


def _achievements(of: Sources) -> object:
    story = of.story()
    return [*story.achievements, *viewer_achievements(of.explained, story.achievements)]


def _draw_inspector(scene: Scene, view: Any, _look: Look, columns: int, rows: int) -> list[Line]:
    least = DENSE_ROWS if scene.mode == "expert" else LEAST_ROWS
    return inspector_pane(view, columns, rows, scene.scroll, least)


PAGES: dict[Page, PageRow] = {
    Page.INSPECTOR: PageRow(
        Do.INSPECTOR, (_BACK, _LANE, ("j k", "choose"), ("enter", "open it"), ("space", "pause"), (". ,", "token on, back")),
        _draw_inspector,
        lambda of: inspector_view(of.replay, of.lane), by_lines=False,
    ),
    Page.READING: PageRow(
        None, (("esc", "all answers"), ("j k", "scroll"), ("space", "pause"), (". ,", "token on, back")),
        lambda scene, view, _look, columns, rows: reading_pane(view, columns, rows, scene.scroll),
        lambda of: reading_view(of.replay, of.lane, of.request),
    ),
    Page.TIMELINE: PageRow(
        Do.TIMELINE, (_BACK, ("space", "pause"), ("← →", "5 s"), ("[ ]", "moments")),
        lambda _scene, view, look, columns, rows: timeline_pane(view, look, columns, rows),
        lambda of: of.timeline.view(of.replay),
    ),
    Page.CHARTS: PageRow(
        Do.CHARTS, (_BACK, ("space", "pause"), ("← →", "5 s"), ("+ -", "zoom"), ("s", "save the screen")),
        lambda _scene, view, look, columns, rows: charts_pane(view, look, columns, rows),
        lambda of: of.series.view(of.replay, STEPS, of.span_ns), slow=True,
    ),
    Page.DETAILS: PageRow(
        Do.DETAILS, (_BACK, _LANE, ("j k", "scroll"), ("e", "what numbers mean")),
        lambda scene, view, _look, columns, rows: details_pane(view, scene.race.lanes[scene.focus], columns, rows, scene.scroll),
        lambda of: details_view(of.replay, of.lane), slow=True,
    ),
    Page.EXPLAIN: PageRow(
        Do.EXPLAIN, (_BACK, _LANE, ("j k", "next number")),
        lambda scene, _view, _look, columns, rows: explain_pane(scene, columns, rows), by_lines=False,
    ),
    Page.ACHIEVEMENTS: PageRow(
        Do.ACHIEVEMENTS, (_BACK, ("j k", "scroll")),
        lambda scene, view, _look, columns, rows: achievements_pane(view, scene.race.lanes, columns, rows, scene.scroll),
        _achievements, lanes=False,
    ),
    Page.INSIGHTS: PageRow(
        Do.INSIGHTS, (_BACK, ("j k", "scroll"), ("[ ]", "moments")),
        lambda scene, view, _look, columns, rows: insights_pane(view, columns, rows, scene.scroll, over=scene.race.finished),
        lambda of: of.story(), lanes=False,
    ),
    Page.HEALTH: PageRow(
        Do.HEALTH, (_BACK, ("j k", "scroll"), ("space", "pause")),
        lambda scene, view, _look, columns, rows: health_pane(view, scene.race.health, columns, rows, scene.scroll),
        lambda of: of.readings.view(of.replay), slow=True,
    ),
    Page.HELP: PageRow(
        Do.HELP, (("esc", "closes"), ("j k", "scroll")),
        lambda scene, _view, _look, columns, rows: help_pane(columns, rows, scene.scroll),
    ),
    Page.OPTIONS: PageRow(
        Do.OPTIONS, (_BACK, ("↑ ↓", "choose"), ("← →", "change")),
        lambda _scene, view, _look, columns, rows: options_pane(view, columns, rows),
        lambda of: of.options(), lanes=False,
    ),
}  # fmt: skip
"""Every page but the race itself, in the order of the footer."""


def page_pane(scene: Scene, look: Look, columns: int, rows: int) -> list[Line]:
    """Return the page of ``scene`` in at most ``rows`` rows."""
    row = PAGES[scene.page]
    if row.make is not None and scene.content is None:
        return nothing(scene.page.name, "there is nothing to show yet")
    return row.draw(scene, scene.content, look, columns, rows)
