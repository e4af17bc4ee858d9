"""Requests as they stream: what was asked, what has come back, and when each part of it came."""

from itertools import pairwise

from msgspec import Struct

from racelog.clock import NS_PER_MS, NS_PER_S
from racelog.replay.race import Replay
from racelog.replay.request import RequestState
from racelog.views.faults import said
from racelog.views.race import prompt_text

SHOWN = 5
"""Requests of the inspector (docs/metrics.md#other-limits-of-what-is-shown)."""

FRESH_NS = NS_PER_S // 4
"""Text that arrived within this long before the present instant is new."""


LEFT_OPEN = "left open"
"""The status, in a view, of a request that its lane left open when it ended: nothing streams there any more."""


class RequestView(Struct, frozen=True, kw_only=True):
    """One request at one instant, times in milliseconds since it was sent.

    ``connect_ms`` and its steps are what connecting took before that, None for a connection that was there already.
    ``first`` is its first token's text, ``settled`` what came after it, ``fresh`` what came in the last quarter second.
    """

    req: int
    phase: str
    status: str
    error: str
    prompt: str
    input_tokens: int | None
    connection: str
    connect_ms: float | None
    dns_ms: float | None
    tcp_ms: float | None
    tls_ms: float | None
    first: str
    settled: str
    fresh: str
    tokens: int
    token_basis: str
    elapsed_ms: float
    headers_ms: float | None
    ttft_ms: float | None
    last_ms: float | None
    end_ms: float | None
    tpot_ms: float | None
    one_piece: bool
    slowest_gap_ms: float | None


class InspectorView(Struct, frozen=True, kw_only=True):
    """The newest requests of one lane: those under way first, then those that ended last."""

    lane: int
    engine: str
    color: str
    emoji: str
    active: int
    requests: list[RequestView]


class ReadingView(Struct, frozen=True, kw_only=True):
    """One request in full: every message of its prompt as (role, text), and what has come back."""

    lane: int
    engine: str
    color: str
    emoji: str
    messages: list[tuple[str, str]]
    request: RequestView


def reading_view(replay: Replay, lane: int, req: int | None) -> ReadingView | None:
    """Return request ``req`` of ``lane`` where ``replay`` stands; None before it was scheduled. Cost: its text."""
    fold = replay.lanes[lane]
    request = None if req is None else fold.open.get(req) or fold.requests.get(req)
    if request is None:
        return None
    facts, prompt = fold.track.facts, replay.tracks.prompts.get(request.prompt)
    messages = [] if prompt is None else prompt.messages
    return ReadingView(
        lane=lane, engine=facts.engine, color=facts.color, emoji=facts.emoji,
        messages=[(str(message.get("role", "")), content_text(message.get("content"))) for message in messages],
        request=_request_view(replay, request),
    )  # fmt: skip


def content_text(content: object) -> str:
    """Return a message's content as text: itself, or its parts; what is no text is named by its type."""
    if isinstance(content, list):
        return "\n".join(
            str(part.get("text", f"[{part.get('type', 'part')}]")) if isinstance(part, dict) else str(part)
            for part in content
        )
    return "" if content is None else str(content)


def inspector_view(replay: Replay, lane: int, shown: int = SHOWN) -> InspectorView:
    """Return up to ``shown`` requests of ``lane`` where ``replay`` stands. Cost: their text."""
    fold = replay.lanes[lane]
    facts = fold.track.facts
    active = list(fold.open.values())[-shown:]
    ended = [request for request in list(fold.requests.values())[-4 * shown :] if request.t_end is not None]
    ended.sort(key=lambda request: (request.t_end or 0, request.req), reverse=True)
    chosen = [*active, *ended[: shown - len(active)]]
    return InspectorView(
        lane=lane,
        engine=facts.engine,
        color=facts.color,
        emoji=facts.emoji,
        active=0 if fold.over else len(fold.open),
        requests=[_request_view(replay, request) for request in chosen],
    )


def _ms(duration_ns: int | None) -> float | None:
    return None if duration_ns is None else duration_ns / NS_PER_MS


def _request_view(replay: Replay, request: RequestState) -> RequestView:
    fold = replay.lanes[request.lane]
    now_ns, left = fold.stands_ns, fold.over and request.status == "open"
    since = request.t_sent if request.t_sent is not None else request.t_scheduled
    pieces = request.pieces
    settled = [text for t, text in pieces[1:] if t <= now_ns - FRESH_NS or left or request.t_end is not None]
    kept = fold.track.facts.kept
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(pieces) if kept == "all"]

    def ms(t: int | None) -> float | None:
        return None if t is None else (t - since) / NS_PER_MS

    until = request.t_end if request.t_end is not None else now_ns
    return RequestView(
        req=request.req, phase=request.phase, status=LEFT_OPEN if left else request.status, error=said(request.message) or request.error,
        prompt=prompt_text(replay, request.prompt), input_tokens=request.input_tokens,
        connection=request.connection, connect_ms=_ms(request.connect_ns), dns_ms=_ms(request.dns_ns),
        tcp_ms=_ms(request.tcp_ns), tls_ms=_ms(request.tls_ns),
        first=pieces[0][1] if pieces else "", settled="".join(settled),
        fresh="".join(text for _, text in pieces[1 + len(settled) :]), tokens=request.output_tokens,
        token_basis=request.token_basis, elapsed_ms=max(0.0, (until - since) / NS_PER_MS), headers_ms=ms(request.t_headers),
        ttft_ms=request.ttft_ms, last_ms=ms(request.t_last), end_ms=ms(request.t_end), tpot_ms=request.tpot_ms, one_piece=request.one_piece,
        slowest_gap_ms=max(gaps) / NS_PER_MS if gaps else None,
    )  # fmt: skip
