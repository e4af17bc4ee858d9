"""How far the picture is behind what it should show: measured, and the worst of the last second is told."""

from racelog.clock import NS_PER_MS, NS_PER_S
from racelog.display.figures import duration

TOLD_NS = 100 * NS_PER_MS
"""Less than this nobody sees."""

KEPT_NS = NS_PER_S


class Lag:
    """Delays as they were measured; `worst_ns` is the largest of the last second."""

    def __init__(self) -> None:
        self._measured: list[tuple[int, int]] = []

    def note(self, late_ns: int, now_ns: int) -> None:
        """Take a delay measured at ``now_ns``."""
        self._measured = [
            (at, late) for at, late in self._measured if now_ns - at < KEPT_NS and late > late_ns
        ]
        self._measured.append((now_ns, late_ns))

    def worst_ns(self, now_ns: int) -> int:
        """Return the largest delay of the last second; 0 where none was measured."""
        return max((late for at, late in self._measured if now_ns - at < KEPT_NS), default=0)


def lag_text(late_ns: int) -> str:
    """Return ``behind 120 ms``, or nothing for what nobody sees."""
    if late_ns < TOLD_NS:
        return ""
    if late_ns < NS_PER_S:
        return f"behind {late_ns // NS_PER_MS // 10 * 10} ms"
    return f"behind {duration(late_ns / NS_PER_MS)}"
