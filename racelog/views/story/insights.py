"""Insights at a quarter, half, three quarters and the end: only what the numbers so far carry, with the numbers."""

from collections.abc import Iterator

from racelog.display.figures import duration, number, percent, rate, times
from racelog.display.text import counted, printable
from racelog.replay.quantiles import quantile
from racelog.views.story.happenings import Book, LaneAccount
from racelog.views.story.rows import Category, Insight, Priority

SHARES = (0.25, 0.5, 0.75, 1.0)
LEAST = 5
"""Requests a lane needs before anything is concluded from it."""

UNEVEN = 3.0
"""A TTFT p99 this many times the median is worth a word."""


class Insights:
    """Speaks once at each share of the race."""

    def __init__(self) -> None:
        self._told = 0

    def step(self, book: Book) -> Iterator[Insight]:
        """Yield the insights of every share that has been passed and not been told of."""
        progress = book.progress()
        while self._told < len(SHARES) and progress is not None and progress >= SHARES[self._told]:
            share = SHARES[self._told]
            self._told += 1
            if progress < (SHARES[self._told] if self._told < len(SHARES) else 2):
                yield from _at(share, book)


def _at(share: float, book: Book) -> Iterator[Insight]:
    found = book.verdict()
    lanes = {lane_id: lane for lane_id, lane in book.lanes.items() if lane.ok >= LEAST}
    compared = (
        {} if found.unlike else {lane_id: lane for lane_id, lane in lanes.items() if lane_id not in found.dnf}
    )
    if found.unlike:
        reason = "what differs is not the engines' alone, so they are not compared"
        text = f"not like for like: {printable(found.unlike)}"
        yield _row(share, book, None, "reliability", "high", (text, reason))
    yield from _speed(share, book, compared)
    yield from _reliability(share, book, lanes)
    yield from _efficiency(share, book, compared)
    yield from _evenness(share, book, lanes)


def _speed(share: float, book: Book, lanes: dict[int, LaneAccount]) -> Iterator[Insight]:
    ranked = [lane for lane in book.ranked() if lane in lanes]
    if len(ranked) < 2:  # noqa: PLR2004 - a comparison needs two
        return
    ahead, behind = lanes[ranked[0]], lanes[ranked[1]]
    one, other = ahead.ttft_p50_ms() or 0.0, behind.ttft_p50_ms() or 0.0
    if one <= 0:
        return
    text = (
        f"{printable(ahead.engine)} has the lowest TTFT; {printable(behind.engine)}'s is {times(other / one)}"
    )
    reason = f"TTFT p50 {duration(one)} of {counted(len(ahead.ttft_ms), 'request')} against {duration(other)} of {len(behind.ttft_ms):,}"
    yield _row(share, book, ranked[0], "speed", "high" if other > 1.5 * one else "low", (text, reason))


def _reliability(share: float, book: Book, lanes: dict[int, LaneAccount]) -> Iterator[Insight]:
    for lane_id, lane in book.lanes.items():
        done = lane.ok + lane.failed
        if lane.failed and done:
            failing = lane.failed / done
            text = f"{printable(lane.engine)} fails {percent(failing)} of its requests"
            priority: Priority = "high" if failing > 0.05 else "medium"  # noqa: PLR2004 - one in twenty is felt
            yield _row(
                share,
                book,
                lane_id,
                "reliability",
                priority,
                (text, f"{lane.failed:,} of {counted(done, 'request')} failed"),
            )
    if lanes and not any(lane.failed for lane in book.lanes.values()):
        done = sum(lane.ok for lane in book.lanes.values())
        yield _row(
            share,
            book,
            None,
            "reliability",
            "low",
            ("no engine has failed a request", f"{counted(done, 'request')}, 0 failed"),
        )


def _efficiency(share: float, book: Book, lanes: dict[int, LaneAccount]) -> Iterator[Insight]:
    rates = {
        one: lane.tokens / _seconds(lane, book) for one, lane in lanes.items() if _seconds(lane, book) > 0
    }
    if len(rates) < 2:  # noqa: PLR2004 - a comparison needs two
        return
    best = max(rates, key=lambda one: (rates[one], -one))
    ranked = [lane for lane in book.ranked() if lane in rates]
    text = f"{printable(lanes[best].engine)} has the highest throughput: {rate(rates[best], 'tok/s')}"
    if ranked and ranked[0] != best:
        text += f"; {printable(lanes[ranked[0]].engine)} has the lowest TTFT"
    others = ", ".join(
        f"{printable(lanes[lane].engine)} {number(per_s)}" for lane, per_s in rates.items() if lane != best
    )
    yield _row(
        share, book, best, "efficiency", "medium", (text, f"mean tok/s of finished requests; {others}")
    )


def _evenness(share: float, book: Book, lanes: dict[int, LaneAccount]) -> Iterator[Insight]:
    for lane_id, lane in lanes.items():
        middle, high = lane.ttft_p50_ms() or 0.0, quantile(lane.ttft_ms, 0.99) or 0.0
        if middle > 0 and high > UNEVEN * middle:
            text = f"{printable(lane.engine)}: p99 TTFT is {times(high / middle)} its median"
            reason = f"TTFT p99 {duration(high)}, p50 {duration(middle)}, of {counted(len(lane.ttft_ms), 'request')}"
            yield _row(share, book, lane_id, "speed", "medium", (text, reason))


def _seconds(lane: LaneAccount, book: Book) -> float:
    end = (
        lane.track.end_ns - lane.origin_ns
        if lane.ended and lane.track.end_ns is not None
        else book.position_ns
    )
    return max(0, end - max(0, (lane.track.start_ns or 0) - lane.origin_ns)) / 1e9


def _row(  # noqa: PLR0917 - a row has as many parts as it has
    share: float, book: Book, lane: int | None, category: Category, priority: Priority, words: tuple[str, str]
) -> Insight:  # fmt: skip
    origin = (
        min((one.origin_ns for one in book.lanes.values()), default=0)
        if lane is None
        else book.lanes[lane].origin_ns
    )
    return Insight(
        position_ns=book.position_ns, t_ns=origin + book.position_ns, share=share, lane=lane, category=category,
        priority=priority, text=words[0], reason=words[1],
    )  # fmt: skip
