"""Where a replay stands, as a function of a clock that is passed in. Pure; nothing here waits or accumulates.

A playhead is an anchor (this position, at that instant of the clock) and a speed. The position is computed from
them each time it is asked for, so a replay drifts by nothing however long it runs and however rarely it is drawn.
"""

from dataclasses import dataclass, replace
from typing import Self

from racelog_player.speed import MAX

MAX_SWEEP_NS = 2_000_000_000
"""At speed ``max`` the whole race passes in two seconds: long enough to see who led when."""


@dataclass(frozen=True, slots=True)
class Playhead:
    """Position and speed of a replay; every change gives a new one, anchored at the moment of the change.

    ``live`` ties it to the end, wherever that has moved to.
    """

    anchor_ns: int = 0
    since_ns: int = 0
    speed: float = 1.0
    paused: bool = False
    live: bool = False

    def position_ns(self, now_ns: int, end_ns: int) -> int:
        """Return the position at ``now_ns`` in a race that ends (so far) at ``end_ns``; never outside it."""
        if self.live:
            return end_ns
        passed = 0 if self.paused else now_ns - self.since_ns
        rate = max(16.0, end_ns / MAX_SWEEP_NS) if self.speed == MAX else self.speed
        moved = passed if rate == 1 else int(passed * rate)  # whole nanoseconds stay exact at 1x
        return max(0, min(self.anchor_ns + moved, end_ns))

    def at_end(self, now_ns: int, end_ns: int) -> bool:
        """Return whether it has arrived at the end."""
        return self.position_ns(now_ns, end_ns) >= end_ns

    def seek(self, position_ns: int, now_ns: int) -> Self:
        """Return it at ``position_ns``, running or paused as it was; no longer tied to the live end."""
        return replace(self, anchor_ns=max(0, position_ns), since_ns=now_ns, live=False)

    def toggle(self, now_ns: int, end_ns: int) -> Self:
        """Return it paused where it stands, or running on from there."""
        here = self.position_ns(now_ns, end_ns)
        return replace(self, anchor_ns=here, since_ns=now_ns, paused=not self.paused, live=False)

    def at_speed(self, speed: float, now_ns: int, end_ns: int) -> Self:
        """Return it at another speed, from where it stands."""
        here = self.position_ns(now_ns, end_ns)
        return replace(self, anchor_ns=here, since_ns=now_ns, speed=speed)

    def go_live(self) -> Self:
        """Return it tied to the live end, at its speed of 1."""
        return replace(self, live=True, paused=False, speed=1.0)
