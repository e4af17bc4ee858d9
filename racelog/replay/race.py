"""A whole race as tracks, and a replay that stands at any position of it.

Position 0 is each lane's own start, so lanes that ran one after another stand side by side; or lanes are aligned
at their first tokens, or left where the clock had them. A lane's clock and the race's differ by a constant, and no
fold of one lane looks at another: alignment costs nothing.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Literal

from racelog.events import (
    AnyEvent,
    ClockAnchor,
    Control,
    EngineSamples,
    GpuSamples,
    Head,
    HostSamples,
    LaneFacts,
    Mark,
    Note,
    Prompt,
    RaceFacts,
    RequestEvent,
    Tokens,
)
from racelog.log.read.reader import collector_paused
from racelog.replay.health import lane_process
from racelog.replay.keyframes import Keyframes, state_bytes
from racelog.replay.lane import LaneFold
from racelog.replay.track import LaneEvent, LaneTrack

Align = Literal["start", "first-token", "wall"]
"""What lanes have in common at one position: time since their start, time to their first token, or the clock."""


class RaceTracks:
    """Everything a log says, sorted into one track per lane and what concerns the whole race.

    A lane that raced in ``events``, but of which nothing there tells, is called by its number.
    ``only`` names the lanes to take, by engine or number; the others are as if they had not raced.
    """

    def __init__(
        self, events: Iterable[AnyEvent] = (), align: Align = "start", only: frozenset[str] | None = None
    ) -> None:
        self.align = align
        self.only = only
        self.facts: RaceFacts | None = None
        self.anchor: ClockAnchor | None = None
        self.head: Head | None = None
        self.lanes: dict[int, LaneTrack] = {}
        self.prompts: dict[int, Prompt] = {}
        self.marks: list[Mark] = []
        self.notes: list[Note] = []
        self.controls: list[Control] = []
        self.host: list[HostSamples] = []
        self.gpu: list[GpuSamples] = []
        self.engine: list[EngineSamples] = []
        self._early: dict[int, list[AnyEvent]] = {}
        self._told: set[int] = set()
        self.extend(events)
        self._announce_nameless()

    def extend(self, events: Iterable[AnyEvent]) -> None:
        """Take more events; those of a lane not announced yet wait for it."""
        with collector_paused():
            for event in events:
                self._take(event)

    def reload(self, events: Iterable[AnyEvent]) -> None:
        """Forget everything and take ``events`` instead; replays that stand on these tracks fold anew."""
        vars(self).update(vars(RaceTracks(events, self.align, self.only)))

    def _take(self, event: AnyEvent) -> None:  # noqa: C901, PLR0912 - one branch per kind of event
        if isinstance(event, Tokens | LaneEvent) and event.lane in self.lanes:  # nearly all of them
            self.lanes[event.lane].add(event)
            return
        match event:
            case LaneFacts():
                self._announce(event)
            case RaceFacts():
                self.facts = event
            case Head():
                self.head = self.head or event
            case ClockAnchor():
                self.anchor = self.anchor or event
            case Prompt():
                self.prompts[event.prompt] = event
            case Mark():
                self.marks.append(event)
            case Note():
                self.notes.append(event)
            case Control():
                self.controls.append(event)
            case HostSamples():
                self.host.append(event)
                self._lane_samples(event)
            case GpuSamples():
                self.gpu.append(event)
            case EngineSamples():
                self.engine.append(event)
            case _ if (lane := getattr(event, "lane", None)) is not None:
                if lane in self.lanes:
                    self.lanes[lane].add(event)
                else:
                    self._early.setdefault(lane, []).append(event)
            case _:
                pass

    def _announce_nameless(self) -> None:
        """Open a track for every lane that raced though nothing tells of it: its facts were lost, its events were not."""
        for lane, events in sorted(self._early.items()):
            if lane not in self._told and any(isinstance(event, Tokens | RequestEvent) for event in events):
                self._announce(LaneFacts(t=0, lane=lane, engine=f"lane {lane}", model="", url="", dialect=""))
                self._told.discard(lane)

    @property
    def nameless(self) -> set[int]:
        """The lanes that are called by their numbers because nothing tells of them."""
        return self.lanes.keys() - self._told

    def _announce(self, facts: LaneFacts) -> None:
        """Open the lane's track, or take its facts as they are told again; what ran on it stays."""
        self._told.add(facts.lane)
        if self.only is not None and not self.only & {facts.engine, str(facts.lane)}:
            return
        if facts.lane in self.lanes:
            self.lanes[facts.lane].facts = facts
            return
        in_order = not self.lanes or facts.lane > next(reversed(self.lanes))
        track = self.lanes[facts.lane] = LaneTrack(facts)
        if not in_order:
            self.lanes = dict(sorted(self.lanes.items()))
        for early in self._early.pop(facts.lane, []):
            track.add(early)
        for samples in self.host:
            if samples.process == lane_process(facts.engine):
                track.health.add(samples)

    def _lane_samples(self, event: HostSamples) -> None:
        """Give a lane's process's readings to its lane; those of a lane not announced yet are found when it is."""
        for track in self.lanes.values():
            if event.process == lane_process(track.facts.engine):
                track.health.add(event)

    def duration_ns(self) -> int:
        """Return the last position of a replay: as a rule the longest lane's duration."""
        return max((0, *(self.position_ns(track, track.stop_ns) for track in self.lanes.values())))

    def origin_ns(self, track: LaneTrack) -> int:
        """Return the instant of the race that is position 0 on ``track``.

        Aligned at first tokens, the lane that waited longest for its own starts at 0 and the others after it.
        """
        start = track.start_ns if track.start_ns is not None else track.last_ns
        if self.align == "wall":
            return min((other.start_ns or 0 for other in self._started()), default=start)
        if self.align == "first-token":
            waits = {other.facts.lane: other.first_token_wait_ns() for other in self._started()}
            return start - (max(waits.values(), default=0) - waits.get(track.facts.lane, 0))
        return start

    def position_ns(self, track: LaneTrack, instant_ns: int) -> int:
        """Return the position at which ``track`` stands at an instant of the race."""
        return instant_ns - self.origin_ns(track) if track.start_ns is not None else 0

    def next_change_ns(self, position_ns: int) -> int | None:
        """Return the first position after this one at which anything is recorded on a lane; None after the last."""
        return min(self._changes(position_ns, after=True), default=None)

    def last_change_ns(self, position_ns: int) -> int | None:
        """Return the last position before this one at which anything is recorded on a lane; None before the first."""
        return max(self._changes(position_ns, after=False), default=None)

    def _changes(self, position_ns: int, *, after: bool) -> Iterator[int]:
        """Yield each lane's nearest change on one side of a position. Cost: two binary searches a lane."""
        for track in self._started():
            origin = self.origin_ns(track)
            instant = origin + position_ns
            if after:
                places = bisect_right(track.t, instant), bisect_right(track.events, instant, key=_instant)
            else:
                places = (
                    bisect_left(track.t, instant) - 1,
                    bisect_left(track.events, instant, key=_instant) - 1,
                )
            if 0 <= places[0] < len(track.t):
                yield max(0, track.t[places[0]] - origin)
            if 0 <= places[1] < len(track.events):
                yield max(0, track.events[places[1]].t - origin)

    def _started(self) -> list[LaneTrack]:
        return [track for track in self.lanes.values() if track.start_ns is not None]


