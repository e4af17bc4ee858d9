"""The rule of the standings, stated once: who stands where, who did not finish (DNF), who won, or why nobody did. Pure.

facts of each lane --`verdict`--> order, places, reasons. Live view, replay, `info`, SQL, card, exports and the story
all show this and nothing of their own. docs/decisions/0018-who-finished-and-who-won.md has the cases, and why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from msgspec import Struct

from racelog.display.figures import percent, tick
from racelog.display.text import counted, shortened

FINISH = 0.95
"""Who finished under this share of the requests did not finish the race, where the plan says nothing else."""

LEAST_SO_FAR = 20
"""Ended requests by which a lane that races against the clock is judged already: one of them is then 5 %."""

LEFT_WAITING = 3.0
"""A cancelled request counts against an engine that left it without a token for so many times its slowest first token."""

CACHE_POINTS = 0.10
"""Lanes whose caches gave shares of the prompts that differ by more are not like for like."""

LEAST_TOLD = 5
"""Answers of a lane that still races before its cache speaks against a comparison; all of a race that has fewer."""

SAME_PROMPTS = 0.90
"""Lanes are asked the same if so much of what the one with fewer prompts was asked the other was, too."""

MARGIN = 1e-9
"""What floats lose: 999 of 1,000 are not under 99.9 %."""

NAMED = 3
"""How many parameters, and lanes of each, a reason names."""

LONGEST_VALUE = 40
"""Characters of a parameter's value in a reason, which is one line."""

Pairs = Mapping[tuple[int, int], tuple[int, int]]
"""Of two lanes that may have been asked other prompts: how many they share, and how many the one with fewer was asked."""

_NO_PAIRS: Pairs = MappingProxyType({})

Status = Literal["waiting", "racing", "finished", "stopped", "died"]

RECORDER_DIED = "racelog's own recorder of it died"
"""Why a lane that died is DNF: the process that ended was racelog's, and what became of the engine is not known."""

_WORDS = {"died": "recorder died"}


def status_word(status: str) -> str:
    """Return a lane's status for people; programs get it as it is. What died is racelog's process, never the engine."""
    return _WORDS.get(status, status)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRun:
    """What the rule asks of one lane, up to some instant; warm-up counts nowhere.

    ``target`` is how many requests it is to send in all, None where time ends it. ``unanswered_ms``: how long each cancelled
    request had waited without a token. ``answers`` with a counted prompt made ``cached_share``, None: the server never says.
    ``params`` are what every request was given, None where that is unknown.
    """

    lane: int
    engine: str
    status: Status
    started: bool = True
    eliminated: bool = False
    target: int | None = None
    ok: int = 0
    failed: int = 0
    cancelled: int = 0
    ttft_p50_ms: float | None = None
    ttft_max_ms: float | None = None
    unanswered_ms: Sequence[float] = ()
    answers: int = 0
    cached_share: float | None = None
    params: Mapping[str, Any] | None = None

    @property
    def ended(self) -> bool:
        """Whether it races no more."""
        return self.status not in ("waiting", "racing")

    @property
    def counted(self) -> int:
        """Requests by which it is judged: answered, failed, and those it left waiting."""
        limit_ms = LEFT_WAITING * (self.ttft_max_ms or 0.0)
        left = sum(waited > limit_ms for waited in self.unanswered_ms) if self.ok else 0
        return self.ok + self.failed + left

    @property
    def share(self) -> float | None:
        """Share of the requests that finished, 0 to 1; None before any counts."""
        return self.ok / self.counted if self.counted else None


