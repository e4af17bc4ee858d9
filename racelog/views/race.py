"""The race at one instant: what the player draws and ``play --at`` prints."""

from msgspec import Struct

from racelog.clock import NS_PER_S
from racelog.replay.lane import LaneFold
from racelog.replay.quantiles import median, quantile
from racelog.replay.race import Replay
from racelog.replay.request import RequestState
from racelog.views.condition import Conditions, State
from racelog.views.evidence.health import RaceHealth, race_health
from racelog.views.pauses import held_at
from racelog.views.standings import race_verdict
from racelog.views.verdict import Verdict

HISTORY_S = 60
"""Points of a sparkline, one a second (docs/metrics.md#other-limits-of-what-is-shown)."""


class StreamView(Struct, frozen=True, kw_only=True):
    """One open request: what was asked and what has come back so far."""

    req: int
    prompt: str
    text: str
    elapsed_s: float
    ttft_ms: float | None


class LaneView(Struct, frozen=True, kw_only=True):
    """One lane at one instant.

    ``place`` is 1 for the leader, None without a number to rank by, of a lane that did not finish (``dnf`` says why), and
    where the lanes are not like for like.
    ``tokens_per_s`` is over the last second while the lane races, and over its whole time once it has ended. ``paused``:
    the race was held by order, so the lane sent nothing new. ``condition`` is how it fares, in a word and a sentence why
    (`racelog.views.condition`); ``slow`` counts its slow requests.
    """

    lane: int
    engine: str
    model: str
    color: str
    emoji: str
    status: str
    reason: str
    place: int | None
    progress: float | None
    elapsed_s: float
    target_requests: int | None
    requests_done: int
    ok: int
    failed: int
    cancelled: int
    active: int
    errors: dict[str, int]
    output_tokens: int
    tokens_per_s: float
    requests_per_s: float
    ttft_p50_ms: float | None
    ttft_p99_ms: float | None
    tpot_p50_ms: float | None
    token_history: list[int]
    streams: list[StreamView]
    paused: bool = False
    condition: State = "good"
    condition_word: str = ""
    condition_reason: str = ""
    slow: int = 0
    dnf: str = ""


class RaceView(Struct, frozen=True, kw_only=True):
    """The whole race at one position; ``lanes`` in their fixed order, ``standings`` lane ids by place.

    ``unlike`` is why the lanes have no places: they are not like for like.
    """

    race_id: str
    name: str
    grid: str
    started_at: str
    position_s: float
    duration_s: float
    finished: bool
    lanes: list[LaneView]
    standings: list[int]
    health: RaceHealth
    unlike: str = ""


def race_view(replay: Replay, *, streams: int = 3, conditions: Conditions | None = None) -> RaceView:
    """Return the view of ``replay`` where it stands, with up to ``streams`` open requests per lane.

    ``conditions`` remembers what one view after another of a race needs anew. Places are those of `racelog.views.verdict`.
    """
    tracks = replay.tracks
    conditions = conditions or Conditions()
    verdict = race_verdict(replay)
    facts = tracks.facts
    return RaceView(
        race_id=facts.race_id if facts else (tracks.head.race_id if tracks.head else ""),
        name=facts.name if facts else "",
        grid=facts.grid if facts else "together",
        started_at=facts.started_at if facts else "",
        position_s=replay.position_ns / NS_PER_S,
        duration_s=tracks.duration_ns() / NS_PER_S,
        finished=bool(replay.lanes)
        and all(fold.status not in ("waiting", "racing") for fold in replay.lanes.values()),
        lanes=[_lane_view(replay, fold, verdict, streams, conditions) for fold in replay.lanes.values()],
        standings=verdict.standings,
        health=race_health(replay),
        unlike=verdict.unlike,
    )


