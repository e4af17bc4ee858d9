"""One request's facts gathered from the log, and the numbers over them (docs/metrics.md#of-one-request).

TPOT is the pace of what arrived, so tokens that were counted and never streamed are not in it (docs/metrics.md#tpot).
"""

from array import array
from dataclasses import dataclass, field, fields
from typing import Any

from racelog.clock import NS_PER_MS
from racelog.events import Phase, RequestStatus
from racelog.replay.track import LaneTrack

AT_ONCE_NS = 20_000
"""No engine makes 50,000 chunks a second for one stream; loopback hands on what was written at once in 5 us a chunk."""


@dataclass(slots=True)
class RequestState:
    """What is known of one request up to some instant. Times are ns since the race's origin.

    Its text stays in the ``track``: of the request's token chunks there, those from ``begins`` up to ``taken`` are
    its own so far (a request scheduled a second time begins after what came before). ``ahead`` is how many requests of
    its lane were open when it was due; ``connect_ns`` and its steps are null for a connection that was there already.
    ``cached_tokens`` are of its prompt, as the server says; None where it does not. ``t_answer`` is its first token chunk that is not reasoning.
    """

    lane: int
    req: int
    prompt: int
    phase: Phase
    t_scheduled: int
    t_sent: int | None = None
    t_headers: int | None = None
    t_first: int | None = None
    t_first_content: int | None = None
    t_last: int | None = None
    t_end: int | None = None
    status: RequestStatus = "open"
    http_status: int | None = None
    error: str = ""
    message: str = ""
    finish_reason: str = ""
    connection: str = ""
    connect_ns: int | None = None
    dns_ns: int | None = None
    tcp_ns: int | None = None
    tls_ns: int | None = None
    ahead: int = 0
    chunks: int = 0
    reasoning_chunks: int = 0
    t_answer: int | None = None
    counted_tokens: int = 0
    uncounted_chunks: int = 0
    input_tokens: int | None = None
    usage_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    total_tokens: int | None = None
    server: dict[str, Any] = field(default_factory=dict)
    track: LaneTrack | None = field(default=None, repr=False, compare=False)
    begins: int = 0
    taken: int = 0

    def reach(self, until_ns: int) -> "array[int]":
        """Take in the token chunks that arrived up to and at ``until_ns``; return where in the track the new ones stand.

        Cost: a search, then the new chunks' counts.
        """
        track = self.track
        if track is None or (stop := track.arrived(self.req, until_ns, self.taken)) == self.taken:
            return array("q")
        fresh = track.places(self.req)[self.taken : stop]
        self.taken = stop
        self.chunks += len(fresh)
        self.t_last = track.t[fresh[-1]]
        if self.t_first_content is None:
            content: int | None = fresh[0]
            if track.kinds != {"c"}:
                kind = track.kind
                content = next((place for place in fresh if kind[place] == "c"), None)
            self.t_first_content = None if content is None else track.t[content]
        self._reach_reasoning(fresh)
        counts = list(map(track.tokens.__getitem__, fresh)) if track.counted else []
        told = [count for count in counts if count is not None]
        self.counted_tokens += sum(told)
        self.uncounted_chunks += len(fresh) - len(told)
        return fresh

    def _reach_reasoning(self, fresh: "array[int]") -> None:
        """Take in which of the new chunks are reasoning."""
        track = self.track
        assert track is not None
        if "r" not in track.kinds:
            answer: int | None = fresh[0]
        else:
            kinds = list(map(track.kind.__getitem__, fresh))
            reasoning = kinds.count("r")
            self.reasoning_chunks += reasoning
            answer = next((place for place, kind in zip(fresh, kinds, strict=True) if kind != "r"), None)
        if self.t_answer is None and answer is not None:
            self.t_answer = track.t[answer]

    @property
    def _usage_counts(self) -> bool:
        """True when the server counted the answer: zero while text came is no count."""
        return self.usage_tokens is not None and (self.usage_tokens > 0 or not self.chunks)

    @property
    def token_basis(self) -> str:
        """Where `output_tokens` comes from: ``usage``, the server's counts per ``chunk``, or ``chunks`` themselves."""
        if self._usage_counts:
            return "usage"
        return "server" if self.chunks and not self.uncounted_chunks else "chunks"

    @property
    def output_tokens(self) -> int:
        """Output tokens by the best basis there is; a chunk is not a token, so the basis is always told.

        Those of reasoning are in it, be they streamed or not: they were generated, and are paid for.
        """
        if self._usage_counts:
            return (self.usage_tokens or 0) + self._reasoning_left_out
        counted = self.chunks and not self.uncounted_chunks
        return self.counted_tokens if counted else self.chunks

    @property
    def _reasoning_left_out(self) -> int:
        """Reasoning tokens that the server's count of the answer does not hold: they exceed it, or its total is the sum of all."""
        reasoning, answer = self.reasoning_tokens or 0, self.usage_tokens or 0
        if reasoning > answer:
            return reasoning
        if self.total_tokens is None or self.input_tokens is None:
            return 0
        return reasoning if self.total_tokens >= self.input_tokens + answer + reasoning else 0

    def _streamed(self) -> tuple[int | None, int]:
        """Return the first of the token chunks whose pace can be known, and how many tokens came from there on.

        These are all chunks and output tokens, unless the server counted reasoning. Where none of that was streamed, its tokens
        are no one's pace. Where some was, it is whole if it came as finely as the answer, to a factor of two, for servers chunk
        both alike; else it is a summary of what was hidden, and the answer alone is timed.
        """
        reasoning = (self.reasoning_tokens or 0) if self._usage_counts else 0
        if not reasoning:
            return self.t_first, self.output_tokens
        answer, answer_chunks = self.output_tokens - reasoning, self.chunks - self.reasoning_chunks
        per_chunk = max(1.0, answer / answer_chunks) if answer_chunks else 1.0
        if self.reasoning_chunks and reasoning <= 2 * per_chunk * self.reasoning_chunks:
            return self.t_first, self.output_tokens
        return self.t_answer, answer

    @property
    def one_piece(self) -> bool:
        """True when all of the answer's text came at once though it is more than a token: no pace can be told.

        At once is one instant, or the packets and reads that what was written in one piece is cut into, `AT_ONCE_NS` a chunk.
        """
        if self.t_first is None or self.t_last is None:
            return False
        apart_ns = self.t_last - self.t_first
        return apart_ns <= AT_ONCE_NS * (self.chunks - 1) and max(self.chunks, self.output_tokens) > 1

    @property
    def ttft_ns(self) -> int | None:
        """First token chunk minus request sent."""
        return None if self.t_first is None or self.t_sent is None else self.t_first - self.t_sent

    @property
    def ttft_ms(self) -> float | None:
        """`ttft_ns` in milliseconds."""
        return None if self.ttft_ns is None else self.ttft_ns / NS_PER_MS

    @property
    def queue_ms(self) -> float | None:
        """Request sent minus its schedule: the wait before any service, for the client or for room under ``max_open``."""
        return None if self.t_sent is None else (self.t_sent - self.t_scheduled) / NS_PER_MS

    @property
    def tpot_ms(self) -> float | None:
        """(Last - first token chunk) / (streamed tokens - 1); None below two, and where first and last came at one instant."""
        first, tokens = self._streamed()
        if first is None or self.t_last is None or first >= self.t_last or self.one_piece or tokens < 2:  # noqa: PLR2004 - a gap needs two
            return None
        return (self.t_last - first) / (tokens - 1) / NS_PER_MS

    @property
    def e2e_ms(self) -> float | None:
        """Request sent to the answer's last byte: its end, or counts behind that."""
        return None if self.t_end is None or self.t_sent is None else (self.t_end - self.t_sent) / NS_PER_MS

    @property
    def text(self) -> str:
        """The response so far."""
        return "".join(text for _, text in self.pieces)

    @property
    def pieces(self) -> list[tuple[int, str]]:
        """The response so far, piece by piece, each with the instant it arrived."""
        track = self.track
        if track is None:
            return []
        t, text = track.t, track.text
        return [(t[place], text[place]) for place in track.places(self.req)[self.begins : self.taken]]

    def facts(self) -> dict[str, Any]:
        """Return what was gathered as plain data, the response included."""
        known = {part.name: getattr(self, part.name) for part in fields(self) if part.name != "track"}
        return known | {"text": self.text}

    @property
    def counts(self) -> bool:
        """True when the request enters the numbers: a finished success of the race itself."""
        return self.phase == "race" and self.status == "ok"