class Verdict(Struct, frozen=True, kw_only=True):
    """Where every lane stands. ``standings`` has all lane ids, best first; ``places`` those that have one, from 1.

    ``dnf`` has the reason, by lane, of those that did not finish. Without a ``winner`` ``no_winner`` says why. ``unlike`` is
    what makes the lanes not like for like, ``caveat`` what cannot be known; each empty where there is nothing.
    """

    standings: list[int]
    places: dict[int, int]
    dnf: dict[int, str]
    winner: int | None
    no_winner: str
    unlike: str
    caveat: str
    bound: float

    @property
    def nobody(self) -> str:
        """A sentence, without its full stop, that says why nobody won; empty where somebody did."""
        if self.winner is not None:
            return ""
        return f"Not like for like: {self.unlike}" if self.unlike else f"No winner: {self.no_winner}"


def verdict(lanes: Sequence[LaneRun], bound: float = FINISH, prompts: Pairs = _NO_PAIRS) -> Verdict:
    """Return where ``lanes`` stand: by median TTFT, those that did not finish ``bound`` of their requests below all others."""
    dnf = {run.lane: reason for run in lanes if (reason := _not_finished(run, bound))}
    ranking = sorted(lanes, key=lambda run: _rank(run, dnf))
    contenders = [run for run in ranking if run.lane not in dnf]
    unlike = "; ".join(_differences(contenders, prompts)) if len(contenders) > 1 else ""
    placed = [run for run in contenders if run.ttft_p50_ms is not None]
    no_winner = _nobody(lanes, contenders, unlike)
    compared = not unlike and not _alone(lanes, contenders)
    return Verdict(
        standings=[run.lane for run in ranking],
        places={run.lane: place for place, run in enumerate(placed, 1)} if compared else {},
        dnf=dnf,
        winner=None if no_winner else placed[0].lane,
        no_winner=no_winner,
        unlike=unlike,
        caveat="" if no_winner else _unknown(contenders),
        bound=bound,
    )


def _rank(run: LaneRun, dnf: Mapping[int, str]) -> tuple[bool, bool, bool, float, int]:
    """Return the key lanes are sorted by. The first tokens of open requests lead nobody while every answer so far failed."""
    middle_ms, only_failed = run.ttft_p50_ms, run.failed > 0 and not run.ok
    return run.lane in dnf, middle_ms is None, only_failed, middle_ms or 0.0, run.lane


def _not_finished(run: LaneRun, bound: float) -> str:
    """Return why a lane did not finish, or can no longer; empty for one that did, or still may."""
    if run.status == "died":
        return RECORDER_DIED
    if not run.ended:
        return _cannot_finish(run, bound)
    if run.eliminated:
        return f"eliminated after {counted(run.ok + run.failed, 'request')}"
    if not run.ok:
        return _never_answered(run)
    if run.ok < bound * run.counted - MARGIN:
        return f"{_of_them(run)}; the bound is {tick(bound * 100)} %"
    return ""


def _never_answered(run: LaneRun) -> str:
    tried = run.failed + run.cancelled
    if tried:
        return f"none of {counted(tried, 'request')} finished"
    return "it sent no request" if run.started else "it never started"


def _cannot_finish(run: LaneRun, bound: float) -> str:
    """Return why a lane that still races is DNF already: never for what it has not done yet."""
    if run.target is not None:
        if run.target - run.failed < bound * run.target - MARGIN:
            return f"{run.failed:,} of {counted(run.target, 'request')} failed already; the bound is {tick(bound * 100)} %"
    elif run.counted >= LEAST_SO_FAR and run.ok < bound * run.counted - MARGIN:
        return f"so far {_of_them(run)}; the bound is {tick(bound * 100)} %"
    return ""


def _of_them(run: LaneRun) -> str:
    return f"{run.ok:,} of {counted(run.counted, 'request')} finished, {percent(run.share or 0.0)}"


def _nobody(lanes: Sequence[LaneRun], contenders: Sequence[LaneRun], unlike: str) -> str:
    """Return why there is no winner; empty where there is one."""
    if not any(run.ok for run in lanes):
        return "no request was answered"
    if not contenders:
        died = any(run.status == "died" and run.ok for run in lanes)
        return "no lane was recorded to the end" if died else "no engine finished"
    if unlike:
        return f"not like for like: {unlike}"
    if alone := _alone(lanes, contenders):
        return f"only {alone} was raced"
    first = contenders[0]
    if first.ttft_p50_ms is None:
        return "no engine answered with a token"
    return "" if first.ok else f"{first.engine} has first tokens and no whole answer yet"


