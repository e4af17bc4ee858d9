"""Who has just changed places, so that the leaderboard can say so for a moment."""

from racelog.clock import NS_PER_S
from racelog.views.race import RaceView

SHOWN_NS = 2 * NS_PER_S


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
