"""Achievements: five that a log can prove, and two that only the viewer can earn (docs/metrics.md#achievements)."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from racelog.clock import NS_PER_S
from racelog.views.story.happenings import Beat, Book, LaneAccount
from racelog.views.story.rows import Achievement, Category

FAST_MS, FAST_NS = 200.0, 300 * NS_PER_S
SIGMA_MS, SIGMA_LEAST = 20.0, 20
BEAST_TOKENS, MINUTE_NS = 10_000, 60 * NS_PER_S
FLAWLESS, FIRST, LESSONS = 1_000, 100, 6

NEARLY = 0.99

Progress = Callable[[LaneAccount, Book, "Achievements"], float]


@dataclass(frozen=True, slots=True)
class Rule:
    """One achievement of a lane; ``progress`` gives 0 to 1, and 1 unlocks it for good."""

    key: str
    name: str
    category: Category
    told: str
    progress: Progress


def _speed_demon(lane: LaneAccount, book: Book, kept: "Achievements") -> float:
    since = kept.fast_since.get(lane.track.facts.lane)
    return 0.0 if since is None else (book.position_ns - since) / FAST_NS


def _consistency(lane: LaneAccount, book: Book, kept: "Achievements") -> float:  # noqa: ARG001 - one shape for all
    if len(lane.ttft_ms) < SIGMA_LEAST or not lane.ended:
        return min(0.99, len(lane.ttft_ms) / SIGMA_LEAST * 0.5)
    sigma = statistics.pstdev(lane.ttft_ms)
    return 1.0 if sigma < SIGMA_MS else min(0.99, SIGMA_MS / sigma)


def _beast(lane: LaneAccount, book: Book, kept: "Achievements") -> float:  # noqa: ARG001 - one shape for all
    return lane.tokens_between(book.position_ns - MINUTE_NS, book.position_ns) / BEAST_TOKENS


def _flawless(lane: LaneAccount, book: Book, kept: "Achievements") -> float:  # noqa: ARG001 - one shape for all
    return 0.0 if lane.failed else lane.ok / FLAWLESS


def _first_blood(lane: LaneAccount, book: Book, kept: "Achievements") -> float:  # noqa: ARG001 - one shape for all
    if any(other.ok >= FIRST and other is not lane for other in book.lanes.values()):
        return 0.0
    return lane.ok / FIRST


RULES = (
    Rule("speed-demon", "Speed Demon", "speed", "median TTFT below 200 ms for 5 minutes", _speed_demon),
    Rule(
        "consistency-king",
        "Consistency King",
        "reliability",
        "TTFT within a standard deviation of 20 ms",
        _consistency,
    ),
    Rule("throughput-beast", "Throughput Beast", "efficiency", "10,000 tokens in one minute", _beast),
    Rule("zero-failures", "Zero Failures", "reliability", "1,000 requests without an error", _flawless),
    Rule("first-blood", "First Blood", "speed", "first to complete 100 requests", _first_blood),
)


class Achievements:
    """Follows every lane's progress; the best it ever was, and the instant it was complete."""

    def __init__(self) -> None:
        self.fast_since: dict[int, int] = {}
        self.history: dict[str, list[tuple[int, float]]] = {}
        self._best: dict[tuple[int, str], float] = {}
        self._unlocked: dict[tuple[int, str], tuple[int, int]] = {}

    def step(self, beat: Beat, book: Book) -> list[Achievement]:
        """Return what ``beat`` unlocks; only what ends, and the second hand, can."""
        if beat.kind in ("start", "sent", "first-token"):
            return []
        for number, lane in book.lanes.items():
            middle = lane.ttft_p50_ms()
            if not lane.racing or middle is None or middle >= FAST_MS:
                self.fast_since.pop(number, None)
            else:
                self.fast_since.setdefault(number, book.position_ns)
        racing = [number for number, lane in book.lanes.items() if lane.racing]
        numbers = racing if beat.lane is None else [beat.lane]
        return [
            row
            for number in numbers
            for rule in RULES
            if (row := self._judge(rule, number, book)) is not None
        ]

    def finish(self, book: Book) -> list[Achievement]:
        """Return every achievement of every lane: unlocked ones with their instant, others with their progress."""
        return [
            self._row(rule, number, self._unlocked.get((number, rule.key)))
            for number in book.lanes
            for rule in RULES
        ]

    def _judge(self, rule: Rule, number: int, book: Book) -> Achievement | None:
        key = number, rule.key
        if key in self._unlocked:
            return None
        progress = rule.progress(book.lanes[number], book, self)
        if progress >= 1 and number in book.verdict().dnf:
            progress = NEARLY  # who did not finish earns nothing any more
        before, best = self._best.get(key, 0.0), min(1.0, progress)
        if int(best * 100) > int(before * 100):
            self._best[key] = best
            self.history.setdefault(f"{number}/{rule.key}", []).append((book.position_ns, best))
        if progress < 1:
            return None
        account = book.lanes[number]
        self._unlocked[key] = account.origin_ns + book.position_ns, book.position_ns
        return self._row(rule, number, self._unlocked[key])

    def _row(self, rule: Rule, number: int, unlocked: tuple[int, int] | None) -> Achievement:
        t_ns, position_ns = unlocked or (None, None)
        return Achievement(
            lane=number, key=rule.key, name=rule.name, category=rule.category, told=rule.told, unlocked_at_ns=t_ns,
            position_ns=position_ns, progress=1.0 if unlocked else self._best.get((number, rule.key), 0.0),
        )  # fmt: skip


def viewer_achievements(explained: int, earned: list[Achievement]) -> list[Achievement]:
    """Return what only the one who watches can earn: ``explained`` different explanations viewed, and all the others unlocked."""
    learner = min(1.0, explained / LESSONS)
    keys = {row.key for row in earned if row.unlocked_at_ns is not None}
    all_keys = {rule.key for rule in RULES} | {row.key for row in earned}
    share = (len(keys) + (learner >= 1)) / (len(all_keys) + 1)
    told = (
        ("quick-learner", "Quick Learner", f"view all {LESSONS} explanations of numbers", learner),
        ("completionist", "Completionist", "unlock all the others", share),
    )
    return [
        Achievement(lane=None, key=key, name=name, category="explorer", told=words, unlocked_at_ns=None,
                    position_ns=None, progress=progress)
        for key, name, words, progress in told
    ]  # fmt: skip