def _alone(lanes: Sequence[LaneRun], contenders: Sequence[LaneRun]) -> str:
    """Return the name of the one lane that ran where the race was stopped before any other had started."""
    idle = [run for run in lanes if run.status == "stopped" and not run.started and not run.eliminated]
    one_ran = len(contenders) == 1 and len(idle) == len(lanes) - 1 > 0
    return contenders[0].engine if one_ran else ""


def _differences(contenders: Sequence[LaneRun], prompts: Pairs) -> list[str]:
    """Return what makes lanes not like for like: what they were asked, and what their caches gave."""
    found = [*_params_differ(contenders), *_prompts_differ(contenders, prompts)]
    known = [run for run in contenders if run.cached_share is not None and _speaks(run)]
    if len(known) > 1:
        most = max(known, key=lambda run: (run.cached_share or 0.0, -run.lane))
        least = min(known, key=lambda run: (run.cached_share or 0.0, run.lane))
        high, low = most.cached_share or 0.0, least.cached_share or 0.0
        if high - low > CACHE_POINTS + MARGIN:
            found.append(
                f"{percent(high)} of {most.engine}'s prompt tokens came from its cache, {percent(low)} of {least.engine}'s"
            )
    return found


def _speaks(run: LaneRun) -> bool:
    return run.ended or run.answers >= min(LEAST_TOLD, run.target or LEAST_TOLD)


def _params_differ(contenders: Sequence[LaneRun]) -> list[str]:
    known = [(run.engine, run.params) for run in contenders if run.params is not None]
    names = sorted({name for _, params in known for name in params})
    found = []
    for name in names:
        values = [(engine, _value(params, name)) for engine, params in known]
        if len({value for _, value in values}) > 1:
            told = ", ".join(f"{value} for {engine}" for engine, value in _unequal(values)[:NAMED])
            found.append(f"{name} is {told}")
    left = len(found) - NAMED
    return [*found[:NAMED], f"and {left} more parameters differ"] if left > 0 else found


def _unequal(values: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the first lane with each value."""
    first = {value: engine for engine, value in reversed(values)}
    return [(engine, value) for engine, value in values if first[value] == engine]


def _value(params: Mapping[str, Any], name: str) -> str:
    """Return a parameter as it is told; 0 and 0.0 are the same."""
    if name not in params:
        return "not set"
    value = params[name]
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    text = f"{value:g}" if isinstance(value, float | int) else str(value)
    return shortened(text, LONGEST_VALUE)


def _prompts_differ(contenders: Sequence[LaneRun], prompts: Pairs) -> list[str]:
    names = {run.lane: run.engine for run in contenders}
    return [
        f"only {shared:,} of {fewest:,} prompts of {names[one]} and {names[other]} are the same"
        for (one, other), (shared, fewest) in prompts.items()
        if one in names and other in names and shared < SAME_PROMPTS * fewest - MARGIN
    ][:1]


def _unknown(contenders: Sequence[LaneRun]) -> str:
    """Return what must be said where one lane's cache gave much and another's server does not tell."""
    told = [run for run in contenders if run.cached_share is not None and _speaks(run)]
    silent = [run for run in contenders if run.cached_share is None and run.ok]
    most = max(told, key=lambda run: (run.cached_share or 0.0, -run.lane), default=None)
    if most is None or not silent or (most.cached_share or 0.0) <= CACHE_POINTS + MARGIN:
        return ""
    return (
        f"{percent(most.cached_share or 0.0)} of {most.engine}'s prompt tokens came from its cache; "
        f"{silent[0].engine}'s server does not say what came from its own"
    )
