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
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

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
    RequestEvent,
    RequestScheduled,
    RequestSent,
    ResponseHeaders,
    Tokens,
    Usage,
)
from racelog.replay.health import HealthTrack

LaneEvent = LaneStart | LaneEnd | RequestEvent

_RANK = {
    kind: rank
    for rank, kind in enumerate(
        (LaneStart, RequestScheduled, RequestSent, ResponseHeaders, Usage, RequestEnd, LaneEnd)
    )
}


LONGEST_S = 30 * 86_400
"""What is told second by second is told of no longer race: one stamp that is centuries off would ask for them all."""

_AFTER_CHUNKS = frozenset({Usage, RequestEnd, LaneEnd})
_NOWHERE: "array[int]" = array("q")


def folded_before(event: LaneEvent) -> int:
    """Return the last instant whose chunks belong before ``event``.

    A request begins before the chunks of its instant and ends after them, so that a token which is there at once
    is not lost.
    """
    return event.t if type(event) in _AFTER_CHUNKS else event.t - 1


def _order(event: LaneEvent) -> tuple[int, int, int]:
    """Return the canonical place of an event: by time, then as a request lives, then by request.

    Events of one instant thus fold the same in whatever order they were written or arrived.
    """
    return event.t, _RANK[type(event)], getattr(event, "req", 0)


def _instant(event: LaneEvent) -> int:
    return event.t


def _no_places() -> "array[int]":
    return array("q")


class _Columns(NamedTuple):
    """What is known of each chunk beside its instant."""

    request: "array[int]"
    text: list[str]
    kind: list[str]
    tokens: list[int | None]
    stamp: list[str]


class _Waiting(NamedTuple):
    """A batch's columns as they came, but for the numbers: as objects of their own those take half of a race's memory."""

    request: "array[int]"
    text: list[str]
    kind: str
    tokens: list[int | None]
    stamp: str


