"""How the load of a race was made, and how well the lanes kept together: a fold over its facts, starts and orders."""

from msgspec import Struct

from racelog.clock import NS_PER_S
from racelog.display.figures import tick
from racelog.replay.race import RaceTracks
from racelog.views.pauses import held

NS_PER_US = 1_000


class LaneStartFacts(Struct, frozen=True, kw_only=True):
    """One lane's start: how long after the agreed instant it was (None where none was recorded), and its CPUs if pinned."""

    lane: int
    late_us: float | None
    cpus: list[int]


class RaceLoad(Struct, frozen=True, kw_only=True):
    """Open loop where there is a rate, else closed.

    ``start_spread_us`` is the last minus the first start of the lanes that were told to start at one instant, None for fewer
    than two. ``paused_s`` is how long nothing was sent by order.
    """

    concurrency: int
    rate_per_s: float | None
    arrival: str
    max_open: int | None
    start_spread_us: float | None
    starts: list[LaneStartFacts]
    paused_s: float

    @property
    def words(self) -> str:
        """The load in a few words, such as ``open loop, 50/s poisson``; an imported race may not know it."""
        if self.rate_per_s is None:
            return f"closed loop, concurrency {self.concurrency}" if self.concurrency else "load unknown"
        cap = f", at most {self.max_open:,} open" if self.max_open else ""
        return f"open loop, {tick(self.rate_per_s)}/s {self.arrival}{cap}"


def agreed_starts(tracks: RaceTracks) -> dict[int | None, int]:
    """Return the instant at which each lane was told to start; that of None is for every lane without its own."""
    return {order.lane: order.t for order in tracks.controls if order.what == "go"}


def race_load(tracks: RaceTracks) -> RaceLoad:
    """Return the load of a race as far as its log knows. Cost: a look at each order."""
    facts = tracks.facts
    agreed = agreed_starts(tracks)
    starts, together = [], []
    for lane, track in tracks.lanes.items():
        if track.start_ns is None:
            continue
        at_ns = agreed.get(lane, agreed.get(None))
        late_us = None if at_ns is None else (track.start_ns - at_ns) / NS_PER_US
        starts.append(LaneStartFacts(lane=lane, late_us=late_us, cpus=track.cpus))
        if None in agreed and lane not in agreed:
            together.append(track.start_ns)
    spread_us = (max(together) - min(together)) / NS_PER_US if len(together) > 1 else None
    return RaceLoad(
        concurrency=facts.concurrency if facts else 0, rate_per_s=facts.rate_per_s if facts else None,
        arrival=facts.arrival if facts else "", max_open=facts.max_open if facts else None,
        start_spread_us=spread_us, starts=starts, paused_s=_paused_ns(tracks) / NS_PER_S,
    )  # fmt: skip


def _paused_ns(tracks: RaceTracks) -> int:
    """Return the time the race was held; a pause that nothing ended counts to the last instant known."""
    last = max((track.last_ns for track in tracks.lanes.values()), default=0)
    return sum(max(0, (last if to is None else to) - since) for since, to in held(tracks))
