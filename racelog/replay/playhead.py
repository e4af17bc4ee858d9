"""Where a replay stands, as a function of a clock that is passed in. Pure; nothing here waits or accumulates.

A playhead is an anchor (this position, at that instant of the clock) and a speed. The position is computed from
them each time it is asked for, so a replay drifts by nothing however long it runs and however rarely it is drawn.
Between clock and race lie small maps, one after the other: speed, then the loop, then the idle limit.
"""

from dataclasses import dataclass, replace
from typing import Self

from racelog.replay.idle import AS_RECORDED, Squeeze
from racelog.replay.speed import MAX

MAX_SWEEP_NS = 2_000_000_000
"""At speed ``max`` the whole race passes in two seconds: long enough to see who led when."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A stretch of the race played again and again: ``rounds`` times more, or for ever."""

    a_ns: int
    b_ns: int
    rounds: int | None = None

    def within(self, played_ns: int, squeeze: Squeeze) -> int:
        """Return where in played time a playhead is that has come to ``played_ns``, looping."""
        a, b = squeeze.played_ns(self.a_ns), squeeze.played_ns(self.b_ns)
        over = played_ns - b
        if over < 0 or b <= a:
            return played_ns
        if self.rounds is not None and over >= self.rounds * (b - a):
            return b
        return a + over % (b - a)


@dataclass(frozen=True, slots=True)
class Playhead:
    """Position and speed of a replay; every change gives a new one, anchored at the moment of the change.

    ``live`` ties it to the end, wherever that has moved to. A loop holds a playhead that is before its end; one
    that was sought beyond plays on.
    """

    anchor_ns: int = 0
    since_ns: int = 0
    speed: float = 1.0
    paused: bool = False
    live: bool = False
    loop: Loop | None = None
    squeeze: Squeeze = AS_RECORDED

    def position_ns(self, now_ns: int, end_ns: int) -> int:
        """Return the position at ``now_ns`` in a race that ends (so far) at ``end_ns``; never outside it."""
        if self.live:
            return end_ns
        if self.paused or now_ns == self.since_ns:
            return max(0, min(self.anchor_ns, end_ns))
        passed, rate = now_ns - self.since_ns, self._rate(end_ns)
        played = self.squeeze.played_ns(self.anchor_ns)
        played += passed if rate == 1 else int(passed * rate)  # whole nanoseconds stay exact at 1x
        if self.loop is not None and self.anchor_ns < self.loop.b_ns:
            played = self.loop.within(played, self.squeeze)
        return max(0, min(self.squeeze.position_ns(played), end_ns))

    def due_ns(self, position_ns: int, end_ns: int) -> int | None:
        """Return the clock's instant at which it gets to ``position_ns``; None when it never does by itself.

        A deadline from the anchor, so that waits do not add up their errors. Loops are not looked through.
        """
        if self.paused or self.live:
            return None
        ahead = self.squeeze.played_ns(position_ns) - self.squeeze.played_ns(self.anchor_ns)
        rate = self._rate(end_ns)
        return self.since_ns + (ahead if rate == 1 else -int(-ahead // rate))

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

    def looping(self, loop: Loop | None, now_ns: int, end_ns: int) -> Self:
        """Return it with this loop, or none, from where it stands."""
        return replace(self, anchor_ns=self.position_ns(now_ns, end_ns), since_ns=now_ns, loop=loop)

    def go_live(self) -> Self:
        """Return it tied to the live end, at its speed of 1."""
        return replace(self, live=True, paused=False, speed=1.0)

    def _rate(self, end_ns: int) -> float:
        return max(16.0, end_ns / MAX_SWEEP_NS) if self.speed == MAX else self.speed