def _instant(event: LaneEvent) -> int:
    return event.t


class Replay:
    """Stands at one position of a race; `seek` moves it, forward by what lies between, backward from a keyframe."""

    def __init__(self, tracks: RaceTracks) -> None:
        self.tracks = tracks
        self.position_ns = 0
        self.lanes: dict[int, LaneFold] = {}
        self._revisions: dict[int, int] = {}
        self.keyframes: dict[int, Keyframes] = {}

    def seek(self, position_ns: int) -> None:
        """Move every lane to ``position_ns`` after its own start (a lane without a start shows what it has)."""
        self.position_ns = max(0, position_ns)
        for lane, track in self.tracks.lanes.items():
            self._fold_to(lane, track, self.instant_ns(track))
        self._keep_order()

    def stand_on(self, folds: dict[int, LaneFold], position_ns: int) -> None:
        """Go on from ``folds``, one for every lane of the tracks, each standing on its lane's."""
        self.position_ns, self.lanes = position_ns, folds
        self._revisions = {lane: fold.track.revision for lane, fold in folds.items()}
        self.keyframes = {lane: Keyframes() for lane in folds}

    def instant_ns(self, track: LaneTrack) -> int:
        """Return the instant of the race that this position is on ``track``."""
        return self.tracks.origin_ns(track) + self.position_ns

    def seek_end(self) -> None:
        """Move to the end: every lane to the last instant the log knows of it, and not beyond.

        So a lane that still races stands where it was last heard of, however long the others have raced.
        """
        self.position_ns = self.tracks.duration_ns()
        for lane, track in self.tracks.lanes.items():
            self._fold_to(lane, track, track.last_ns)
        self._keep_order()

    def _fold_to(self, lane: int, track: LaneTrack, instant_ns: int) -> None:
        """Fold one lane to an instant: onward from where it stands, from a keyframe, or anew, whichever is near."""
        fold = self.lanes.get(lane)
        current = fold is not None and fold.track is track and self._revisions[lane] == track.revision
        if not current:
            self._revisions[lane] = track.revision
            self.keyframes[lane] = Keyframes()
        if fold is None or not current or fold.overtaken or instant_ns < fold.position_ns:
            fold = LaneFold(track)
        self.lanes[lane] = fold = self.keyframes[lane].nearer(instant_ns, fold.position_ns) or fold
        self.keyframes[lane].fold_to(fold, instant_ns)

    def state_bytes(self) -> bytes:
        """Return the whole state as bytes: equal at equal positions, by whatever route. Cost: every request so far."""
        return b"\n".join(state_bytes(fold) for fold in self.lanes.values())

    def _keep_order(self) -> None:
        """Put the lanes back into their fixed order after one was announced late, out of its turn."""
        if list(self.lanes) != list(self.tracks.lanes):
            self.lanes = {lane: self.lanes[lane] for lane in self.tracks.lanes}


def state_at(tracks: RaceTracks, position_ns: int) -> Replay:
    """Return a replay of ``tracks`` that stands at ``position_ns``. Cost: a fold from the start; keep one to seek in."""
    replay = Replay(tracks)
    replay.seek(position_ns)
    return replay
