"""Which key opens which page, and what each page is made from: views of the replay where it stands."""

from racelog.clock import NS_PER_MS, NS_PER_S
from racelog.display.figures import tick
from racelog.replay.race import Replay
from racelog.views.details import details_view
from racelog.views.evidence.readings import Readings
from racelog.views.inspector import inspector_view, reading_view
from racelog.views.series import Series, axis_ns, round_length_ns, shorter_ns
from racelog.views.timeline import Timeline
from racelog_player.model.scene import Page
from racelog_player.settings.keys import Do

PAGE_KEYS: dict[Do, Page] = {
    Do.INSPECTOR: Page.INSPECTOR, Do.TIMELINE: Page.TIMELINE, Do.CHARTS: Page.CHARTS, Do.DETAILS: Page.DETAILS,
    Do.EXPLAIN: Page.EXPLAIN, Do.ACHIEVEMENTS: Page.ACHIEVEMENTS, Do.INSIGHTS: Page.INSIGHTS, Do.HEALTH: Page.HEALTH,
    Do.HELP: Page.HELP, Do.OPTIONS: Page.OPTIONS,
}  # fmt: skip

ZOOM_KEYS = {"+": True, "-": False}
"""What these keys mean on the charts, whatever they are bound to: a shorter stretch, or a longer one."""

STEPS = 240
"""Steps of a chart: two a cell on a terminal of 130 columns; narrower ones draw them closer."""

SLOWLY_NS = 200 * NS_PER_MS
"""Charts, details and health read every request so far; they are made anew this often, which the eye takes as live."""


class Pages:
    """Makes the content of the page that is shown, and of no other."""

    def __init__(self) -> None:
        self._made: object = None
        self._made_for: tuple[object, ...] = ()
        self._series = Series()
        self._timeline = Timeline()
        self._readings = Readings()
        self._span_ns: int | None = None

    def content(self, page: Page, replay: Replay, lane: int | None, reading: int | None = None) -> object:
        """Return the view that ``page`` draws, of ``replay`` where it stands.

        ``lane`` is the one in focus, ``reading`` the request that is read.
        """
        if lane is None:
            return None
        if page is Page.READING:
            return reading_view(replay, lane, reading)
        if page is Page.INSPECTOR:
            return inspector_view(replay, lane)
        if page is Page.TIMELINE:
            return self._timeline.view(replay)
        known = (
            page,
            lane,
            self._span_ns,
            replay.position_ns // SLOWLY_NS,
            replay.position_ns >= replay.tracks.duration_ns(),
        )
        if known != self._made_for:
            self._made, self._made_for = self._slow(page, replay, lane), known
        return self._made

    def zoom(self, replay: Replay, *, inward: bool) -> str:
        """Show a shorter or a longer stretch of the race in the charts; return words about it."""
        shown = axis_ns(replay, self._span_ns)
        wanted = shorter_ns(shown) if inward else round_length_ns(shown + 1)
        self._span_ns = wanted if wanted < axis_ns(replay) else None
        return "the whole race" if self._span_ns is None else f"{tick(wanted / NS_PER_S)} s at a time"

    def _slow(self, page: Page, replay: Replay, lane: int) -> object:
        match page:
            case Page.CHARTS:
                return self._series.view(replay, STEPS, self._span_ns)
            case Page.DETAILS:
                return details_view(replay, lane)
            case Page.HEALTH:
                return self._readings.view(replay)
            case _:
                return None
