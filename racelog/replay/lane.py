"""The fold over one lane: start, step by step up to an instant, state.

Order is canonical - by time; in one instant a request begins, its chunks arrive, it ends - so any sequence of
forward steps to t gives the state that one step to t gives.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from typing import Literal

from racelog.events import (
    TOKEN_CODES,
    LaneEnd,
    LaneStart,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    ResponseHeaders,
    Usage,
)
from racelog.replay.health import HealthFold
from racelog.replay.request import RequestState
from racelog.replay.track import LaneEvent, LaneTrack, folded_before

LaneStatus = Literal["waiting", "racing", "finished", "stopped", "died"]


class LaneFold:
    """Folds a `LaneTrack` forward; what it has gathered so far are its attributes.

    ``ttft_ms`` and ``tpot_ms`` are ascending, over requests of the race phase; TTFT counts as soon as the first
    token is there and is taken back if that request then fails. ``stamps`` counts the race's token chunks by letter
    of `racelog.events.STAMP_CODES`; ``health`` is what the lane's recorder noted of itself.
    """

    def __init__(self, track: LaneTrack) -> None:
        self.track = track
        self.position_ns = -1
        self.status: LaneStatus = "waiting"
        self.reason = ""
        self.requests: dict[int, RequestState] = {}
        self.open: dict[int, RequestState] = {}
        self.ok = 0
        self.failed = 0
        self.cancelled = 0
        self.errors: dict[str, int] = {}
        self.ttft_ms: list[float] = []
        self.tpot_ms: list[float] = []
        self.finished_tokens = 0
        self.finished_chunks = 0
        self.stamps: defaultdict[str, int] = defaultdict(int)
        self.health = HealthFold(track.health)
        self._ranked: dict[int, float] = {}
        self._next_event = 0
        self._next_chunk = 0
        self._last: LaneEvent | None = None

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
        """Output tokens so far: finished requests by their best basis, open ones by chunks."""
        return self.finished_tokens + sum(request.output_tokens for request in self.open.values())

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
            self._take_chunks(folded_before(event))
            self._step(event)
            self._next_event += 1
            self._last = event
        self._take_chunks(until_ns)
        end_ns = self.track.end_ns
        self.health.advance(self.track.start_ns, until_ns if end_ns is None else min(until_ns, end_ns))
        self.position_ns = until_ns

    def _take_chunks(self, until_ns: int) -> None:
        """Fold the chunks that arrived up to and at ``until_ns``."""
        track = self.track
        stop = bisect_right(track.t, until_ns, self._next_chunk)
        for i in range(self._next_chunk, stop):
            request = self.requests.get(track.request[i])
            if request is None or track.kind[i] not in TOKEN_CODES:
                continue
            t = track.t[i]
            if request.t_first is None:
                self._first_token(request, t)
            if request.t_first_content is None and track.kind[i] == "c":
                request.t_first_content = t
            request.t_last = t
            request.chunks += 1
            tokens = track.tokens[i]
            if tokens is None:
                request.uncounted_chunks += 1
            else:
                request.counted_tokens += tokens
            request.parts.append(track.text[i])
            if request.phase == "race":
                self.stamps[track.stamp[i]] += 1
        self._next_chunk = max(stop, self._next_chunk)

    def _first_token(self, request: RequestState, t_ns: int) -> None:
        request.t_first = t_ns
        if request.phase == "race" and request.status == "open" and request.ttft_ms is not None:
            self._ranked[request.req] = request.ttft_ms
            insort(self.ttft_ms, request.ttft_ms)

    def _step(self, event: LaneEvent) -> None:
        if isinstance(event, LaneStart):
            self.status = "racing"
        elif isinstance(event, LaneEnd):
            if self.status in ("waiting", "racing"):
                self.status, self.reason = event.status, event.reason
        elif isinstance(event, RequestScheduled):
            scheduled = RequestState(event.lane, event.req, event.prompt, event.phase, event.t)
            self.requests[event.req] = self.open[event.req] = scheduled
        elif (request := self.open.get(event.req)) is not None:
            self._step_request(request, event)

    def _step_request(
        self, request: RequestState, event: RequestSent | ResponseHeaders | Usage | RequestEnd
    ) -> None:
        match event:
            case RequestSent():
                request.t_sent, request.connection = event.t, event.connection
            case ResponseHeaders():
                request.t_headers, request.http_status = event.t, event.status
            case Usage():
                request.input_tokens, request.usage_tokens = event.input_tokens, event.output_tokens
                request.server = event.server
            case RequestEnd():
                del self.open[event.req]
                self._end(request, event)

    def _end(self, request: RequestState, event: RequestEnd) -> None:
        request.t_end, request.status = event.t, event.status
        request.error, request.message, request.finish_reason = (
            event.error,
            event.message,
            event.finish_reason,
        )
        if request.phase != "race":
            return
        ranked = self._ranked.pop(event.req, None)
        if event.status == "ok":
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
