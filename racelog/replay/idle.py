"""Idle time made short: where nothing happens for longer than a limit, a replay passes in the limit. Pure.

Played time and recorded time are two scales of one race. `Squeeze` goes between them, exactly at the ends of every
stretch and in proportion within one. Numbers are never squeezed: metrics use recorded time alone.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise


@dataclass(frozen=True, slots=True)
class Squeeze:
    """Idle stretches, each played in ``limit_ns``. Without any, both scales are the same.

    ``starts`` and ``ends`` are recorded positions, ascending; ``saved_ns`` what playing skips before each stretch.
    """

    limit_ns: int = 0
    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    saved_ns: tuple[int, ...] = ()

    def played_ns(self, position_ns: int) -> int:
        """Return the played time at a recorded position."""
        place = bisect_right(self.starts, position_ns) - 1
        if place < 0:
            return position_ns
        start, end = self.starts[place], self.ends[place]
        if position_ns < end:
            return start - self.saved_ns[place] + (position_ns - start) * self.limit_ns // (end - start)
        return position_ns - self.saved_ns[place] - (end - start - self.limit_ns)

    def position_ns(self, played_ns: int) -> int:
        """Return the recorded position at a played time."""
        place = bisect_right(self.starts, played_ns, key=self.played_ns) - 1
        if place < 0:
            return played_ns
        start, end = self.starts[place], self.ends[place]
        passed = played_ns - (start - self.saved_ns[place])
        if passed >= self.limit_ns:
            return end + passed - self.limit_ns
        return start + passed * (end - start) // self.limit_ns


AS_RECORDED = Squeeze()
"""No limit: idle time takes as long as it took."""


def squeezed(instants: Iterable[int], limit_ns: int, end_ns: int) -> Squeeze:
    """Return the squeeze of a race in which something happens at ``instants``; ``limit_ns`` 0 skips idle time."""
    busy = sorted({0, end_ns, *(instant for instant in instants if 0 <= instant <= end_ns)})
    idle = [(start, end) for start, end in pairwise(busy) if end - start > limit_ns]
    saved = accumulate((end - start - limit_ns for start, end in idle), initial=0)
    return Squeeze(
        limit_ns, tuple(start for start, _ in idle), tuple(end for _, end in idle), tuple(saved)[: len(idle)]
    )
