"""One lane's part of a log as columns, ready to be folded up to any instant.

Chunks lie in one long column per field in time order; everything else is a list of events in time order. Rates
need no state: the chunks between two instants are two binary searches away. Nor does a request's answer: the
places of its token chunks are kept, and how many of them had arrived at an instant is one more search. So a fold
steps over a request's few events and never over its tokens.
"""

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate, islice, pairwise

from racelog.clock import NS_PER_S
from racelog.events import (
    TOKEN_CODES,
    AnyEvent,
    Calibration,
    Gap,
    LaneEnd,
    LaneFacts,
    LaneStart,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    ResponseHeaders,
    Tokens,
    Usage,
)
from racelog.replay.health import HealthTrack

LaneEvent = LaneStart | LaneEnd | RequestScheduled | RequestSent | ResponseHeaders | Usage | RequestEnd

_RANK = {
    kind: rank
    for rank, kind in enumerate(
        (LaneStart, RequestScheduled, RequestSent, ResponseHeaders, Usage, RequestEnd, LaneEnd)
    )
}


_NOWHERE: "array[int]" = array("q")


def folded_before(event: LaneEvent) -> int:
    """Return the last instant whose chunks belong before ``event``.

    A request begins before the chunks of its instant and ends after them, so that a token which is there at once
    is not lost.
    """
    return event.t if isinstance(event, Usage | RequestEnd | LaneEnd) else event.t - 1


def _order(event: LaneEvent) -> tuple[int, int, int]:
    """Return the canonical place of an event: by time, then as a request lives, then by request.

    Events of one instant thus fold the same in whatever order they were written or arrived.
    """
    return event.t, _RANK[type(event)], getattr(event, "req", 0)


def _no_places() -> "array[int]":
    return array("q")


