"""Keyframes: folds kept on the way, so that going back costs a stretch of the race and not all of it.

They are a cache and nothing else: derived from the log, never stored, dropped when the log grows before them, and
`verify` recomputes every one. Between two of them lie `STRIDE` events of a lane; a fold copies what is open and
shares what has ended, so a keyframe costs about a list of the lane's numbers.
"""

from bisect import bisect_right

import msgspec

from racelog.replay.lane import LaneFold

STRIDE = 512
"""Events between keyframes: about 100 requests, folded in 2 ms."""

MOST = 128
"""Beyond this many a lane's keyframes are thinned to every second one, and stand twice as far apart from then on."""


class Keyframes:
    """One lane's keyframes, ascending by position."""

    def __init__(self, stride: int = STRIDE) -> None:
        self._stride = stride
        self._kept: list[LaneFold] = []

    def __len__(self) -> int:
        return len(self._kept)

    def fold_to(self, fold: LaneFold, instant_ns: int) -> None:
        """Step ``fold`` forward to ``instant_ns`` and keep a copy at every stride's end on the way."""
        events = fold.track.events
        while (stop := (fold.folded // self._stride + 1) * self._stride) < len(events):
            if events[stop].t > instant_ns:
                break
            fold.advance(max(events[stop].t, fold.position_ns))
            self._keep(fold)
        fold.advance(instant_ns)

    def nearer(self, instant_ns: int, than_ns: int) -> LaneFold | None:
        """Return a copy of the last keyframe at or before ``instant_ns`` if it lies after ``than_ns``, else None."""
        place = bisect_right(self._kept, instant_ns, key=_position)
        while place and self._kept[place - 1].overtaken:
            place -= 1
            del self._kept[place:]
        near = self._kept[place - 1] if place else None
        return near.copy() if near is not None and near.position_ns > than_ns else None

    def verify(self) -> list[int]:
        """Return the positions of keyframes that differ from a fold from the start; none do, or there is a bug."""
        wrong: list[int] = []
        for kept in self._kept:
            stored, fresh = kept.copy(), LaneFold(kept.track)
            stored.advance(
                kept.position_ns
            )  # what came late, and belongs before its position, is still to be folded
            fresh.advance(kept.position_ns)
            if not kept.overtaken and state_bytes(fresh) != state_bytes(stored):
                wrong.append(kept.position_ns)
        return wrong

    def _keep(self, fold: LaneFold) -> None:
        if self._kept and self._kept[-1].position_ns >= fold.position_ns:
            return
        self._kept.append(fold.copy())
        if len(self._kept) > MOST:
            del self._kept[::2]
            self._stride *= 2


def state_bytes(fold: LaneFold) -> bytes:
    """Return everything a fold has gathered as bytes: equal at equal instants, whatever the route."""
    return msgspec.json.encode(fold.state(), order="deterministic")


def _position(fold: LaneFold) -> int:
    return fold.position_ns
