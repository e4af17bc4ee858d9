"""A finished race in a few numbers per lane: what ``info``, the closing summary and the card print."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from racelog.clock import NS_PER_MS, NS_PER_S
from racelog.events import STAMP_CODES, TOKEN_CODES, AnyEvent, Tokens
from racelog.log.read.library import Log
from racelog.replay.lane import LaneFold
from racelog.replay.quantiles import quantile
from racelog.replay.race import RaceTracks, Replay
from racelog.replay.track import LONGEST_S
from racelog.views.evidence.health import RaceHealth, race_health
from racelog.views.evidence.load import RaceLoad, race_load
from racelog.views.faults import FaultCount, fault_counts
from racelog.views.standings import race_verdict
from racelog.views.verdict import FINISH, Verdict


class Spread(Struct, frozen=True, kw_only=True):
    """How a measured quantity is spread over requests (or gaps); milliseconds."""

    n: int
    mean: float
    p50: float
    p90: float
    p99: float
    max: float


class LaneSummary(Struct, frozen=True, kw_only=True):
    """One lane's result. Throughput is output tokens of successes over the lane's own racing time.

    ``one_piece`` counts the successes whose text came at one instant: they have no TPOT and no ITL. ``connections`` counts
    the requests that went out by whether theirs was new, reused or reopened; ``connect_ms`` and
    its steps are of those that had to connect. ``place`` is None, and ``dnf`` says why, of a lane that did not finish;
    ``cached_share`` of its prompt tokens came from its cache, None where its server does not say.
    """

    lane: int
    engine: str
    model: str
    url: str
    color: str
    emoji: str
    status: str
    reason: str
    place: int | None
    requests: int
    ok: int
    failed: int
    cancelled: int
    open: int
    errors: dict[str, int]
    faults: list[FaultCount]
    success_rate: float | None
    duration_s: float
    input_tokens: int
    output_tokens: int
    token_basis: list[str]
    tokens_per_s: float | None
    requests_per_s: float | None
    ttft_ms: Spread | None
    tpot_ms: Spread | None
    itl_ms: Spread | None
    one_piece: int
    e2e_ms: Spread | None
    queue_ms: Spread | None
    connections: dict[str, int]
    connect_ms: Spread | None
    dns_ms: Spread | None
    tcp_ms: Spread | None
    tls_ms: Spread | None
    stamps: dict[str, int]
    coalesced: int
    timeline_tokens_per_s: list[int]
    dnf: str = ""
    cached_share: float | None = None


class RaceSummary(Struct, frozen=True, kw_only=True):
    """The race's result; ``lanes`` in their fixed order, ``standings`` lane ids from first to last place.

    Without a ``winner``, ``nobody`` is a sentence that says why; ``unlike`` is what makes the lanes not like for like,
    ``caveat`` what cannot be known of them, ``finish`` the share of its requests a lane had to finish.
    """

    race_id: str
    name: str
    grid: str
    started_at: str
    seed: int
    status: str
    duration_s: float
    requests_per_lane: int | None
    concurrency: int
    racelog_version: str
    host: dict[str, object]
    winner: int | None
    ranked_by: str
    standings: list[int]
    lanes: list[LaneSummary]
    health: RaceHealth
    load: RaceLoad
    nobody: str = ""
    unlike: str = ""
    caveat: str = ""
    finish: float = FINISH

    @property
    def won(self) -> bool:
        """Whether there is a winner to tell of: a lane that raced alone is the first, and has won against nobody."""
        return self.winner is not None and len(self.lanes) > 1


def spread(values: Sequence[float]) -> Spread | None:
    """Return the spread of ``values`` in any order, or None when there are none."""
    if not values:
        return None
    ordered = sorted(values)
    p50, p90, p99 = (quantile(ordered, q) or 0.0 for q in (0.5, 0.9, 0.99))
    return Spread(
        n=len(ordered), mean=sum(ordered) / len(ordered), p50=p50, p90=p90, p99=p99, max=ordered[-1]
    )


def log_summary(log: Log) -> RaceSummary:
    """Return the summary of ``log``. Cost: reads it once; memory for its numbers, a third of what its text takes as well."""
    return race_summary(Replay(RaceTracks(map(_wordless, log.select()))))


def _wordless(event: AnyEvent) -> AnyEvent:
    return replace(event, x=[""] * len(event.x)) if isinstance(event, Tokens) else event


def race_summary(replay: Replay) -> RaceSummary:
    """Return the summary of everything ``replay``'s tracks hold; moves it to the end. Cost: one pass over all chunks."""
    replay.seek_end()
    tracks = replay.tracks
    facts = tracks.facts
    verdict = race_verdict(replay, answered=True)
    lanes = [_lane_summary(fold, verdict) for fold in replay.lanes.values()]
    return RaceSummary(
        race_id=facts.race_id if facts else (tracks.head.race_id if tracks.head else ""),
        name=facts.name if facts else "",
        grid=facts.grid if facts else "together",
        started_at=facts.started_at if facts else "",
        seed=facts.seed if facts else 0,
        status=race_status([lane.status for lane in lanes]),
        duration_s=tracks.duration_ns() / NS_PER_S,
        requests_per_lane=facts.requests if facts else None,
        concurrency=facts.concurrency if facts else 0,
        racelog_version=tracks.head.racelog_version if tracks.head else "",
        host=dict(facts.host) if facts else {},
        winner=verdict.winner,
        ranked_by="median TTFT",
        standings=verdict.standings,
        nobody=verdict.nobody,
        unlike=verdict.unlike,
        caveat=verdict.caveat,
        finish=verdict.bound,
        lanes=lanes,
        health=race_health(replay),
        load=race_load(tracks),
    )


