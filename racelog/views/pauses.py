"""When a race was held by order: from each `pause` to what ended it. Pure."""

from collections.abc import Iterator

from racelog.replay.race import RaceTracks


def held(tracks: RaceTracks) -> Iterator[tuple[int, int | None]]:
    """Yield the instants between which nothing was sent by order; None for a pause that nothing has ended."""
    since: int | None = None
    for order in sorted(tracks.controls, key=lambda order: order.t):
        if order.what == "pause" and since is None:
            since = order.t
        elif order.what in ("resume", "stop") and since is not None:
            yield since, order.t
            since = None
    if since is not None:
        yield since, None


def held_at(tracks: RaceTracks, instant_ns: int) -> bool:
    """Return whether the race was held at an instant. Cost: a look at each order, of which there are few."""
    return any(since <= instant_ns and (to is None or instant_ns < to) for since, to in held(tracks))


def pauses(tracks: RaceTracks) -> list[tuple[int, int]]:
    """Return the stretches of the replay in which a lane that raced was held, ascending and apart."""
    found: list[tuple[int, int]] = []
    for begin, end in sorted(_of_lanes(tracks)):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found


def _of_lanes(tracks: RaceTracks) -> Iterator[tuple[int, int]]:
    """Yield each pause on each lane as far as it raced, as positions of the replay."""
    for track in tracks.lanes.values():
        if track.start_ns is None:
            continue
        for since, to in held(tracks):
            begin = max(since, track.start_ns)
            end = track.stop_ns if to is None else min(to, track.stop_ns)
            if begin < end:
                yield tracks.position_ns(track, begin), tracks.position_ns(track, end)
