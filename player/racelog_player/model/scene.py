"""Everything a picture of the race is made from: plain data, made by the player, drawn by the panes."""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal

from racelog.views.race import RaceView
from racelog.views.recent import Ended
from racelog.views.story.rows import Comment
from racelog.views.summary import RaceSummary
from racelog_player.model.animation import AT_REST, Moved

Mode = Literal["novice", "expert", "teacher"]
MODES: tuple[Mode, ...] = ("novice", "expert", "teacher")


class Stage(Enum):
    """What the screen is about: the lanes waiting for the start, the race, or its result."""

    GRID = auto()
    RACING = auto()
    RESULT = auto()


class Page(Enum):
    """Which view fills the screen."""

    RACE = auto()
    INSPECTOR = auto()
    TIMELINE = auto()
    CHARTS = auto()
    DETAILS = auto()
    EXPLAIN = auto()
    ACHIEVEMENTS = auto()
    INSIGHTS = auto()
    HEALTH = auto()
    HELP = auto()
    OPTIONS = auto()
    READING = auto()


@dataclass(frozen=True, slots=True)
class Transport:
    """The playhead as the footer shows it. ``live``: the race is still being recorded; ``at_edge``: and we are there.

    ``late_ns``: so far the picture is behind what it should show. ``controls``: a recorder listens to us. ``held_ns``: the stretches in which the race itself was paused.
    """

    position_ns: int
    end_ns: int
    speed: float = 1.0
    paused: bool = False
    over: bool = False
    live: bool = False
    at_edge: bool = False
    behind_ns: int = 0
    controls: bool = False
    loop_ns: tuple[int, int] | None = None
    late_ns: int = 0
    held_ns: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """One instant of the player, ready to be drawn. ``content`` is what the page's own pane draws.

    ``focus`` is the lane that pages about one lane show, by its place in the race; ``chosen``: the user has chosen it.
    ``answered``: the answer to the page's quiz is told. ``newer`` comments were said since the last one of ``comments``, which is scrolled back then. ``recent`` has each lane's requests that ended last.
    """

    race: RaceView
    stage: Stage
    transport: Transport
    movers: dict[int, int] = field(default_factory=dict)
    countdown_s: int | None = None
    summary: RaceSummary | None = None
    requests: int | None = None
    concurrency: int = 0
    notice: str = ""
    question: str = ""
    typing: str | None = None
    page: Page = Page.RACE
    content: object = None
    focus: int = 0
    chosen: bool = False
    scroll: int = 0
    mode: Mode = "novice"
    answered: bool = False
    comments: tuple[Comment, ...] = ()
    newer: int = 0
    moved: Moved = AT_REST
    recent: dict[int, list[Ended]] = field(default_factory=dict)

    @property
    def chosen_lane(self) -> int | None:
        """The number of the lane that the user has chosen."""
        return self.race.lanes[self.focus].lane if self.chosen and self.race.lanes else None

    @property
    def held(self) -> bool:
        """Whether the race itself is paused, by order, at this instant."""
        return any(lane.paused for lane in self.race.lanes)

    @property
    def help(self) -> bool:
        """Whether the help page is shown."""
        return self.page is Page.HELP