def race_status(lanes: list[str]) -> str:
    """Return one word for a race: finished, stopped, partial (a lane died) or unfinished (no end was recorded)."""
    if not lanes or any(status in ("waiting", "racing") for status in lanes):
        return "unfinished"
    if "died" in lanes:
        return "partial"
    return "stopped" if "stopped" in lanes else "finished"


def ending(status: str, died: int = 0) -> str:
    """Return how a race ended, in words for people; programs get the one word of `race_status`.

    ``died`` is how many of its lanes lost racelog's own process, their recorder.
    """
    if status == "partial":
        return (
            "one lane's recorder died"
            if died == 1
            else f"{died} lanes' recorders died"
            if died
            else "a recorder died"
        )
    return {"stopped": "stopped early", "unfinished": "no end recorded"}.get(status, status)


def race_ending(race: RaceSummary) -> str:
    """Return how ``race`` ended, in words."""
    return ending(race.status, sum(lane.status == "died" for lane in race.lanes))


def _lane_summary(fold: LaneFold, verdict: Verdict) -> LaneSummary:
    track, facts = fold.track, fold.track.facts
    raced = [request for request in fold.requests.values() if request.phase == "race"]
    counted = [request for request in raced if request.counts]
    seconds = track.duration_ns() / NS_PER_S
    tokens = sum(request.output_tokens for request in counted)
    gaps, stamps, coalesced = _chunk_facts(fold)
    done = fold.ok + fold.failed
    connections = Counter(request.connection for request in raced if request.connection)
    return LaneSummary(
        lane=facts.lane, engine=facts.engine, model=facts.model, url=facts.url, color=facts.color, emoji=facts.emoji,
        status=fold.status, reason=fold.reason, requests=len(raced),
        place=verdict.places.get(facts.lane), dnf=verdict.dnf.get(facts.lane, ""), cached_share=fold.tally.cached_share,
        ok=fold.ok, failed=fold.failed, cancelled=fold.cancelled, open=sum(r.status == "open" for r in raced),
        errors=dict(sorted(fold.errors.items())), faults=fault_counts(raced),
        success_rate=fold.ok / done if done else None, duration_s=seconds, input_tokens=sum(request.input_tokens or 0 for request in counted), output_tokens=tokens,
        token_basis=sorted({request.token_basis for request in counted}),
        tokens_per_s=tokens / seconds if seconds else None, requests_per_s=fold.ok / seconds if seconds else None,
        ttft_ms=spread(_present(request.ttft_ms for request in counted)),
        tpot_ms=spread(_present(request.tpot_ms for request in counted)), itl_ms=spread(gaps), one_piece=sum(request.one_piece for request in counted),
        e2e_ms=spread(_present(request.e2e_ms for request in counted)),
        queue_ms=spread(_present(request.queue_ms for request in counted)),
        connections=dict(sorted(connections.items())), connect_ms=_spent(request.connect_ns for request in raced),
        dns_ms=_spent(request.dns_ns for request in raced), tcp_ms=_spent(request.tcp_ns for request in raced),
        tls_ms=_spent(request.tls_ns for request in raced), stamps=stamps, coalesced=coalesced,
        timeline_tokens_per_s=_timeline(fold),
    )  # fmt: skip


def _present(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _spent(durations_ns: Iterable[int | None]) -> Spread | None:
    return spread([duration / NS_PER_MS for duration in durations_ns if duration is not None])


def _chunk_facts(fold: LaneFold) -> tuple["array[float]", dict[str, int], int]:
    """Return pooled gaps between token chunks (ms), chunks by who stamped them, and how many were coalesced.

    Chunks of one message have no gap between them, and an answer in one piece has none at all.
    """
    track = fold.track
    last: dict[int, tuple[int, str]] = {}
    no_gaps = {req for req, request in fold.requests.items() if request.one_piece}
    gaps = array("d")
    letters = Counter(track.stamp)
    for t, req, kind, letter in zip(track.t, track.request, track.kind, track.stamp, strict=True):
        request = fold.requests.get(req)
        if request is None or not request.counts or kind not in TOKEN_CODES:
            continue
        before = last.get(req)
        if before is not None and track.facts.kept == "all" and req not in no_gaps:
            came_ns, stamp = before
            if t > came_ns or stamp.isupper():  # else both are of one message
                gaps.append((t - came_ns) / NS_PER_MS)
        last[req] = t, letter
    stamps: dict[str, int] = {}
    coalesced = 0
    for letter, count in sorted(letters.items()):
        who, joined = STAMP_CODES.get(letter, ("unknown", False))
        stamps[who] = stamps.get(who, 0) + count
        coalesced += count if joined else 0
    return gaps, stamps, coalesced


def _timeline(fold: LaneFold) -> list[int]:
    """Return token chunks in each whole or begun second of the lane, first to last."""
    track = fold.track
    if track.start_ns is None or track.duration_ns() > LONGEST_S * NS_PER_S:
        return []
    edges = range(track.start_ns, track.start_ns + track.duration_ns() + NS_PER_S, NS_PER_S)
    return [track.token_chunks_between(low, high) for low, high in pairwise(edges)]
