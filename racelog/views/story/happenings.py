"""The beats of a race: everything that happens to requests and lanes, in order, and a second hand between.

`Book` is the running account that every rule reads: what each lane has done up to the present beat.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from racelog.clock import NS_PER_S
from racelog.events import LaneEnd, RequestStatus
from racelog.replay.lane import LaneStatus
from racelog.replay.quantiles import median
from racelog.replay.race import RaceTracks, Replay
from racelog.replay.request import RequestState
from racelog.replay.tally import Tally
from racelog.replay.track import LONGEST_S, LaneTrack
from racelog.views.faults import said
from racelog.views.standings import Terms, terms_of
from racelog.views.verdict import LaneRun, Verdict, verdict

BeatKind = Literal["start", "sent", "first-token", "end", "lane-end", "second"]
_ORDER: dict[BeatKind, int] = {"start": 0, "sent": 1, "first-token": 2, "end": 3, "lane-end": 4, "second": 5}

WORDS = 256
"""Failures whose words an account keeps."""

RECENT = 4096
"""Ended requests a lane's account keeps for rules that look back; older ones only count."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One happening at a position of the replay; ``second`` beats belong to no lane."""

    position_ns: int
    kind: BeatKind
    lane: int | None = None
    request: RequestState | None = None


@dataclass(slots=True)
class LaneAccount:
    """What one lane has done up to the present beat; requests of the race phase only."""

    track: LaneTrack
    origin_ns: int
    target: int | None
    racing: bool = False
    ended: Literal["finished", "stopped", "died", ""] = ""
    ok: int = 0
    failed: int = 0
    cancelled: int = 0
    open: int = 0
    tokens: int = 0
    chunks: int = 0
    ttft_ms: list[float] = field(default_factory=list)
    tpot_ms: list[float] = field(default_factory=list)
    firsts: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=RECENT))
    fresh: deque[tuple[int, float]] = field(default_factory=deque)
    older_ms: list[float] = field(default_factory=list)
    started: int = 0
    mean_ms: float = 0.0
    squares: float = 0.0
    ends: deque[tuple[int, RequestStatus]] = field(default_factory=lambda: deque(maxlen=RECENT))
    words: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=WORDS))
    tally: Tally = field(default_factory=Tally)

    def first(self, position_ns: int, ttft_ms: float) -> None:
        """Enter a first token; mean and spread are kept as they come (Welford 1962)."""
        insort(self.ttft_ms, ttft_ms)
        self.firsts.append((position_ns, ttft_ms))
        self.fresh.append((position_ns, ttft_ms))
        self.started += 1
        away = ttft_ms - self.mean_ms
        self.mean_ms += away / self.started
        self.squares += away * (ttft_ms - self.mean_ms)

    def age(self, before_ns: int) -> None:
        """Move first tokens from before a position from the fresh ones to the older ones."""
        while self.fresh and self.fresh[0][0] <= before_ns:
            insort(self.older_ms, self.fresh.popleft()[1])

    @property
    def engine(self) -> str:
        """The engine's name as it was given; not yet safe for a terminal."""
        return self.track.facts.engine

    @property
    def status(self) -> LaneStatus:
        """How the lane stands, as `racelog.replay.lane.LaneFold` has it."""
        return self.ended or ("racing" if self.racing else "waiting")

    @property
    def done(self) -> int:
        """Requests that have ended."""
        return self.ok + self.failed + self.cancelled

    def ttft_p50_ms(self) -> float | None:
        """Return the median TTFT so far."""
        return median(self.ttft_ms)

    def tokens_between(self, after_ns: int, until_ns: int) -> float:
        """Return output tokens that arrived between two positions: chunks times what a chunk carried so far."""
        carried = self.tokens / self.chunks if self.chunks else 1.0
        return self.track.token_chunks_between(self.origin_ns + after_ns, self.origin_ns + until_ns) * carried


