"""Waiting for a playhead: to a deadline counted from its anchor, and no longer than until it is moved."""

import time
from collections.abc import Callable
from threading import Condition

from racelog.clock import NS_PER_S
from racelog.replay.playhead import Playhead

Clock = Callable[[], int]


class Pace:
    """Holds the one playhead of a replay that prints, serves or exports; any thread may change it.

    ``clock`` gives nanoseconds, ``sleep`` waits on a condition for at most so many seconds: real ones unless a test
    passes its own.
    """

    def __init__(
        self,
        playhead: Playhead,
        clock: Clock = time.monotonic_ns,
        sleep: Callable[[Condition, float | None], object] = Condition.wait,
    ) -> None:
        self._playhead = playhead
        self._clock = clock
        self._sleep = sleep
        self._changed = Condition()

    @property
    def playhead(self) -> Playhead:
        """The playhead as it is now."""
        return self._playhead

    def change(self, move: Callable[[Playhead, int], Playhead]) -> None:
        """Set the playhead to ``move`` of it and the clock; whoever waits for it is woken."""
        with self._changed:
            self._playhead = move(self._playhead, self._clock())
            self._changed.notify_all()

    def wait_until(self, position_ns: int, end_ns: int) -> bool:
        """Wait for the playhead to get to ``position_ns``; return False as soon as it is changed instead."""
        with self._changed:
            waited_for = self._playhead
            while self._playhead is waited_for:
                due = waited_for.due_ns(position_ns, end_ns)
                left_ns = None if due is None else due - self._clock()
                if left_ns is not None and left_ns <= 0:
                    return True
                self._sleep(self._changed, None if left_ns is None else left_ns / NS_PER_S)
            return False
