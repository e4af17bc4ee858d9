"""The instants of a race worth stopping at: first tokens, overtakes, errors, finishes and marks. Pure."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Literal

from msgspec import Struct

from racelog.clock import NS_PER_S
from racelog.display.text import printable
from racelog.live import countdown_ns
from racelog.replay.lane import LaneFold
from racelog.replay.race import RaceTracks, Replay
from racelog.views.faults import said
from racelog.views.pauses import pauses
from racelog.views.standings import race_verdict
from racelog.views.verdict import status_word

MomentKind = Literal["first-token", "overtake", "lead", "error", "anomaly", "finish", "pause", "mark"]

KINDS: tuple[MomentKind, ...] = (
    "first-token", "overtake", "lead", "error", "anomaly", "finish", "pause", "mark",
)  # fmt: skip

HOLDS_NS = NS_PER_S
"""Places that changed again sooner are not worth a stop."""


class Moment(Struct, frozen=True, order=True):
    """One instant: its position in the replay, what happens there in words and in one word, and on which lane."""

    position_ns: int
    text: str
    kind: MomentKind = "mark"
    lane: int | None = None


def moments(tracks: RaceTracks) -> list[Moment]:
    """Return the moments of a race in order of position.

    Cost: two folds of the race, and one look at the standings for every request.
    """
    found: list[Moment] = []
    for fold in _at_end(tracks).lanes.values():
        found += _of_lane(tracks, fold)
    found += [
        Moment(max(0, mark.t - first), f"mark: {printable(mark.label)}", "mark")
        for mark in tracks.marks
        if countdown_ns(mark.label) is None  # the count down to the start is before the race, not in it
        and (first := _race_start(tracks)) is not None
        and mark.t >= first
    ]
    found += [
        Moment(begin, "the race is paused", "pause") for begin in {begin for begin, _ in pauses(tracks)}
    ]
    return sorted(found + list(_overtakes(tracks)), key=lambda moment: (moment.position_ns, moment.text))


def turning_points(tracks: RaceTracks) -> list[int]:
    """Return every position at which a number of the standings or a count of requests changes, ascending."""
    points: set[int] = set()
    for fold in _at_end(tracks).lanes.values():
        if fold.track.start_ns is None:
            continue
        origin = tracks.origin_ns(fold.track)
        ends = [fold.track.end_ns, *(request.t_end for request in fold.requests.values())]
        firsts = [request.t_first for request in fold.requests.values()]
        points |= {t - origin for t in (*firsts, *ends) if t is not None and t >= origin}
    return sorted(points)


def busy_instants(tracks: RaceTracks) -> list[int]:
    """Return the positions at which anything happens on any lane, to the millisecond: what an idle limit keeps."""
    instants: set[int] = set()
    for track in tracks.lanes.values():
        origin = tracks.origin_ns(track)
        instants.update((event.t - origin) // 1_000_000 for event in track.events)
        instants.update((t - origin) // 1_000_000 for t in track.t)
    return [instant * 1_000_000 for instant in sorted(instants)]


def _of_lane(tracks: RaceTracks, fold: LaneFold) -> list[Moment]:
    """Return a lane's own moments: its first token, its errors, its end."""
    name, lane = printable(fold.track.facts.engine), fold.track.facts.lane
    if fold.track.start_ns is None:
        return []
    origin = tracks.origin_ns(fold.track)
    found: list[Moment] = []
    if firsts := [request.t_first for request in fold.requests.values() if request.t_first is not None]:
        found.append(Moment(max(0, min(firsts) - origin), f"{name}: first token", "first-token", lane))
    found += [
        Moment(max(0, request.t_end - origin), f"{name}: request {request.req} failed, {_why(request.error, request.message)}", "error", lane)
        for request in fold.requests.values()
        if request.status == "failed" and request.t_end is not None
    ]  # fmt: skip
    if fold.track.end_ns is not None:
        found.append(
            Moment(max(0, fold.track.end_ns - origin), f"{name}: {status_word(fold.status)}", "finish", lane)
        )
    return found


def _why(error: str, message: str) -> str:
    """Return the shortest honest reason of a failure."""
    return printable(said(message) or error or "no reason recorded")


def _overtakes(tracks: RaceTracks) -> Iterator[Moment]:
    """Yield who passes whom; a change of the first place is told as that, and only who rises is told of."""
    before: list[int] = []
    for point, placed in _held(list(_orders(tracks))):
        known = [lane for lane in placed if lane in before]
        for place, lane in enumerate(known):
            passed = [other for other in known[place + 1 :] if before.index(other) < before.index(lane)]
            if not passed:
                continue
            name = printable(tracks.lanes[lane].facts.engine)
            if place == 0 and placed[0] == lane:
                yield Moment(point, f"{name} takes the lead", "lead", lane)
            else:
                yield Moment(
                    point,
                    f"{name} passes {printable(tracks.lanes[passed[0]].facts.engine)}",
                    "overtake",
                    lane,
                )
        if placed and before and placed[0] not in before:
            yield Moment(
                point, f"{printable(tracks.lanes[placed[0]].facts.engine)} takes the lead", "lead", placed[0]
            )
        before = placed


def _orders(tracks: RaceTracks) -> Iterator[tuple[int, list[int]]]:
    """Yield who stands where, first to last, from each position at which that changes."""
    replay = Replay(tracks)
    before: list[int] = []
    for point in turning_points(tracks):
        replay.seek(point)
        verdict = race_verdict(replay)
        placed = [lane for lane in verdict.standings if lane in verdict.places]
        if placed != before:
            before = placed
            yield point, placed


def _held(orders: list[tuple[int, list[int]]]) -> Iterator[tuple[int, list[int]]]:
    """Yield the orders that stood for `HOLDS_NS`, or to the end: the first answers of all change places all the time."""
    for (point, placed), after in zip_longest(orders, orders[1:]):
        if after is None or after[0] - point >= HOLDS_NS:
            yield point, placed


def _race_start(tracks: RaceTracks) -> int | None:
    """Return the instant of the first lane's start."""
    return min(
        (track.start_ns for track in tracks.lanes.values() if track.start_ns is not None), default=None
    )


def _at_end(tracks: RaceTracks) -> Replay:
    replay = Replay(tracks)
    replay.seek_end()
    return replay