def _lane_view(
    replay: Replay, fold: LaneFold, verdict: Verdict, streams: int, conditions: Conditions
) -> LaneView:
    track, facts = fold.track, fold.track.facts
    race = replay.tracks.facts
    now = fold.position_ns
    start = track.start_ns if track.start_ns is not None else now
    end = now if track.end_ns is None else min(now, track.end_ns)
    elapsed_s = max(0, end - start) / NS_PER_S
    done = fold.ok + fold.failed + fold.cancelled
    target = race.requests if race else None
    ended = track.end_ns is not None and track.end_ns <= now
    output_tokens = fold.output_tokens
    fares = conditions.of(fold)
    return LaneView(
        lane=facts.lane, engine=facts.engine, model=facts.model, color=facts.color, emoji=facts.emoji,
        status=fold.status, reason=fold.reason,
        place=verdict.places.get(facts.lane), dnf=verdict.dnf.get(facts.lane, ""),
        progress=_progress(fold, replay, elapsed_s, dnf=facts.lane in verdict.dnf), elapsed_s=elapsed_s,
        target_requests=target, requests_done=done, ok=fold.ok, failed=fold.failed, cancelled=fold.cancelled,
        active=0 if fold.over else len(fold.open), errors=dict(sorted(fold.errors.items())), output_tokens=output_tokens,
        tokens_per_s=_ratio(output_tokens, elapsed_s) if ended else _last_second(fold), requests_per_s=_ratio(done, elapsed_s),
        ttft_p50_ms=median(fold.ttft_ms), ttft_p99_ms=quantile(fold.ttft_ms, 0.99), tpot_p50_ms=median(fold.tpot_ms),
        token_history=_history(fold, start, end),
        streams=[] if fold.over else [_stream_view(replay, fold, request) for request in _newest(fold, streams)],
        paused=fold.status == "racing" and held_at(replay.tracks, now),
        condition=fares.state, condition_word=fares.word, condition_reason=fares.reason, slow=fares.slow,
    )  # fmt: skip


def _last_second(fold: LaneFold) -> float:
    """Return output tokens in the last second: chunks, weighted by what a chunk carried on average so far."""
    track, now = fold.track, fold.position_ns
    chunks = 0 if track.start_ns is None else track.token_chunks_between(now - NS_PER_S, now)
    return chunks * fold.tokens_per_chunk


def _ratio(count: float, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0


def _progress(fold: LaneFold, replay: Replay, elapsed_s: float, *, dnf: bool) -> float | None:
    """Return how much of the lane's task is done, 0 to 1: by requests, else by time, else unknown.

    Of a lane that did not finish only what it answered counts: it never stands at 1.
    """
    race, done = replay.tracks.facts, fold.ok + fold.failed + fold.cancelled
    if fold.status == "finished":
        return fold.ok / max(1, done) if dnf else 1.0
    if race and race.requests:
        return min(1.0, (fold.ok if dnf else done) / race.requests)
    if race and race.duration_ns:
        return min(1.0, elapsed_s * NS_PER_S / race.duration_ns)
    return None


def _history(fold: LaneFold, start_ns: int, end_ns: int) -> list[int]:
    """Return token chunks per whole second since the lane's start, the last `HISTORY_S` of them."""
    seconds = max(0, end_ns - start_ns) // NS_PER_S
    return fold.track.token_chunks_each_second(max(0, seconds - HISTORY_S), seconds)


def _newest(fold: LaneFold, count: int) -> list[RequestState]:
    return list(fold.open.values())[-count:] if count else []


def _stream_view(replay: Replay, fold: LaneFold, request: RequestState) -> StreamView:
    since = request.t_sent if request.t_sent is not None else request.t_scheduled
    return StreamView(
        req=request.req,
        prompt=prompt_text(replay, request.prompt),
        text=request.text,
        elapsed_s=max(0, fold.position_ns - since) / NS_PER_S,
        ttft_ms=request.ttft_ms,
    )


def prompt_text(replay: Replay, prompt: int) -> str:
    """Return a prompt's last message as text, that of its parts if it has several; empty if the log does not hold it."""
    event = replay.tracks.prompts.get(prompt)
    if event is None or not event.messages:
        return ""
    content = event.messages[-1].get("content", "")
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "\n".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""
