"""The fold over one lane: start, step by step up to an instant, state.

Order is canonical - by time; in one instant a request begins, its chunks arrive, it ends - so any sequence of
forward steps to t gives the state that one step to t gives. A request's end closes it: what arrives for it later
stays in the track and counts for nothing.
"""

from bisect import bisect_right, insort
from collections import Counter
from dataclasses import asdict, replace
from typing import Any, Literal

from racelog.events import (
    LaneEnd,
    LaneStart,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    ResponseHeaders,
    Usage,
)
from racelog.log.format.codec import MIN_T_NS
from racelog.replay.health import LATE_SEND_NS, HealthFold
from racelog.replay.request import RequestState
from racelog.replay.tally import Tally
from racelog.replay.track import LaneEvent, LaneTrack, folded_before

LaneStatus = Literal["waiting", "racing", "finished", "stopped", "died"]


class LaneFold:
    """Folds a `LaneTrack` forward; what it has gathered so far are its attributes.

    ``ttft_ms`` and ``tpot_ms`` are ascending, over requests of the race phase; TTFT counts as soon as the first
    token is there and is taken back if that request then fails. ``stamps`` counts the race's token chunks by letter
    of `racelog.events.STAMP_CODES`; ``ended`` has the requests in the order they ended; ``health`` is what the lane's
    recorder noted of itself. ``sends`` counts the race's requests that went out, ``late_sends`` those that were
    `LATE_SEND_NS` late by how many were open when they were due; ``tally`` has what the standings ask beside the counts.
    """

    def __init__(self, track: LaneTrack) -> None:
        self.track = track
        self.position_ns = MIN_T_NS - 1
        self.status: LaneStatus = "waiting"
        self.reason = ""
        self.requests: dict[int, RequestState] = {}
        self.open: dict[int, RequestState] = {}
        self.ended: list[RequestState] = []
        self.ok = 0
        self.failed = 0
        self.cancelled = 0
        self.errors: dict[str, int] = {}
        self.ttft_ms: list[float] = []
        self.tpot_ms: list[float] = []
        self.finished_tokens = 0
        self.finished_chunks = 0
        self.tally = Tally()
        self.stamps: Counter[str] = Counter()
        self.sends = 0
        self.late_sends: Counter[int] = Counter()
        self.health = HealthFold(track.health)
        self._ranked: dict[int, float] = {}
        self._left: dict[int, float] = {}
        self._late_starters: dict[int, RequestState] = {}
        self._next_event = 0
        self._next_first = 0
        self._next_chunk = 0
        self._last: LaneEvent | None = None

    @property
    def over(self) -> bool:
        """Whether the lane has ended: what it left open then is no answer, and counts in no number."""
        return self.status not in ("waiting", "racing")

    @property
    def stands_ns(self) -> int:
        """Until when what is open has been open: the position, and of a lane that has ended its end."""
        end = self.track.end_ns
        return self.position_ns if end is None or not self.over else min(end, self.position_ns)

    @property
    def folded(self) -> int:
        """How many of the track's events are folded."""
        return self._next_event

    @property
    def overtaken(self) -> bool:
        """True when something arrived that belongs before what is folded already; a fold from the start is due."""
        events, chunks = self.track.events, self.track.t
        event, chunk, last = self._next_event, self._next_chunk, self._last
        if last is not None and events[event - 1] is not last:
            return True
        if last is not None and chunk < len(chunks) and chunks[chunk] <= folded_before(last):
            return True
        return chunk > 0 and event < len(events) and folded_before(events[event]) < chunks[chunk - 1]

    @property
    def output_tokens(self) -> int:
        """Output tokens so far: finished requests by their best basis, open ones by chunks while the lane may finish them."""
        if self.over:
            return self.finished_tokens
        return self.finished_tokens + sum(request.output_tokens for request in self.open.values())

    def answered_ttft_ms(self) -> list[float]:
        """Return the TTFTs of whole answers alone, ascending. Cost: a copy, and a look through it per open request."""
        answered = list(self.ttft_ms)
        for ttft_ms in self._ranked.values():
            answered.remove(ttft_ms)
        return answered

    @property
    def tokens_per_chunk(self) -> float:
        """How many tokens a chunk carried on average, by finished requests; 1.0 until one says so."""
        return self.finished_tokens / self.finished_chunks if self.finished_chunks else 1.0

    def advance(self, until_ns: int) -> None:
        """Step forward to ``until_ns``, inclusive. Cost: what lies between.

        Raises:
            ValueError: ``until_ns`` lies before the present position; a fold only goes forward.
        """
        if until_ns < self.position_ns:
            raise ValueError(f"a fold at {self.position_ns} ns cannot go back to {until_ns} ns")
        events = self.track.events
        while self._next_event < len(events) and events[self._next_event].t <= until_ns:
            event = events[self._next_event]
            self._take_first_tokens(folded_before(event))
            self._step(event)
            self._next_event += 1
            self._last = event
        self._take_first_tokens(until_ns)
        for request in self.open.values():
            self._reach(request, until_ns)
        self._next_chunk = bisect_right(self.track.t, until_ns, self._next_chunk)
        end_ns = self.track.end_ns
        self.health.advance(self.track.start_ns, until_ns if end_ns is None else min(until_ns, end_ns))
        self.position_ns = until_ns

    def copy(self) -> "LaneFold":
        """Return the fold as it stands, to go on from here a second time. Ended requests are shared: they change no more."""
        other = LaneFold(self.track)
        vars(other).update(vars(self))
        other.open = {req: replace(request) for req, request in self.open.items()}
        other._late_starters = {req: other.open[req] for req in self._late_starters}
        other.requests, other.ended = self.requests | other.open, list(self.ended)
        other.errors, other._ranked, other._left = dict(self.errors), dict(self._ranked), dict(self._left)
        other.late_sends = Counter(self.late_sends)
        other.stamps, other.health = Counter(self.stamps), self.health.copy()
        other.ttft_ms, other.tpot_ms = list(self.ttft_ms), list(self.tpot_ms)
        other.tally = self.tally.copy()
        return other

    def stand_on(self, track: LaneTrack) -> None:
        """Go on over ``track`` from the present position: what it has up to and at that instant is folded already.

        It needs no more than what concerns requests that are open here, and all that comes later.
        """
        position = self.position_ns
        self.track = track
        self._next_event = bisect_right(track.events, position, key=lambda event: event.t)
        self._last = track.events[self._next_event - 1] if self._next_event else None
        self._next_first = bisect_right(track.firsts, position, key=lambda first: first[0])
        self._next_chunk = bisect_right(track.t, position)
        end_ns = position if track.end_ns is None else min(position, track.end_ns)
        self.health.stand_on(track.health, track.start_ns, end_ns)

    def without_ended(self) -> "LaneFold":
        """Return a copy that has forgotten the requests that ended; what they counted for still counts."""
        other = self.copy()
        vars(other).update(requests=dict(other.open), ended=[], _last=None)
        return other

    def state(self) -> dict[str, Any]:
        """Return everything gathered so far as plain data: two folds at one instant have the same, byte for byte."""
        return {
            "position_ns": self.position_ns, "status": self.status, "reason": self.reason, "ok": self.ok,
            "failed": self.failed, "cancelled": self.cancelled, "errors": dict(sorted(self.errors.items())),
            "ttft_ms": self.ttft_ms, "tpot_ms": self.tpot_ms, "finished_tokens": self.finished_tokens,
            "finished_chunks": self.finished_chunks, "open": list(self.open),
            "stamps": dict(sorted(self.stamps.items())), "sends": self.sends,
            "late_sends": sorted(self.late_sends.items()), "health": self.health.state(), "tally": asdict(self.tally),
            "requests": [request.facts() for request in self.requests.values()],
        }  # fmt: skip

    def _reach(self, request: RequestState, until_ns: int) -> None:
        """Take in a request's token chunks up to and at ``until_ns``, and who stamped them."""
        fresh = request.reach(until_ns)
        if not fresh or request.phase != "race":
            return
        if len(self.track.stamps) == 1:
            self.stamps.update(dict.fromkeys(self.track.stamps, len(fresh)))
        else:
            self.stamps.update(map(self.track.stamp.__getitem__, fresh))

    def _take_first_tokens(self, until_ns: int) -> None:
        """Note the first tokens that arrived up to and at ``until_ns``."""
        firsts = self.track.firsts
        while self._next_first < len(firsts) and firsts[self._next_first][0] <= until_ns:
            t_ns, req = firsts[self._next_first]
            self._next_first += 1
            if (request := self.open.get(req)) is not None and request.t_first is None:
                self._first_token(request, t_ns)
        for request in list(self._late_starters.values()) if self._late_starters else ():
            if self.track.arrived(request.req, until_ns, request.begins) > request.begins:
                del self._late_starters[request.req]
                self._first_token(request, self.track.t[self.track.places(request.req)[request.begins]])

    def _first_token(self, request: RequestState, t_ns: int) -> None:
        request.t_first = t_ns
        if request.phase == "race" and request.status == "open" and request.ttft_ms is not None:
            if self.over:
                self._left[request.req] = request.ttft_ms
                return
            self._ranked[request.req] = request.ttft_ms
            insort(self.ttft_ms, request.ttft_ms)

    def _step(self, event: LaneEvent) -> None:
        if isinstance(event, LaneStart):
            self.status = "racing"
        elif isinstance(event, LaneEnd):
            if self.status in ("waiting", "racing"):
                self.status, self.reason = event.status, event.reason
                self._leave_open()
        elif isinstance(event, RequestScheduled):
            self._schedule(event)
        elif (request := self.open.get(event.req)) is not None:
            self._step_request(request, event)

    def _leave_open(self) -> None:
        """Take the first tokens of requests that the end of the lane left open out of its numbers, as if cancelled."""
        for ttft_ms in self._ranked.values():
            self.ttft_ms.remove(ttft_ms)
        self._left, self._ranked = self._ranked, {}

    def _schedule(self, event: RequestScheduled) -> None:
        """Open a request; chunks that came under its number before it was scheduled are not its own."""
        before = self.track.arrived(event.req, folded_before(event))
        scheduled = RequestState(
            event.lane, event.req, event.prompt, event.phase, event.t,
            track=self.track, begins=before, taken=before, ahead=len(self.open),
        )  # fmt: skip
        self._late_starters.pop(event.req, None)
        if before:
            self._late_starters[event.req] = scheduled
        self.requests.pop(event.req, None)
        self.open.pop(event.req, None)
        self.requests[event.req] = self.open[event.req] = scheduled

    def _step_request(
        self, request: RequestState, event: RequestSent | ResponseHeaders | Usage | RequestEnd
    ) -> None:
        match event:
            case RequestSent():
                self._send(request, event)
            case ResponseHeaders():
                request.t_headers, request.http_status = event.t, event.status
            case Usage():
                request.input_tokens, request.usage_tokens = event.input_tokens or None, event.output_tokens
                request.cached_tokens, request.reasoning_tokens = event.cached_tokens, event.reasoning_tokens
                request.total_tokens = event.total_tokens
                request.server = event.server
            case RequestEnd():
                self._reach(request, event.t)
                self.ended.append(self.open.pop(event.req))
                self._late_starters.pop(event.req, None)
                self._end(request, event)

    def _send(self, request: RequestState, event: RequestSent) -> None:
        """Take a send; only the first of a request is late by its client: another follows a connection's end."""
        if request.phase == "race" and request.t_sent is None:
            self.sends += 1
            if event.t - request.t_scheduled - (event.connect_ns or 0) > LATE_SEND_NS:
                self.late_sends[request.ahead] += 1
        request.t_sent, request.connection = event.t, event.connection
        request.connect_ns, request.dns_ns = event.connect_ns, event.dns_ns
        request.tcp_ns, request.tls_ns = event.tcp_ns, event.tls_ns

    def _end(self, request: RequestState, event: RequestEnd) -> None:
        request.t_end, request.status = event.t, event.status
        request.error, request.message, request.finish_reason = (
            event.error,
            event.message,
            event.finish_reason,
        )
        if request.phase != "race":
            return
        self.tally.take(request)
        ranked, left = self._ranked.pop(event.req, None), self._left.pop(event.req, None)
        if event.status == "ok":
            if left is not None:  # ended after its lane, in a log put together by hand
                insort(self.ttft_ms, left)
            self.ok += 1
            self.finished_tokens += request.output_tokens
            self.finished_chunks += request.chunks
            if request.tpot_ms is not None:
                insort(self.tpot_ms, request.tpot_ms)
            return
        if ranked is not None:
            self.ttft_ms.remove(ranked)
        if event.status == "failed":
            self.failed += 1
            self.errors[event.error] = self.errors.get(event.error, 0) + 1
        else:
            self.cancelled += 1
