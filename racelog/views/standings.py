"""The standings of a replay where it stands: each lane's facts gathered for the rule in `racelog.views.verdict`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from racelog.events import RequestScheduled
from racelog.replay.lane import LaneFold
from racelog.replay.quantiles import median
from racelog.replay.race import RaceTracks, Replay
from racelog.replay.together import APART
from racelog.replay.track import LaneTrack
from racelog.views.verdict import FINISH, LaneRun, Pairs, Verdict, verdict


@dataclass(frozen=True, slots=True)
class Terms:
    """What a race's lanes are judged by: the bound, their target, who was taken out, and what each was asked."""

    bound: float
    target: int | None
    eliminated: frozenset[int | None]
    params: Mapping[int, Mapping[str, Any] | None]
    prompts: Pairs


def race_verdict(replay: Replay, *, answered: bool = False) -> Verdict:
    """Return where every lane stands at ``replay``'s position. Cost: a look at each lane's counts.

    ``answered``: by whole answers alone, as a result is, without the first tokens of requests that are still open.
    """
    terms = terms_of(replay.tracks)
    return verdict(
        [_run(fold, terms, answered=answered) for fold in replay.lanes.values()], terms.bound, terms.prompts
    )


def terms_of(tracks: RaceTracks) -> Terms:
    """Return the terms of a race. Cost: a look at each order; of an imported race at each prompt once more."""
    facts = tracks.facts
    bound = facts.finish if facts else None
    by_time = facts is None or facts.duration_ns is not None
    return Terms(
        bound=FINISH if bound is None or not 0 <= bound <= 1 else bound,
        target=None if by_time or facts is None else facts.requests,
        eliminated=frozenset(order.lane for order in tracks.controls if order.what == "eliminate"),
        params={lane: _params(tracks, track) for lane, track in tracks.lanes.items()},
        prompts=_others(tracks),
    )


def _run(fold: LaneFold, terms: Terms, *, answered: bool) -> LaneRun:
    facts, tally = fold.track.facts, fold.tally
    ttft_ms = fold.answered_ttft_ms() if answered else fold.ttft_ms
    return LaneRun(
        lane=facts.lane, engine=facts.engine, status=fold.status, started=fold.track.start_ns is not None,
        eliminated=facts.lane in terms.eliminated, target=terms.target,
        ok=fold.ok, failed=fold.failed, cancelled=fold.cancelled,
        ttft_p50_ms=median(ttft_ms), ttft_max_ms=ttft_ms[-1] if ttft_ms else None,
        unanswered_ms=tally.unanswered_ms, answers=tally.prompted, cached_share=tally.cached_share,
        params=terms.params.get(facts.lane),
    )  # fmt: skip


def _params(tracks: RaceTracks, track: LaneTrack) -> Mapping[str, Any] | None:
    """Return what a lane's requests were given, as the lane says, else as the plan in the log does."""
    if track.facts.params is not None:
        return track.facts.params
    plan = tracks.facts.plan if tracks.facts else {}
    engines, shared = plan.get("engines"), plan.get("params")
    if not isinstance(engines, list) or not isinstance(shared, dict):
        return None
    for engine in engines:
        if isinstance(engine, dict) and engine.get("name") == track.facts.engine:
            own = engine.get("params")
            return {**shared, **own} if isinstance(own, dict) else shared
    return None


def _others(tracks: RaceTracks) -> Pairs:
    """Return, for lanes that were asked other prompts, how many they share; nothing for a race that racelog recorded.

    There every lane has the same ones in the same order; only how far it came differs. Cost: a look at each prompt, once.
    """
    foreign = tracks.facts is not None and tracks.facts.imported_from is not None
    if not foreign and max(tracks.prompts, default=0) < APART:
        return {}
    known = tuple(len(track.events) for track in tracks.lanes.values()), len(tracks.prompts)
    if _compared.get(tracks, (None, {}))[0] != known:
        _compared[tracks] = known, dict(_pairs(tracks))
    return _compared[tracks][1]


_compared: WeakKeyDictionary[RaceTracks, tuple[object, Pairs]] = WeakKeyDictionary()
"""What was found of tracks when they knew so many events and prompts."""


def _numbers(track: LaneTrack) -> set[int]:
    """Return the prompts of all requests of the race on a lane."""
    requests = (event for event in track.events if isinstance(event, RequestScheduled))
    return {request.prompt for request in requests if request.phase == "race"}


def _pairs(tracks: RaceTracks) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield two lanes, and how many prompts they share of how many that the one with fewer was asked."""
    first: dict[bytes, int] = {}
    same = {
        number: first.setdefault(msgspec.json.encode(prompt.messages), number)
        for number, prompt in tracks.prompts.items()
    }
    numbers = {lane: _numbers(track) for lane, track in tracks.lanes.items()}
    asked = {
        lane: {same[number] for number in own} for lane, own in numbers.items() if own and own <= same.keys()
    }
    for one, other in combinations(asked, 2):
        yield (one, other), (len(asked[one] & asked[other]), min(len(asked[one]), len(asked[other])))
