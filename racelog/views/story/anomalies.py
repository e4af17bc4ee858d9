"""Anomalies: latency +50 %, errors +1 % a minute, throughput -25 %, three sigma (docs/metrics.md#anomalies)."""

import math
import statistics
from collections.abc import Iterator
from itertools import takewhile

from racelog.clock import NS_PER_MS, NS_PER_S
from racelog.display.figures import change, duration, number, percent, rate
from racelog.display.text import counted, printable
from racelog.replay.quantiles import median
from racelog.views.story.causes import MINUTE_NS, WINDOW_NS, causes, paused_since
from racelog.views.story.happenings import Beat, Book, LaneAccount
from racelog.views.story.rows import Anomaly, AnomalyKind

SPIKE = 1.5
"""Median TTFT of the recent window against the median before it."""

ERRORS = 0.01
"""Rise of the share of failed requests, this minute against the one before."""

DROP = 0.75
"""Tokens a second of the last 5 s against the mean of the 30 s before them; less than any 5 s of those, too, or every
lane that answers one request after another would fall in each of its waits."""

FIVE_NS = 5 * NS_PER_S

SIGMAS = 3.0
NOTABLE = 1.2
"""An outlier is also this many times the mean: three sigma of an even series is nothing anybody would see."""

LEAST_RECENT, LEAST_BEFORE, LEAST_MINUTE, LEAST_SIGMA = 5, 10, 10, 20
"""How many requests a comparison needs on its recent side, on its earlier side, in a minute, and for a sigma."""

LEAST_FAILED = 3
"""Failures in a minute before errors are said to rise: one or two happen."""


class Anomalies:
    """All four rules; each fires when it begins to hold and again only after it has let go."""

    def __init__(self) -> None:
        self._held: set[tuple[int, AnomalyKind]] = set()

    def step(self, beat: Beat, book: Book) -> Iterator[Anomaly]:
        """Yield what begins to be out of the ordinary at ``beat``."""
        if beat.kind == "second":
            for lane, account in book.lanes.items():
                if account.racing:
                    yield from self._latency(lane, account, book)
                    yield from self._errors(lane, account, book)
                    yield from self._throughput(lane, account, book)
        elif beat.kind == "first-token" and beat.request is not None and beat.lane is not None:
            yield from self._outlier(beat, book.lanes[beat.lane], book)

    def _latency(self, lane: int, account: LaneAccount, book: Book) -> Iterator[Anomaly]:
        now = book.position_ns
        account.age(now - WINDOW_NS)
        recent, before = sorted(ms for _, ms in account.fresh), account.older_ms
        if len(recent) < LEAST_RECENT or len(before) < LEAST_BEFORE:
            return
        usual, current = median(before) or 0.0, median(recent) or 0.0
        if self._begins(
            lane, "latency-spike", holds=current >= SPIKE * usual > 0, lets_go=current < 1.25 * usual
        ):
            said = f"TTFT rose from {duration(usual)} to {duration(current)} ({change(current / usual - 1)})"
            yield _row(lane, account, book, "latency-spike", (usual, current, "ms"), said)

    def _errors(self, lane: int, account: LaneAccount, book: Book) -> Iterator[Anomaly]:
        now = book.position_ns
        if not account.failed:
            return
        last = list(takewhile(lambda end: end[0] > now - 2 * MINUTE_NS, reversed(account.ends)))
        recent = [status for at, status in last if at > now - MINUTE_NS]
        before = [status for at, status in last if at <= now - MINUTE_NS]
        if len(recent) < LEAST_MINUTE:
            return
        failed = recent.count("failed")
        share = failed / len(recent)
        earlier = before.count("failed") / len(before) if before else 0.0
        rises = share - earlier > ERRORS and failed >= LEAST_FAILED
        if self._begins(lane, "error-rise", holds=rises, lets_go=share - earlier <= ERRORS / 2):
            compared = f", {percent(earlier)} in the one before" if before else ""
            when = "last minute" if now >= MINUTE_NS else f"first {duration(now / NS_PER_MS)}"
            said = f"errors are rising: {percent(share)} of {counted(len(recent), 'request')} failed in the {when}{compared}"
            yield _row(lane, account, book, "error-rise", (earlier, share, "share"), said)

    def _throughput(self, lane: int, account: LaneAccount, book: Book) -> Iterator[Anomaly]:
        now = book.position_ns
        if now < 15 * NS_PER_S or (account.target and account.done + account.open + 2 > account.target):
            return  # too early to know what is usual, or running out of requests
        if paused_since(book, account, now - 7 * FIVE_NS):
            return  # what was not sent by order is nobody's drop
        windows = [
            account.tokens_between(end - FIVE_NS, end) / 5
            for end in range(now, now - 7 * FIVE_NS, -FIVE_NS)
            if end >= FIVE_NS
        ]
        current, earlier = windows[0], windows[1:]
        usual = statistics.fmean(earlier)
        unseen = current < DROP * usual and current < min(earlier)
        if self._begins(lane, "throughput-drop", holds=unseen, lets_go=current > 0.9 * usual):
            said = f"throughput fell from {number(usual)} to {rate(current, 'tok/s')} ({change(current / usual - 1)})"
            yield _row(lane, account, book, "throughput-drop", (usual, current, "tok/s"), said)

    def _outlier(self, beat: Beat, account: LaneAccount, book: Book) -> Iterator[Anomaly]:
        request = beat.request
        if request is None or beat.lane is None or request.ttft_ms is None or account.started <= LEAST_SIGMA:
            return
        before = account.started - 1
        mean = (account.mean_ms * account.started - request.ttft_ms) / before
        squares = account.squares - (request.ttft_ms - mean) * (request.ttft_ms - account.mean_ms)
        sigma = math.sqrt(max(0.0, squares) / before)
        if request.ttft_ms > mean + SIGMAS * sigma and request.ttft_ms > NOTABLE * mean:
            said = f"request {request.req}: TTFT {duration(request.ttft_ms)}, mean {duration(mean)}"
            yield _row(beat.lane, account, book, "outlier", (mean, request.ttft_ms, "ms"), said, request.req)

    def _begins(self, lane: int, kind: AnomalyKind, *, holds: bool, lets_go: bool) -> bool:
        """Return whether a condition has just begun to hold."""
        key = lane, kind
        if holds and key not in self._held:
            self._held.add(key)
            return True
        if lets_go:
            self._held.discard(key)
        return False


_ADVICE: dict[AnomalyKind, str] = {
    "latency-spike": "see the timeline (t) for what ran at the same time, and the engine's own queue",
    "error-rise": "see the errors in the details (d); the engine's log at this time says why",
    "throughput-drop": "see the charts (c): one engine alone, or all of them at once?",
    "outlier": "see the request in the answers (i); a single one may be a cold cache or a long prompt",
}


def _row(  # noqa: PLR0917 - a row has as many parts as it has
    lane: int, account: LaneAccount, book: Book, kind: AnomalyKind, change: tuple[float, float, str], said: str,
    req: int | None = None,
) -> Anomaly:  # fmt: skip
    before, now, unit = change
    return Anomaly(
        position_ns=book.position_ns, t_ns=account.origin_ns + book.position_ns, lane=lane, kind=kind, req=req,
        before=before, now=now, unit=unit, text=f"{printable(account.engine)}: {said}",
        causes=causes(lane, account, book, kind), advice=_ADVICE[kind],
    )  # fmt: skip
