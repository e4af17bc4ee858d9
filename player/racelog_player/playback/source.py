"""Where a replay's events come from: a race that is over, or one that is still being recorded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from racelog.clock import NS_PER_MS, NS_PER_S
from racelog.events import AnyEvent, RequestEnd, RequestSent, ResponseHeaders, Tokens
from racelog.live import countdown_ns
from racelog.log.format.names import sealed_sibling
from racelog.log.read.follow import LogFollower
from racelog.log.read.reader import open_log
from racelog.replay.race import Align, RaceTracks
from racelog.replay.together import side_by_side
from racelog_player.model.lag import Lag

LAG_NS = 400 * NS_PER_MS
"""The live edge stays this far behind the clock: a lane commits every 250 ms, and a commit takes a moment to arrive."""

_SEEN = (RequestSent, ResponseHeaders, Tokens, RequestEnd)
"""What moves a picture, stamped as it happens; a column's ``t`` is that of its first chunk."""


class Source(Protocol):
    """A race that may still grow."""

    tracks: RaceTracks

    @property
    def ended(self) -> bool:
        """True when nothing more will come."""
        ...

    def poll(self, now_ns: int) -> None:
        """Take in what was recorded since the last poll; ``now_ns`` is ``CLOCK_MONOTONIC``."""
        ...

    def edge_ns(self, now_ns: int) -> int:
        """Return the last position there is to see."""
        ...

    def countdown_s(self, now_ns: int) -> int | None:
        """Return the seconds left until the start, or None when nobody counts."""
        ...

    def quiet_s(self, now_ns: int) -> float:
        """Return for how long a race that should go on has said nothing."""
        ...

    def late_ns(self, now_ns: int) -> int:
        """Return how much too late for its picture something was read in the last second; 0 when nothing was."""
        ...


class PastRace:
    """A race that is over, or several side by side, read whole; ``logs`` are what was read."""

    ended = True

    def __init__(self, *paths: Path, align: Align = "start", only: frozenset[str] | None = None) -> None:
        labels = _labels(paths)
        self.logs = [open_log(path) for path in paths]
        races = [(label, log.events) for label, log in zip(labels, self.logs, strict=True)]
        self.tracks = side_by_side(races, align, only)

    def poll(self, now_ns: int) -> None:
        """Do nothing: it is all there."""

    def edge_ns(self, now_ns: int) -> int:  # noqa: ARG002 - a past race ends when it ended
        """Return the race's duration."""
        return self.tracks.duration_ns()

    def countdown_s(self, now_ns: int) -> int | None:  # noqa: ARG002 - long over
        """Return None: its start is long past."""
        return None

    def quiet_s(self, now_ns: int) -> float:  # noqa: ARG002 - nothing is awaited
        """Return 0: nothing is awaited."""
        return 0.0

    def late_ns(self, now_ns: int) -> int:  # noqa: ARG002 - it was all there before
        """Return 0: nothing comes late."""
        return 0


class LiveRace:
    """A race being recorded on this machine, followed on the clock it is recorded with.

    When the directory is sealed and goes away, the sealed file takes its place: a last commit between two polls
    would be missed otherwise. Without one, what was read stays.
    """

    def __init__(self, path: Path, align: Align = "start", only: frozenset[str] | None = None) -> None:
        self.tracks = RaceTracks((), align, only)
        self._path = path
        self._follower = LogFollower(path)
        self._heard_ns: int | None = None
        self._gone = False
        self._lag = Lag()

    @property
    def ended(self) -> bool:
        """True when every lane has ended, or the directory was sealed away."""
        lanes = self.tracks.lanes.values()
        return self._gone or (bool(lanes) and all(track.end_ns is not None for track in lanes))

    def poll(self, now_ns: int) -> None:
        """Take in the newly committed events. Cost: the new bytes."""
        if self._gone:
            return
        gone = not self._path.exists()  # before reading: what a last poll misses cannot be followed by "gone"
        if events := self._follower.poll():
            if self._heard_ns is not None:  # what was there before we came is not late
                self._lag.note(self._late_by(events, now_ns), now_ns)
            self.tracks.extend(events)
            self._heard_ns = now_ns
        if gone and (sealed := sealed_sibling(self._path)) is not None and sealed.exists():
            self.tracks.reload(open_log(sealed).events)
        self._gone = gone
        if self._heard_ns is None:
            self._heard_ns = now_ns

    def edge_ns(self, now_ns: int) -> int:
        """Return how long ago the latest lane to start did so, less the lag; at most the race, once it is over.

        In a time trial the next lane's start brings it back to 0, and the lanes before race along from the log.
        """
        head, facts = self.tracks.head, self.tracks.facts
        started = [track for track in self.tracks.lanes.values() if track.start_ns is not None]
        if not started or head is None:
            return 0
        latest = max(started, key=lambda track: track.start_ns or 0)
        edge = max(0, now_ns - head.mono_origin_ns - (latest.start_ns or 0) - LAG_NS)
        if not self.ended:
            return edge
        trial = facts is not None and facts.grid == "time-trial"
        whole = self.tracks.duration_ns()
        return whole if trial and edge >= latest.duration_ns() else min(edge, whole)

    def countdown_s(self, now_ns: int) -> int | None:
        """Return the whole seconds left of a 3-2-1 that a mark began."""
        head = self.tracks.head
        if head is None:
            return None
        now = now_ns - head.mono_origin_ns
        for mark in reversed(self.tracks.marks):
            if (whole_ns := countdown_ns(mark.label)) is not None:
                left_ns = mark.t + whole_ns - now
                return -(-left_ns // NS_PER_S) if left_ns > -NS_PER_S else None
        return None

    def quiet_s(self, now_ns: int) -> float:
        """Return seconds since the last event of a race that has not ended."""
        if self.ended or self._heard_ns is None:
            return 0.0
        return (now_ns - self._heard_ns) / NS_PER_S

    def late_ns(self, now_ns: int) -> int:
        """Return by how much the lag was too short for what was read in the last second."""
        return self._lag.worst_ns(now_ns)

    def _late_by(self, events: Sequence[AnyEvent], now_ns: int) -> int:
        """Return for how long the edge had passed the oldest of ``events`` when they came; 0 when it had not."""
        head = self.tracks.head
        if head is None:
            return 0
        seen = (event.t for event in events if isinstance(event, _SEEN))
        return max(0, now_ns - head.mono_origin_ns - LAG_NS - min(seen, default=now_ns))


def _labels(paths: Sequence[Path]) -> list[str]:
    """Return a short name for each log: its file's, numbered where two are called the same."""
    stems = [path.name.split(".")[0] for path in paths]
    return [stem if stems.count(stem) == 1 else f"{stem} #{number}" for number, stem in enumerate(stems, 1)]