class LaneTrack:
    """Grows by `add`; `revision` changes when chunks had to be put back in order, so that folds start over.

    ``firsts`` has (instant, request) of every request's first token chunk, in time order. ``counted``: some chunk
    says how many tokens it carries.
    """

    def __init__(self, facts: LaneFacts) -> None:
        self.facts = facts
        self.start_ns: int | None = None
        self.cpus: list[int] = []
        self.end_ns: int | None = None
        self.last_ns = 0
        self.revision = 0
        self.events: list[LaneEvent] = []
        self.t = array("q")
        self.request: list[int] = []
        self.text: list[str] = []
        self.kind: list[str] = []
        self.tokens: list[int | None] = []
        self.stamp: list[str] = []
        self.token_t = array("q")
        self.health = HealthTrack()
        self.counted = False
        self.firsts: list[tuple[int, int]] = []
        self._places: defaultdict[int, array[int]] = defaultdict(_no_places)
        self._each_second = array("q")

    def add(self, event: AnyEvent) -> None:
        """Take one event of this lane, whatever its kind; others than a lane's own are ignored."""
        if isinstance(event, Tokens):
            self._add_chunks(event)
        elif isinstance(event, LaneEvent):
            self._add_event(event)
        elif isinstance(event, Gap | Calibration):
            self.health.add(event)

    def duration_ns(self) -> int:
        """Return how long the lane has raced, as far as the log knows."""
        return 0 if self.start_ns is None else max(0, self.stop_ns - self.start_ns)

    @property
    def stop_ns(self) -> int:
        """The instant the lane ended, or was last heard of."""
        return self.end_ns if self.end_ns is not None else self.last_ns

    def first_token_wait_ns(self) -> int:
        """Return how long after its start the lane's first token came; 0 while there is none."""
        if self.start_ns is None or not self.firsts:
            return 0
        return max(0, self.firsts[0][0] - self.start_ns)

    def token_chunks_between(self, after_ns: int, until_ns: int) -> int:
        """Return how many token chunks arrived in (after, until]."""
        return bisect_right(self.token_t, until_ns) - bisect_right(self.token_t, after_ns)

    def token_chunks_each_second(self, first: int, until: int) -> list[int]:
        """Return how many token chunks arrived in each whole second since the lane's start, from one to before another.

        Cost: one step a second asked for; how many had come by the end of each passed second is kept.
        """
        if self.start_ns is None or until <= first:
            return []
        begin, passed = self.start_ns, self._each_second
        while len(passed) <= until and self.token_t and begin + len(passed) * NS_PER_S < self.token_t[-1]:
            passed.append(
                bisect_right(self.token_t, begin + len(passed) * NS_PER_S, passed[-1] if passed else 0)
            )
        known = passed[first : until + 1].tolist()
        known += [len(self.token_t)] * (until + 1 - first - len(known))
        return [later - earlier for earlier, later in pairwise(known)]

    def _add_event(self, event: LaneEvent) -> None:
        if isinstance(event, LaneStart) and (self.start_ns is None or event.t < self.start_ns):
            self.start_ns, self.cpus = event.t, event.cpus
            self._each_second = array("q")
        elif isinstance(event, LaneEnd) and (self.end_ns is None or event.t < self.end_ns):
            self.end_ns = event.t
        self.last_ns = max(self.last_ns, event.t)
        if self.events and _order(event) < _order(self.events[-1]):
            self.events.insert(bisect_right(self.events, _order(event), key=_order), event)
        else:
            self.events.append(event)

    def places(self, request: int) -> "array[int]":
        """Return where in the chunk columns a request's token chunks stand, ascending."""
        return self._places.get(request, _NOWHERE)

    def arrived(self, request: int, until_ns: int, known: int = 0) -> int:
        """Return how many of a request's token chunks had arrived at ``until_ns``; ``known`` of them surely had."""
        return bisect_right(self.places(request), until_ns, known, key=self.t.__getitem__)

    def _add_chunks(self, batch: Tokens) -> None:
        size = len(batch.r)
        if not size:
            return
        base = len(self.t)
        disordered = base > 0 and batch.t < self.t[-1]
        self.t.extend(islice(accumulate(batch.d, initial=batch.t), 1, None))
        kinds = batch.c or "c" * size
        self.request += batch.r
        self.text += batch.x
        self.kind += kinds
        self.tokens += batch.n or [None] * size
        self.counted = self.counted or bool(batch.n)
        self.stamp += batch.s or "k" * size
        if disordered:
            self._sort()
        else:
            self._index(base)
        self.last_ns = max(self.last_ns, self.t[-1])

    def _index(self, base: int) -> None:
        """Note where the token chunks from ``base`` on stand: all of them, and each request's."""
        fresh: Sequence[int] = range(base, len(self.t))
        if not TOKEN_CODES.issuperset(self.kind[base:]):
            fresh = [place for place in fresh if self.kind[place] in TOKEN_CODES]
            self.token_t.extend(map(self.t.__getitem__, fresh))
        else:
            self.token_t.extend(self.t[base:])
        requests = (
            self.request[base:] if isinstance(fresh, range) else [self.request[place] for place in fresh]
        )
        places = self._places
        begun = sorted((requests.index(new), new) for new in set(requests) if new not in places)
        self.firsts += [(self.t[fresh[index]], request) for index, request in begun]
        for place, request in zip(fresh, requests, strict=True):
            places[request].append(place)

    def _sort(self) -> None:
        """Put the chunk columns back into time order, keeping the order of equal times."""
        order = sorted(range(len(self.t)), key=self.t.__getitem__)
        self.t = array("q", [self.t[i] for i in order])
        self.request = [self.request[i] for i in order]
        self.text = [self.text[i] for i in order]
        self.kind = [self.kind[i] for i in order]
        self.tokens = [self.tokens[i] for i in order]
        self.stamp = [self.stamp[i] for i in order]
        self.token_t, self.firsts, self._each_second = array("q"), [], array("q")
        self._places.clear()
        self._index(0)
        self.revision += 1