class Book:
    """All lanes' accounts, and the race's own facts."""

    def __init__(self, tracks: RaceTracks) -> None:
        self.tracks = tracks
        facts = tracks.facts
        self.target = facts.requests if facts else None
        self.duration_ns = facts.duration_ns if facts else None
        self.position_ns = 0
        self.lanes = {
            lane: LaneAccount(track, tracks.origin_ns(track), self.target)
            for lane, track in tracks.lanes.items()
        }

    def progress(self) -> float | None:
        """Return how much of the race is done, 0 to 1: by requests, else by time, else unknown until every lane ended."""
        lanes = self.lanes.values()
        if lanes and all(lane.ended for lane in lanes):
            return 1.0
        if self.target:
            return sum(min(lane.done, self.target) for lane in lanes) / (self.target * len(self.lanes))
        return min(1.0, self.position_ns / self.duration_ns) if self.duration_ns else None

    def verdict(self) -> Verdict:
        """Return where the lanes stand at the present beat, by the one rule there is. Cost: a look at each lane."""
        terms = terms_of(self.tracks)
        return verdict([_run(account, terms) for account in self.lanes.values()], terms.bound, terms.prompts)

    def ranked(self) -> list[int]:
        """Return the lanes that have a place, best first."""
        found = self.verdict()
        return [lane for lane in found.standings if lane in found.places]

    def take(self, beat: Beat) -> None:
        """Enter one beat."""
        self.position_ns = beat.position_ns
        if beat.lane is None:
            return
        account, request = self.lanes[beat.lane], beat.request
        match beat.kind:
            case "start":
                account.racing = True
            case "lane-end":
                account.racing = False
                account.ended = next(_ends(account.track), "finished")
            case "sent":
                account.open += 1
            case "first-token" if request is not None and request.ttft_ms is not None:
                account.first(beat.position_ns, request.ttft_ms)
            case "end" if request is not None:
                self._end(account, request, beat.position_ns)
            case _:
                pass

    def _end(self, account: LaneAccount, request: RequestState, position_ns: int) -> None:
        account.ends.append((position_ns, request.status))
        account.open -= 1
        account.tally.take(request)
        if request.status == "ok":
            account.ok += 1
            account.tokens += request.output_tokens
            account.chunks += request.chunks
            if request.tpot_ms is not None:
                insort(account.tpot_ms, request.tpot_ms)
            return
        if request.status == "failed":
            account.failed += 1
            account.words.append(
                (position_ns, said(request.message) or request.error or "no reason recorded")
            )
        else:
            account.cancelled += 1
        if request.ttft_ms is not None:
            account.ttft_ms.remove(request.ttft_ms)


def _ends(track: LaneTrack) -> Iterator[Literal["finished", "stopped", "died"]]:
    """Yield how a lane ended, by its first word on that."""
    events, end_ns = track.events, track.end_ns or 0
    first = bisect_left(events, end_ns, key=lambda event: event.t)
    return (event.status for event in islice(events, first, None) if isinstance(event, LaneEnd))


def _run(account: LaneAccount, terms: Terms) -> LaneRun:
    """Return what the rule of the standings asks of a lane."""
    lane = account.track.facts.lane
    return LaneRun(
        lane=lane, engine=account.engine, status=account.status, started=account.track.start_ns is not None,
        eliminated=lane in terms.eliminated, target=terms.target, ok=account.ok, failed=account.failed,
        cancelled=account.cancelled, ttft_p50_ms=account.ttft_p50_ms(),
        ttft_max_ms=account.ttft_ms[-1] if account.ttft_ms else None, unanswered_ms=account.tally.unanswered_ms,
        answers=account.tally.prompted, cached_share=account.tally.cached_share, params=terms.params.get(lane),
    )  # fmt: skip


def beats(tracks: RaceTracks) -> Iterator[Beat]:
    """Yield every beat of a race as far as it is known, in order. Cost: one fold, then a sort of the requests."""
    replay = Replay(tracks)
    replay.seek_end()
    found: list[Beat] = []
    for lane, fold in replay.lanes.items():
        origin = tracks.origin_ns(fold.track)
        found += beats_of_lane(fold.track, lane, origin)
        if fold.track.start_ns is not None:
            for request in fold.requests.values():
                found += beats_of_request(request, lane, origin)
    found += seconds_between(0, tracks.duration_ns())
    yield from sorted(found, key=in_order)


def beats_of_lane(track: LaneTrack, lane: int, origin_ns: int) -> list[Beat]:
    """Return a lane's own beats: its start and its end. One that ended before it started did so at position 0."""
    if track.start_ns is None:
        return [] if track.end_ns is None else [Beat(0, "lane-end", lane)]
    found = [Beat(max(0, track.start_ns - origin_ns), "start", lane)]
    if track.end_ns is not None:
        found.append(Beat(max(0, track.end_ns - origin_ns), "lane-end", lane))
    return found


def beats_of_request(request: RequestState, lane: int, origin_ns: int) -> list[Beat]:
    """Return the beats of one request as far as they are known; a warm-up has none."""
    if request.phase != "race":
        return []
    sent = request.t_sent if request.t_sent is not None else request.t_scheduled
    found = [Beat(max(0, sent - origin_ns), "sent", lane, request)]
    if request.t_first is not None and request.ttft_ms is not None:
        found.append(Beat(max(0, request.t_first - origin_ns), "first-token", lane, request))
    if request.t_end is not None:
        found.append(Beat(max(0, request.t_end - origin_ns), "end", lane, request))
    return found


def seconds_between(after_ns: int, until_ns: int) -> list[Beat]:
    """Return the beats of the second hand in (after, until]; none where that is longer than any race."""
    if until_ns - after_ns > LONGEST_S * NS_PER_S:
        return []
    seconds = range(after_ns // NS_PER_S + 1, until_ns // NS_PER_S + 1)
    return [Beat(second * NS_PER_S, "second") for second in seconds]


def in_order(beat: Beat) -> tuple[int, int, int, int]:
    """Return the place of a beat in the story."""
    return (
        beat.position_ns,
        _ORDER[beat.kind],
        -1 if beat.lane is None else beat.lane,
        -1 if beat.request is None else beat.request.req,
    )
