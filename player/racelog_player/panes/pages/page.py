"""The page that fills the screen, drawn by its own pane. Pure."""

from racelog.views.details import DetailsView
from racelog.views.evidence.readings import HealthView
from racelog.views.inspector import InspectorView, ReadingView
from racelog.views.series import SeriesView
from racelog.views.story.engine import Story
from racelog.views.timeline import TimelineView
from racelog_player.model.scene import Page, Scene
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
from racelog_player.settings.options import OptionsView
from racelog_player.terminal.canvas import Line
from racelog_player.terminal.style import Look


def page_pane(scene: Scene, look: Look, columns: int, rows: int) -> list[Line]:
    """Return the page of ``scene`` in at most ``rows`` rows."""
    if scene.page is Page.HELP:
        return help_pane(columns, rows, scene.scroll)
    if scene.page is Page.EXPLAIN:
        return explain_pane(scene, columns, rows)
    drawn = _drawn(scene, look, columns, rows)
    return nothing(scene.page.name, "there is nothing to show yet") if drawn is None else drawn


def _drawn(scene: Scene, look: Look, columns: int, rows: int) -> list[Line] | None:
    """Return the page's content as its pane draws it; None where there is no content."""
    lines: list[Line] | None = None
    match scene.content:
        case InspectorView():
            least = DENSE_ROWS if scene.mode == "expert" else LEAST_ROWS
            lines = inspector_pane(scene.content, columns, rows, scene.scroll, least)
        case TimelineView():
            lines = timeline_pane(scene.content, look, columns, rows)
        case SeriesView():
            lines = charts_pane(scene.content, look, columns, rows)
        case DetailsView():
            lines = details_pane(scene.content, scene.race.lanes[scene.focus], columns, rows, scene.scroll)
        case Story():
            lines = insights_pane(scene.content, columns, rows, scene.scroll)
        case list():
            lines = achievements_pane(scene.content, scene.race.lanes, columns, rows, scene.scroll)
        case ReadingView():
            lines = reading_pane(scene.content, columns, rows, scene.scroll)
        case OptionsView():
            lines = options_pane(scene.content, columns, rows)
        case HealthView():
            lines = health_pane(scene.content, scene.race.health, columns, rows, scene.scroll)
    return lines