class LaneTrack:
    """Grows by `add`; `revision` changes when chunks had to be put back in order, so that folds start over.

    ``firsts`` has (instant, request) of every request's first token chunk, in time order. ``counted``: some chunk
    says how many tokens it carries. ``kinds`` and ``stamps`` have the letters that occur in ``kind`` and ``stamp``.
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
        self.kinds: set[str] = set()
        self.stamps: set[str] = set()
        self._columns = _Columns(array("q"), [], [], [], [])
        self._waiting: list[_Waiting] = []
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

    @property
    def request(self) -> "array[int]":
        """The request of each chunk."""
        return self._flat().request

    @property
    def text(self) -> list[str]:
        """The text of each chunk."""
        return self._flat().text

    @property
    def kind(self) -> list[str]:
        """The kind of each chunk, a letter of `racelog.events.KIND_CODES`."""
        return self._flat().kind

    @property
    def tokens(self) -> list[int | None]:
        """How many tokens each chunk carries, where it says so."""
        return self._flat().tokens

    @property
    def stamp(self) -> list[str]:
        """Who stamped each chunk, a letter of `racelog.events.STAMP_CODES`."""
        return self._flat().stamp

    def _flat(self) -> "_Columns":
        """Return the columns with what waits put behind them. A fold needs none of them; making them costs as much as one."""
        columns = self._columns
        for batch in self._waiting:
            size = len(batch.request)
            columns.request.extend(batch.request)
            columns.text.extend(batch.text)
            columns.kind.extend(batch.kind or "c" * size)
            columns.tokens.extend(batch.tokens or [None] * size)
            columns.stamp.extend(batch.stamp or "k" * size)
        self._waiting.clear()
        return columns

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

    def recorded_by(self, instant_ns: int) -> tuple[int, int]:
        """Return how many events and how many token chunks there are up to an instant: whether any has come since."""
        return bisect_right(self.events, instant_ns, key=_instant), bisect_right(self.token_t, instant_ns)

    def token_chunks_between(self, after_ns: int, until_ns: int) -> int:
        """Return how many token chunks arrived in (after, until]."""
        return bisect_right(self.token_t, until_ns) - bisect_right(self.token_t, after_ns)

    def token_chunks_each_second(self, first: int, until: int) -> list[int]:
        """Return how many token chunks arrived in each whole second since the lane's start, from one to before another.

        Nothing for more than `LONGEST_S` of them.

        Cost: one step a second asked for; how many had come by the end of each passed second is kept.
        """
        if self.start_ns is None or until <= first or until - first > LONGEST_S:
            return []
        if until > LONGEST_S:
            edges = range(self.start_ns + first * NS_PER_S, self.start_ns + (until + 1) * NS_PER_S, NS_PER_S)
            return [self.token_chunks_between(low, high) for low, high in pairwise(edges)]
        begin, passed = self.start_ns, self._each_second
        while len(passed) <= until and self.token_t and begin + len(passed) * NS_PER_S < self.token_t[-1]:
            passed.append(
                bisect_right(self.token_t, begin + len(passed) * NS_PER_S, passed[-1] if passed else 0)
            )
        known = passed[first : until + 1].tolist()
        known += [len(self.token_t)] * (until + 1 - first - len(known))
        return [later - earlier for earlier, later in pairwise(known)]

    def preceded_by(self, token_t: "array[int]", last_ns: int) -> None:
        """Put the instants of earlier token chunks, which are not here, before those after them, for rates over both.

        ``last_ns`` is the last instant of what came before.
        """
        until = token_t[-1] if token_t else None
        kept = self.token_t if until is None else self.token_t[bisect_right(self.token_t, until) :]
        self.token_t = token_t + kept
        self.last_ns = max(self.last_ns, last_ns)
        self._each_second = array("q")

    def _add_event(self, event: LaneEvent) -> None:
        if isinstance(event, LaneStart) and (self.start_ns is None or event.t < self.start_ns):
            self.start_ns, self.cpus = event.t, event.cpus
            self._each_second = array("q")
        elif isinstance(event, LaneEnd) and (self.end_ns is None or event.t < self.end_ns):
            self.end_ns = event.t
        self.last_ns = max(self.last_ns, event.t)
        if self.events and event.t <= self.events[-1].t and _order(event) < _order(self.events[-1]):
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
        times = list(accumulate(batch.d, initial=batch.t))
        self.t.extend(array("q", times[1:]))
        self._waiting.append(_Waiting(array("q", batch.r), batch.x, batch.c, batch.n, batch.s))
        self.counted = self.counted or bool(batch.n)
        self.kinds.update(batch.c or "c")
        self.stamps.update(batch.s or "k")
        if disordered:
            self._sort()
        else:
            self._index(base, batch.r, batch.c)
        self.last_ns = max(self.last_ns, self.t[-1])

    def _index(self, base: int, requests: Sequence[int], kinds: Sequence[str]) -> None:
        """Note where the token chunks from ``base`` on stand, all of them and each request's; no ``kinds``: all are."""
        fresh: Sequence[int] = range(base, len(self.t))
        if TOKEN_CODES.issuperset(kinds):
            self.token_t.extend(self.t[base:])
        else:
            fresh = [place for place, kind in enumerate(kinds, base) if kind in TOKEN_CODES]
            self.token_t.extend(map(self.t.__getitem__, fresh))
            requests = [requests[place - base] for place in fresh]
        own: defaultdict[int, list[int]] = defaultdict(list)  # a list takes a place in half an array's time
        for place, request in zip(fresh, requests, strict=True):
            own[request].append(place)
        places = self._places
        self.firsts += [(self.t[new[0]], request) for request, new in own.items() if request not in places]
        for request, new in own.items():
            places[request].extend(array("q", new))

    def _sort(self) -> None:
        """Put the chunk columns back into time order, keeping the order of equal times."""
        order = sorted(range(len(self.t)), key=self.t.__getitem__)
        self.t = array("q", [self.t[i] for i in order])
        columns = self._flat()
        columns.request[:] = array("q", map(columns.request.__getitem__, order))
        others: tuple[list[Any], ...] = columns[1:]
        for column in others:
            column[:] = [column[i] for i in order]
        self.token_t, self.firsts, self._each_second = array("q"), [], array("q")
        self._places.clear()
        self._index(0, self.request, self.kind)
        self.revision += 1
