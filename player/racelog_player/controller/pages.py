"""Makes what a page draws: a view of the replay where it stands, made anew as often as the eye needs."""

from collections.abc import Callable

from racelog.clock import NS_PER_MS, NS_PER_S
from racelog.display.figures import tick
from racelog.replay.race import Replay
from racelog.views.evidence.readings import Readings
from racelog.views.series import Series, axis_ns, round_length_ns, shorter_ns
from racelog.views.story.engine import Story
from racelog.views.timeline import Timeline
from racelog_player.model.scene import Page
from racelog_player.panes.pages.table import PAGES, PageRow, Sources
from racelog_player.settings.options import OptionsView

SLOWLY_NS = 200 * NS_PER_MS
"""Charts, details and health read every request so far; they are made anew this often, which the eye takes as live."""

NO_LANE = -1


class Pages:
    """Makes the content of the page that is shown, and of no other."""

    def __init__(self) -> None:
        self._made: object = None
        self._made_for: tuple[object, ...] = ()
        self._series = Series()
        self._timeline = Timeline()
        self._readings = Readings()
        self._span_ns: int | None = None

    def content(
        self,
        page: Page,
        replay: Replay,
        *,
        lane: int | None,
        request: int | None,
        story: Callable[[], Story],
        explained: int,
        options: Callable[[], OptionsView],
    ) -> object:
        """Return the view that ``page`` draws, as `Sources` says; None where it has none, or none yet."""
        row = PAGES.get(page)
        if row is None or row.make is None or (row.lanes and lane is None):
            return None
        of = Sources(
            replay, NO_LANE if lane is None else lane, request, self._span_ns, story, explained, options,
            self._series, self._timeline, self._readings,
        )  # fmt: skip
        return self._kept(page, row, of) if row.slow else row.make(of)

    def zoom(self, replay: Replay, *, inward: bool) -> str:
        """Show a shorter or a longer stretch of the race in the charts; return words about it."""
        shown = axis_ns(replay, self._span_ns)
        wanted = shorter_ns(shown) if inward else round_length_ns(shown + 1)
        self._span_ns = wanted if wanted < axis_ns(replay) else None
        return "the whole race" if self._span_ns is None else f"{tick(wanted / NS_PER_S)} s at a time"

    def _kept(self, page: Page, row: PageRow, of: Sources) -> object:
        """Return the view of a page that is slow to make, made anew when it would show something else."""
        position_ns = of.replay.position_ns
        over = position_ns >= of.replay.tracks.duration_ns()
        known = (page, of.lane, of.span_ns, position_ns // SLOWLY_NS, over)
        if known != self._made_for:
            assert row.make is not None
            self._made, self._made_for = row.make(of), known
        return self._made
