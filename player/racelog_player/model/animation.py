"""What glides: bars and counts to where they are going, lanes to their new places, toasts that come and go.

A picture stays a function of what was given: the views so far and the clock's instant with each. Nothing here looks at
a clock. Medians and rates never glide: a number in between was never measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from racelog.clock import NS_PER_MS, NS_PER_S
from racelog.views.race import LaneView, RaceView
from racelog.views.story.rows import Comment, Tone

GLIDE_NS = 300 * NS_PER_MS
SLIDE_NS = 450 * NS_PER_MS
RAISED_NS = 900 * NS_PER_MS
"""A lane that has risen stands out for so long."""

TOAST_NS = 2 * NS_PER_S
SHOWN_NS = 2 * NS_PER_S
"""The leaderboard says for so long who has changed places."""
MOST_TOASTS = 3
TOASTED = frozenset(
    {"achievement", "overtake", "lead", "errors", "latency-spike", "error-rise", "throughput-drop"}
)
"""The kinds of comment that are worth a toast."""


@dataclass(frozen=True, slots=True)
class Toast:
    """A few words that lie over the picture for two seconds; ``fresh`` in its first moment."""

    text: str
    tone: Tone
    key: str
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """How a picture differs from one at rest, by lane number; empty where nothing moves."""

    shares: Mapping[int, float] = field(default_factory=dict)
    done: Mapping[int, int] = field(default_factory=dict)
    ok: Mapping[int, int] = field(default_factory=dict)
    order: tuple[int, ...] = ()
    raised: frozenset[int] = frozenset()
    toasts: tuple[Toast, ...] = ()


AT_REST = Moved()


@dataclass(frozen=True, slots=True)
class _Glide:
    """A number on its way: fast at first, slower as it arrives."""

    start: float
    target: float
    since_ns: int
    lasts_ns: int

    def at(self, now_ns: int) -> float:
        left = max(0.0, 1 - (now_ns - self.since_ns) / self.lasts_ns)
        return self.target - (self.target - self.start) * left**3


class Motion:
    """Remembers what was shown, so that what changes can glide there. ``on`` is the user's wish."""

    def __init__(self, *, on: bool = False) -> None:
        self.on = on
        self._glides: dict[tuple[int, str], _Glide] = {}
        self._raised: dict[int, int] = {}
        self._toasts: list[tuple[int, Comment]] = []
        self._told_ns = 0

    def frame(
        self, race: RaceView, comments: Sequence[Comment], now_ns: int, *, speed: float, moves: bool
    ) -> Moved:
        """Return what is on its way at ``now_ns``; nothing where ``moves`` says that nothing does, or motion is off.

        ``comments`` are those known where the race stands, the newest last.
        """
        if not (self.on and moves):
            self._rest(race)
            return AT_REST
        order = self._order(race, now_ns)
        return Moved(
            shares={
                lane.lane: self._glide(lane, "share", lane.progress, now_ns)
                for lane in race.lanes
                if lane.progress is not None
            },
            done={
                lane.lane: int(self._glide(lane, "done", lane.requests_done, now_ns)) for lane in race.lanes
            },
            ok={lane.lane: int(self._glide(lane, "ok", lane.ok, now_ns)) for lane in race.lanes},
            order=order,
            raised=frozenset(lane for lane, until in self._raised.items() if now_ns < until),
            toasts=self._toast(comments, round(race.position_s * NS_PER_S), now_ns, speed),
        )

    def _rest(self, race: RaceView) -> None:
        """Forget what was on its way: from the next change on it starts from what is shown at rest."""
        self._glides.clear()
        self._raised.clear()
        self._toasts.clear()
        self._told_ns = round(race.position_s * NS_PER_S)

    def _glide(
        self, lane: LaneView, what: str, target: float, now_ns: int, lasts_ns: int = GLIDE_NS
    ) -> float:
        known = self._glides.get((lane.lane, what))
        if known is None or known.target != target:
            start = target if known is None else known.at(now_ns)
            known = self._glides[lane.lane, what] = _Glide(start, target, now_ns, lasts_ns)
        return known.at(now_ns)

    def _order(self, race: RaceView, now_ns: int) -> tuple[int, ...]:
        """Return the lanes as they stand on their way from one place to another; who rises is raised."""
        lanes = {lane.lane: lane for lane in race.lanes}
        at: dict[int, float] = {}
        for index, number in enumerate(race.standings):
            before = self._glides.get((number, "place"))
            if before is not None and index < before.target:
                self._raised[number] = now_ns + RAISED_NS
            at[number] = self._glide(lanes[number], "place", index, now_ns, SLIDE_NS)
        return tuple(sorted(race.standings, key=lambda number: at[number]))

    def _toast(
        self, comments: Sequence[Comment], here_ns: int, now_ns: int, speed: float
    ) -> tuple[Toast, ...]:
        """Return the toasts up at the moment. What was said long before the race stood here, after a seek, is no news."""
        if here_ns < self._told_ns:
            self._told_ns = here_ns
            self._toasts.clear()
        since = max(self._told_ns, here_ns - round(TOAST_NS * min(max(speed, 1.0), 16.0)))
        news = [one for one in comments if one.position_ns > since and one.key in TOASTED]
        self._told_ns = max([since, *(one.position_ns for one in news)])
        up = [(until, one) for until, one in self._toasts if now_ns < until]
        self._toasts = [*up, *((now_ns + TOAST_NS, one) for one in news)][-MOST_TOASTS:]
        return tuple(
            Toast(one.text, one.tone, one.key, fresh=until - now_ns > TOAST_NS - GLIDE_NS)
            for until, one in reversed(self._toasts)
        )


class Movers:
    """Compares each view's standings with the last one's; a change is remembered for two seconds of real time."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        self._position_s = 0.0
        self._moved: dict[int, tuple[int, int]] = {}

    def update(self, race: RaceView, now_ns: int) -> dict[int, int]:
        """Return the lanes that moved lately: +1 for up, -1 for down. Going back in time forgets all."""
        places = {lane.lane: lane.place for lane in race.lanes if lane.place is not None}
        if race.position_s < self._position_s:
            self._moved.clear()
        else:
            for lane, place in places.items():
                before = self._places.get(lane, place)
                if before != place:
                    self._moved[lane] = (1 if place < before else -1, now_ns + SHOWN_NS)
        self._places, self._position_s = places, race.position_s
        self._moved = {lane: move for lane, move in self._moved.items() if move[1] > now_ns}
        return {lane: direction for lane, (direction, _) in self._moved.items()}

    def fresh(self, now_ns: int) -> bool:
        """Return whether a change is still being shown."""
        return any(until > now_ns for _, until in self._moved.values())
