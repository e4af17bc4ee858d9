"""Everything a picture of the race is made from: plain data, made by the player, drawn by the panes."""

from dataclasses import dataclass, field
from enum import Enum, auto

from racelog.views.race import RaceView
from racelog.views.summary import RaceSummary


class Stage(Enum):
    """What the screen is about: the lanes waiting for the start, the race, or its result."""

    GRID = auto()
    RACING = auto()
    RESULT = auto()


@dataclass(frozen=True, slots=True)
class Transport:
    """The playhead as the footer shows it. ``live``: the race is still being recorded; ``at_edge``: and we are there."""

    position_ns: int
    end_ns: int
    speed: float = 1.0
    paused: bool = False
    over: bool = False
    live: bool = False
    at_edge: bool = False
    behind_ns: int = 0
    controls: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """One instant of the player, ready to be drawn."""

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
    help: bool = False
