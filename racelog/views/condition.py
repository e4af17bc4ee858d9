"""How a lane fares where a replay stands: good, worth a warning, or failing; by rules that stand here alone.

    ended requests, open requests, token times --> RULES --> Condition

The log holds no such word: a threshold that changes judges every past race anew. The rules look at the last requests
of a lane that races, so that it recovers when its engine does, and at all of them once it is over.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from racelog.clock import NS_PER_S
from racelog.replay.lane import LaneFold
from racelog.replay.quantiles import median, quantile
from racelog.replay.request import RequestState

LAST = 20
"""The rules look at so many requests that ended last: of fewer, one failure is more than `TROUBLED` anyway."""

FAILING_SHARE, LEAST_FAILED = 0.5, 3
"""Half of the last requests failed, and not only the first one or two: whoever calls this engine calls in vain."""

TROUBLED_SHARE = 0.05
"""More than one in twenty failed. Who finishes under 95 % of the requests did not finish (README, verdict)."""

SILENT_S, SILENT_TIMES = 10.0, 2.0
"""No token for so long, and for so many times the lane's TTFT p99, while requests are open."""

SLOW_TIMES, KNOWN, RECENT = 2.0, 5, 200
"""A request is slow that takes so many times the median of the last `RECENT` that ended well, of `KNOWN` at least."""

SLOW_SHARE = 0.25
"""A quarter of the last requests were slow."""

State = Literal["good", "warning", "failing"]


class Condition(Struct, frozen=True, kw_only=True):
    """How one lane fares: its ``state``, in one word why, and in a sentence; ``slow`` counts its slow requests so far."""

    state: State = "good"
    word: str = ""
    reason: str = ""
    slow: int = 0


GOOD = Condition()


def is_slow(request: RequestState, usual_ms: float | None) -> bool:
    """Return whether a request that ended well took more than twice the usual time."""
    return usual_ms is not None and request.e2e_ms is not None and request.e2e_ms > SLOW_TIMES * usual_ms


def usual_ms(times: Sequence[float], ok: int) -> float | None:
    """Return the usual E2E of a lane by the ascending ``times`` of its last requests; None before ``ok`` are `KNOWN`."""
    return median(times) if ok >= KNOWN else None


@dataclass(slots=True)
class _Told:
    """What is known of one lane: the requests that ended, how many of the first so many were slow, and the last times."""

    ended: list[RequestState] = field(default_factory=list)
    slow: "array[int]" = field(default_factory=lambda: array("L"))
    ok: "array[int]" = field(default_factory=lambda: array("L"))


class Conditions:
    """Gives the `Condition` of lanes of one replay after another, and remembers which requests were slow.

    Each is judged when it ends, by those before it, so any way to an instant gives the same count.
    Cost: the requests that ended since the last time, and the last 20.
    """

    def __init__(self) -> None:
        self._told: dict[int, _Told] = {}

    def of(self, fold: LaneFold) -> Condition:
        """Return how the lane of ``fold`` fares where it stands."""
        told = self._told.setdefault(fold.track.facts.lane, _Told())
        _go_on(told, fold.ended)
        seen = _Seen(fold, told)
        found = next((one for rule in RULES if (one := rule(seen)) is not None), None)
        state, word, reason = found or ("good", "", "")
        return Condition(state=state, word=word, reason=reason, slow=told.slow[-1] if told.slow else 0)


def _go_on(told: _Told, ended: list[RequestState]) -> None:
    """Count on from what ``told`` and ``ended`` have in common."""
    same = _common(told.ended, ended)
    del told.ended[same:], told.slow[same:], told.ok[same:]
    if same == len(ended):
        return
    times = sorted(_times(ended[max(0, same - RECENT) : same]))
    ok, slow = (told.ok[-1], told.slow[-1]) if same else (0, 0)
    for place in range(same, len(ended)):
        request = ended[place]
        slow += request.counts and is_slow(request, usual_ms(times, ok))
        for took in _times(ended[place : place + 1]):
            insort(times, took)
            ok += 1
        for old in _times(ended[place - RECENT : place - RECENT + 1]) if place >= RECENT else ():
            del times[bisect_left(times, old)]
        told.ended.append(request)
        told.slow.append(slow)
        told.ok.append(ok)


def _times(requests: Sequence[RequestState]) -> list[float]:
    return [one.e2e_ms for one in requests if one.counts and one.e2e_ms is not None]


def _common(one: list[RequestState], other: list[RequestState]) -> int:
    """Return how many requests at their beginning two lists share; what comes after the first other one is other."""
    low, high = 0, min(len(one), len(other))
    if high and one[high - 1] is other[high - 1]:
        return high
    while low < high:
        middle = (low + high) // 2
        if one[middle] is other[middle]:
            low = middle + 1
        else:
            high = middle
    return low


class _Seen:
    """What the rules look at."""

    def __init__(self, fold: LaneFold, told: _Told) -> None:
        self.fold = fold
        self.racing = fold.status == "racing"
        last = [one for one in fold.ended[-LAST:] if one.phase == "race" and one.status != "cancelled"]
        self.failed = sum(one.status == "failed" for one in last) if self.racing else fold.failed
        self.of = len(last) if self.racing else fold.ok + fold.failed
        before = told.slow[-LAST - 1] if len(told.slow) > LAST else 0
        self.slow = told.slow[-1] - before if told.slow and self.racing else 0

    @property
    def those(self) -> str:
        """The requests looked at, in words."""
        return (
            f"{self.failed:,} of {f'the last {self.of}' if self.racing else f'{self.of:,}'} requests failed"
        )


Found = tuple[State, str, str] | None


def failing(seen: _Seen) -> Found:
    """Half of the requests failed, three at least."""
    if seen.failed < LEAST_FAILED or seen.failed < FAILING_SHARE * seen.of:
        return None
    return "failing", "failing", seen.those


def troubled(seen: _Seen) -> Found:
    """More than one request in twenty failed."""
    return ("warning", "errors", seen.those) if seen.failed > TROUBLED_SHARE * seen.of else None


def silent(seen: _Seen) -> Found:
    """Requests are open, and no token has come for longer than it ever takes."""
    fold = seen.fold
    if not seen.racing or not fold.open:
        return None
    now, t = fold.position_ns, fold.track.t
    chunks = bisect_right(t, now)
    asked = min(one.t_sent or one.t_scheduled for one in fold.open.values())
    since = max(t[chunks - 1] if chunks else asked, asked)
    quiet_s = (now - since) / NS_PER_S
    usual_s = (quantile(fold.ttft_ms, 0.99) or 0.0) / 1000
    if quiet_s < max(SILENT_S, SILENT_TIMES * usual_s):
        return None
    return "warning", "no tokens", f"no token for {quiet_s:.0f} s"


def slow(seen: _Seen) -> Found:
    """A quarter of the last requests took more than twice the usual time."""
    if not seen.racing or seen.of < KNOWN or seen.slow < SLOW_SHARE * seen.of:
        return None
    return "warning", "slow", f"{seen.slow} of the last {seen.of} requests took over twice the median"


Rule = Callable[[_Seen], Found]
RULES: tuple[Rule, ...] = (failing, troubled, silent, slow)
"""Each returns a state, a word and a reason, or nothing; the gravest first."""
