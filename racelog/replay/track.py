"""One lane's part of a log as columns, ready to be folded up to any instant.

Chunks lie in one long column per field in time order; everything else is a list of events in time order. Rates
need no state: the chunks between two instants are two binary searches away.
"""

from array import array
from bisect import bisect_right

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


class LaneTrack:
    """Grows by `add`; `revision` changes when chunks had to be put back in order, so that folds start over."""

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
        if self.start_ns is None:
            return 0
        return max(0, (self.end_ns if self.end_ns is not None else self.last_ns) - self.start_ns)

    def token_chunks_between(self, after_ns: int, until_ns: int) -> int:
        """Return how many token chunks arrived in (after, until]."""
        return bisect_right(self.token_t, until_ns) - bisect_right(self.token_t, after_ns)

    def _add_event(self, event: LaneEvent) -> None:
        if isinstance(event, LaneStart) and (self.start_ns is None or event.t < self.start_ns):
            self.start_ns, self.cpus = event.t, event.cpus
        elif isinstance(event, LaneEnd) and (self.end_ns is None or event.t < self.end_ns):
            self.end_ns = event.t
        self.last_ns = max(self.last_ns, event.t)
        if self.events and _order(event) < _order(self.events[-1]):
            self.events.insert(bisect_right(self.events, _order(event), key=_order), event)
        else:
            self.events.append(event)

    def _add_chunks(self, batch: Tokens) -> None:
        size = len(batch.r)
        if not size:
            return
        disordered = bool(self.t) and batch.t < self.t[-1]
        t = batch.t
        for delta in batch.d:
            t += delta
            self.t.append(t)
        kinds = batch.c or "c" * size
        self.request += batch.r
        self.text += batch.x
        self.kind += kinds
        self.tokens += batch.n or [None] * size
        self.stamp += batch.s or "k" * size
        if disordered:
            self._sort()
        elif set(kinds) <= TOKEN_CODES:
            self.token_t.extend(self.t[-size:])
        else:
            self.token_t.extend(
                t for t, kind in zip(self.t[-size:], kinds, strict=True) if kind in TOKEN_CODES
            )
        self.last_ns = max(self.last_ns, self.t[-1])

    def _sort(self) -> None:
        """Put the chunk columns back into time order, keeping the order of equal times."""
        order = sorted(range(len(self.t)), key=self.t.__getitem__)
        self.t = array("q", [self.t[i] for i in order])
        self.request = [self.request[i] for i in order]
        self.text = [self.text[i] for i in order]
        self.kind = [self.kind[i] for i in order]
        self.tokens = [self.tokens[i] for i in order]
        self.stamp = [self.stamp[i] for i in order]
        self.token_t = array(
            "q", [t for t, kind in zip(self.t, self.kind, strict=True) if kind in TOKEN_CODES]
        )
        self.revision += 1
