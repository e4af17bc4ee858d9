"""A whole race as tracks, and a replay that stands at any position of it.

Position 0 is each lane's own start, so lanes that ran one after another stand side by side. A lane's clock and
the race's differ by a constant, and no fold of one lane looks at another: alignment costs nothing.
"""

from collections.abc import Iterable

from racelog.events import (
    AnyEvent,
    ClockAnchor,
    Control,
    GpuSamples,
    Head,
    HostSamples,
    LaneFacts,
    Mark,
    Note,
    Prompt,
    RaceFacts,
)
from racelog.replay.health import lane_process
from racelog.replay.lane import LaneFold
from racelog.replay.track import LaneTrack


class RaceTracks:
    """Everything a log says, sorted into one track per lane and what concerns the whole race."""

    def __init__(self, events: Iterable[AnyEvent] = ()) -> None:
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
        self._early: dict[int, list[AnyEvent]] = {}
        self.extend(events)

    def extend(self, events: Iterable[AnyEvent]) -> None:
        """Take more events; those of a lane not announced yet wait for it."""
        for event in events:
            self._take(event)

    def reload(self, events: Iterable[AnyEvent]) -> None:
        """Forget everything and take ``events`` instead; replays that stand on these tracks fold anew."""
        vars(self).update(vars(RaceTracks(events)))

    def _take(self, event: AnyEvent) -> None:  # noqa: C901, PLR0912 - one branch per kind of event
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
            case _ if (lane := getattr(event, "lane", None)) is not None:
                if lane in self.lanes:
                    self.lanes[lane].add(event)
                else:
                    self._early.setdefault(lane, []).append(event)
            case _:
                pass

    def _announce(self, facts: LaneFacts) -> None:
        """Open the lane's track, or take its facts as they are told again; what ran on it stays."""
        if facts.lane in self.lanes:
            self.lanes[facts.lane].facts = facts
            return
        track = self.lanes[facts.lane] = LaneTrack(facts)
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
        """Return the longest lane's duration: the last position of a replay."""
        return max((track.duration_ns() for track in self.lanes.values()), default=0)


class Replay:
    """Stands at one position of a race; `seek` moves it, forward cheaply, backward by folding anew."""

    def __init__(self, tracks: RaceTracks) -> None:
        self.tracks = tracks
        self.position_ns = 0
        self.lanes: dict[int, LaneFold] = {}
        self._revisions: dict[int, int] = {}

    def seek(self, position_ns: int) -> None:
        """Move every lane to ``position_ns`` after its own start (a lane without a start shows what it has)."""
        self.position_ns = max(0, position_ns)
        for lane, track in self.tracks.lanes.items():
            self._fold_to(lane, track, self.instant_ns(track))
        self._keep_order()

    def instant_ns(self, track: LaneTrack) -> int:
        """Return the instant of the race that this position is on ``track``."""
        return (track.start_ns if track.start_ns is not None else track.last_ns) + self.position_ns

    def seek_end(self) -> None:
        """Move to the end: every lane to the last instant the log knows of it, and not beyond.

        So a lane that still races stands where it was last heard of, however long the others have raced.
        """
        self.position_ns = self.tracks.duration_ns()
        for lane, track in self.tracks.lanes.items():
            self._fold_to(lane, track, track.last_ns)
        self._keep_order()

    def _fold_to(self, lane: int, track: LaneTrack, instant_ns: int) -> None:
        """Fold one lane to an instant: onward from where it stands, or anew when that is no longer true."""
        fold = self.lanes.get(lane)
        current = fold is not None and fold.track is track and self._revisions[lane] == track.revision
        if fold is None or not current or fold.overtaken or instant_ns < fold.position_ns:
            fold = self.lanes[lane] = LaneFold(track)
            self._revisions[lane] = track.revision
        fold.advance(instant_ns)

    def _keep_order(self) -> None:
        """Put the lanes back into their fixed order after one was announced late, out of its turn."""
        if list(self.lanes) != list(self.tracks.lanes):
            self.lanes = {lane: self.lanes[lane] for lane in self.tracks.lanes}
