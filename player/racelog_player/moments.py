"""The instants of a race worth stopping at: first tokens, changes of the lead, finishes. Pure."""

from dataclasses import dataclass

from racelog.replay.race import RaceTracks, Replay
from racelog.views.race import standings


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """One instant: its position in the replay and what happens there."""

    position_ns: int
    text: str


def moments(tracks: RaceTracks) -> list[Moment]:
    """Return the moments of a race in order of position.

    Cost: two folds of the race, and one look at the standings for every request.
    """
    found: list[Moment] = []
    for fold in _at_end(tracks).lanes.values():
        name, start = fold.track.facts.engine, fold.track.start_ns
        if start is None:
            continue
        if first := [request.t_first for request in fold.requests.values() if request.t_first is not None]:
            found.append(Moment(min(first) - start, f"{name}: first token"))
        if fold.track.end_ns is not None:
            found.append(Moment(fold.track.end_ns - start, f"{name}: {fold.status}"))
    return sorted(found + _lead_changes(tracks))


def turning_points(tracks: RaceTracks) -> list[int]:
    """Return every position at which a number of the standings or a count of requests changes, ascending."""
    points: set[int] = set()
    for fold in _at_end(tracks).lanes.values():
        start = fold.track.start_ns
        if start is None:
            continue
        ends = [fold.track.end_ns, *(request.t_end for request in fold.requests.values())]
        firsts = [request.t_first for request in fold.requests.values()]
        points |= {t - start for t in (*firsts, *ends) if t is not None and t >= start}
    return sorted(points)


def _lead_changes(tracks: RaceTracks) -> list[Moment]:
    replay = Replay(tracks)
    leader: int | None = None
    changes: list[Moment] = []
    for point in turning_points(tracks):
        replay.seek(point)
        ranking = standings(replay)
        ahead = ranking[0] if ranking and replay.lanes[ranking[0]].ttft_ms else None
        if ahead is not None and leader is not None and ahead != leader:
            changes.append(Moment(point, f"{tracks.lanes[ahead].facts.engine} takes the lead"))
        leader = leader if ahead is None else ahead
    return changes


def _at_end(tracks: RaceTracks) -> Replay:
    replay = Replay(tracks)
    replay.seek_end()
    return replay
