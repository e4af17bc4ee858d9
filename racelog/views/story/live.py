"""The story of a race that is still being recorded, told on and not anew: the same words as `story` has of it.

What every lane has surely recorded is settled: the rules have seen it and go on from there. What is newer, and may
still find something between it, is told from a fork of the rules each time. Whatever belongs before what is settled
starts the story over, so a lane that starts late, or a log that comes out of order, costs time and no truth.
"""

from dataclasses import dataclass, field
from itertools import islice

from racelog.clock import NS_PER_S
from racelog.replay.lane import LaneFold
from racelog.replay.race import RaceTracks, Replay
from racelog.views.story.causes import readings_by
from racelog.views.story.engine import Story, Telling
from racelog.views.story.happenings import Beat, beats_of_lane, beats_of_request, in_order, seconds_between

MARGIN_NS = 2 * NS_PER_S
"""A lane's last word is this old before what lies earlier counts as settled; a recorder commits four times a second."""

NOTHING = -1
"""Up to here nothing is settled: no beat lies before position 0. Events do: warm-ups, and what was due at the start."""


@dataclass(slots=True)
class _Lane:
    """One lane's part of what is settled: how much was recorded by then, and how many beats of what may have more."""

    origin_ns: int
    recorded: tuple[int, int] = (0, 0)
    own: int = 0
    met: set[int] = field(default_factory=set)
    newest: int | None = None
    unfinished: list[tuple[int, int]] = field(default_factory=list)


class Teller:
    """Tells the story of one race again and again while its tracks grow."""

    def __init__(self, tracks: RaceTracks) -> None:
        self._tracks = tracks
        self._replay = Replay(tracks)
        self._restart()

    def story(self) -> Story:
        """Return the story as far as it is recorded. Cost: what came since, and what is not settled yet."""
        self._replay.seek_end()
        fresh = self._fresh()
        if fresh is None:
            self._restart()
            fresh = self._fresh()
            assert fresh is not None  # with nothing settled there is nothing that could no longer hold
        fresh.sort(key=in_order)
        horizon = max(self._settled_ns, self._horizon_ns())
        settled = [beat for beat in fresh if beat.position_ns <= horizon]
        for beat in settled:
            self._telling.step(beat)
        self._settle(horizon)
        if len(settled) == len(fresh):
            return self._telling.copy().finish()
        tail = self._telling.copy()
        for beat in fresh[len(settled) :]:
            tail.step(beat)
        return tail.finish()

    def _restart(self) -> None:
        """Begin again with nothing settled: all there is, a warm-up before the start too, may then be new."""
        self._telling = Telling(self._tracks)
        self._facts = self._tracks.facts
        self._settled_ns = NOTHING
        self._readings = 0
        self._lanes: dict[int, _Lane] = {}

    def _fresh(self) -> list[Beat] | None:
        """Return the beats that are not settled, in any order; None when what is settled no longer holds."""
        if (
            self._telling.book.lanes.keys() != self._tracks.lanes.keys()
            or self._facts is not self._tracks.facts
        ):
            return None
        settled = self._settled_ns > NOTHING
        if settled and self._readings != self._readings_by(self._settled_ns):
            return None
        fresh = seconds_between(max(0, self._settled_ns), self._tracks.duration_ns())
        for lane, fold in self._replay.lanes.items():
            track, origin = fold.track, self._tracks.origin_ns(fold.track)
            kept = self._lanes.setdefault(lane, _Lane(origin))
            account = self._telling.book.lanes[lane]
            if (
                account.track is not track
                or not kept.origin_ns == account.origin_ns == origin
                or (settled and kept.recorded != track.recorded_by(origin + self._settled_ns))
                or not _meet(kept, fold)
            ):
                return None
            found = [(beats_of_lane(track, lane, origin), kept.own)]
            if track.start_ns is not None:
                found += [
                    (beats_of_request(fold.requests[req], lane, origin), told)
                    for req, told in kept.unfinished
                ]
            for beats, told in found:
                later = [beat for beat in beats if beat.position_ns > self._settled_ns]
                if len(beats) - len(later) != told:
                    return None
                fresh += later
        return fresh

    def _settle(self, horizon_ns: int) -> None:
        """Note what is settled now."""
        self._settled_ns, self._readings = horizon_ns, self._readings_by(horizon_ns)
        for lane, kept in self._lanes.items():
            fold = self._replay.lanes[lane]
            kept.recorded = fold.track.recorded_by(kept.origin_ns + horizon_ns)
            kept.own = _told(beats_of_lane(fold.track, lane, kept.origin_ns), horizon_ns)
            requests = [fold.requests[req] for req, _ in kept.unfinished]
            kept.unfinished = [
                (request.req, _told(beats_of_request(request, lane, kept.origin_ns), horizon_ns))
                for request in requests
                if request.t_end is None or request.t_end - kept.origin_ns > horizon_ns
            ]

    def _horizon_ns(self) -> int:
        """Return the position up to which every lane has surely recorded everything; `NOTHING` before all have started."""
        tracks = self._tracks
        known: list[int] = []
        for track in tracks.lanes.values():
            if track.start_ns is None:
                return NOTHING
            if track.end_ns is None:
                known.append(tracks.position_ns(track, track.last_ns) - MARGIN_NS)
        return min(known, default=tracks.duration_ns()) if tracks.lanes else NOTHING

    def _readings_by(self, position_ns: int) -> int:
        """Return how many batches of readings began by a position of the lane that is furthest on the clock."""
        origins = [kept.origin_ns for kept in self._lanes.values()]
        return readings_by(self._tracks, max(origins, default=0) + position_ns)


def _meet(kept: _Lane, fold: LaneFold) -> bool:
    """Take in the lane's new requests; return whether all of them are new, and after those that were known."""
    newcomers: list[int] = []
    for req in reversed(fold.requests):
        if req in kept.met:
            break
        newcomers.append(req)
    if len(fold.requests) != len(kept.met) + len(newcomers):
        return False
    if kept.newest is not None and kept.newest != next(islice(reversed(fold.requests), len(newcomers), None)):
        return False
    kept.met.update(newcomers)
    kept.unfinished += [(req, 0) for req in reversed(newcomers)]
    kept.newest = next(reversed(fold.requests), None)
    return True


def _told(beats: list[Beat], horizon_ns: int) -> int:
    return sum(beat.position_ns <= horizon_ns for beat in beats)
