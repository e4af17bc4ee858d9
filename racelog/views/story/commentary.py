"""The commentator: one template a rule, each said when its moment comes and not again.

Texts name the lane, the number and what it is compared with; nothing is said that the log does not carry.
"""

from collections.abc import Iterator

from racelog.clock import NS_PER_MS
from racelog.display.figures import duration, progress
from racelog.display.text import counted, printable
from racelog.views.faults import said
from racelog.views.story.happenings import Beat, Book, LaneAccount
from racelog.views.story.rows import Achievement, Anomaly, Comment, Insight, Level, Tone
from racelog.views.verdict import Verdict

MILESTONES = (10, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
TOKEN_MILESTONES = (1_000, 10_000, 100_000, 1_000_000)
CLOSE = 0.05
"""Two medians nearer than this are a close race."""

LEAST_TO_LEAD = 5
"""First tokens a lane needs before a change of places is worth a word; all of a race that has fewer."""


class Commentator:
    """Remembers what was said, so that it is said once."""

    def __init__(self) -> None:
        self._said: set[tuple[str, int | None, int]] = set()
        self._order: list[int] = []
        self._coming: list[int] = []
        self._best_ms: float | None = None

    def step(self, beat: Beat, book: Book) -> Iterator[Comment]:
        """Yield what there is to say at ``beat``."""
        account = None if beat.lane is None else book.lanes[beat.lane]
        if account is None:
            yield from self._places(beat, book)
            return
        match beat.kind:
            case "start":
                yield from self._start(beat, account, book)
            case "first-token":
                yield from self._first_token(beat, account, book)
            case "end":
                yield from self._end(beat, account, book)
            case "lane-end":
                yield from self._lane_end(beat, account, book)
            case _:
                pass

    def _start(self, beat: Beat, account: LaneAccount, book: Book) -> Iterator[Comment]:
        if len(book.lanes) > 1 and self._once("off"):
            yield _comment(
                beat,
                book,
                "start",
                "info",
                "normal",
                f"The race starts: {len(book.lanes)} engines",
                lane=None,
            )
        elif len(book.lanes) == 1:
            yield _comment(beat, book, "start", "info", "normal", f"{_name(account)} starts alone")

    def _first_token(self, beat: Beat, account: LaneAccount, book: Book) -> Iterator[Comment]:
        ttft = beat.request.ttft_ms if beat.request is not None else None
        if ttft is None:
            return
        if self._once("speaks"):
            self._once("first", beat.lane)
            yield _comment(
                beat,
                book,
                "first-words",
                "good",
                "normal",
                f"{_name(account)} sends the first token of the race, TTFT {duration(ttft)}",
            )
        elif self._once("first", beat.lane):
            yield _comment(
                beat,
                book,
                "first-token",
                "info",
                "verbose",
                f"{_name(account)} sends its first token, TTFT {duration(ttft)}",
            )
        if self._best_ms is None or ttft < 0.8 * self._best_ms:
            if self._best_ms is not None:
                yield _comment(
                    beat,
                    book,
                    "record",
                    "good",
                    "verbose",
                    f"New lowest TTFT: {_name(account)}, {duration(ttft)}",
                )
            self._best_ms = ttft

    def _places(self, beat: Beat, book: Book) -> Iterator[Comment]:
        """Tell of a change of places among lanes that have enough to be judged by, once it has held for a second."""
        least = min(LEAST_TO_LEAD, book.target or LEAST_TO_LEAD)
        found = book.verdict()
        order = [
            lane
            for lane in found.standings
            if lane in found.places and len(book.lanes[lane].ttft_ms) >= least
        ]
        if order != self._coming:
            self._coming = order
            return
        before, self._order = self._order, order
        if not order or not before or order == before:
            return
        first, past = book.lanes[order[0]], before[0]
        if order[0] != past and past in order:
            other = book.lanes[past]
            text = f"{_name(first)} takes the lead from {_name(other)}: TTFT p50 {duration(first.ttft_p50_ms() or 0.0)} against {duration(other.ttft_p50_ms() or 0.0)}"
            yield _comment(beat, book, "lead", "good", "quiet", text, lane=order[0])
            return
        for place, lane in enumerate(order[1:], 2):
            if lane in before and before.index(lane) > place - 1 and set(order) == set(before):
                yield _comment(
                    beat,
                    book,
                    "overtake",
                    "info",
                    "normal",
                    f"{_name(book.lanes[lane])} moves up to place {place}",
                    lane=lane,
                )
                return

    def _end(self, beat: Beat, account: LaneAccount, book: Book) -> Iterator[Comment]:
        request = beat.request
        if request is not None and request.status == "failed":
            yield from self._failure(
                beat, account, book, printable(said(request.message) or request.error or "no reason recorded")
            )
        for count in MILESTONES:
            if account.ok == count and self._once("done", beat.lane, count):
                yield _comment(
                    beat,
                    book,
                    "milestone",
                    "info",
                    "normal",
                    f"{_name(account)} has completed {count:,} requests after {duration(book.position_ns / NS_PER_MS)}",
                )
        if account.target and account.done * 2 >= account.target and self._once("half", beat.lane):
            yield _comment(beat, book, "halfway", "info", "normal", f"{_name(account)} is halfway")
        yield from self._totals(beat, book)

    def _failure(self, beat: Beat, account: LaneAccount, book: Book, why: str) -> Iterator[Comment]:
        if self._once("error", beat.lane):
            yield _comment(
                beat, book, "first-error", "error", "quiet", f"First error for {_name(account)}: {why}"
            )
        elif account.failed % 10 == 0 and self._once("errors", beat.lane, account.failed):
            yield _comment(
                beat,
                book,
                "errors",
                "error",
                "normal",
                f"{_name(account)} has {account.failed} errors now, the last: {why}",
            )

    def _totals(self, beat: Beat, book: Book) -> Iterator[Comment]:
        tokens = sum(lane.tokens for lane in book.lanes.values())
        for count in TOKEN_MILESTONES:
            if tokens >= count and self._once("tokens", None, count):
                yield _comment(
                    beat, book, "tokens", "info", "verbose", f"{count:,} tokens across all engines", lane=None
                )
        if ("close", None, 0) in self._said or (book.progress() or 0) < 0.5:  # noqa: PLR2004 - halfway
            return
        ranked = book.ranked()
        if len(ranked) > 1 and self._once("close"):
            ahead, behind = (book.lanes[lane] for lane in ranked[:2])
            one, other = ahead.ttft_p50_ms() or 0.0, behind.ttft_p50_ms() or 0.0
            if other - one < CLOSE * one:
                yield _comment(
                    beat,
                    book,
                    "close",
                    "info",
                    "normal",
                    f"Close race: TTFT p50 of {_name(ahead)} and {_name(behind)} is {duration(other - one)} apart",
                )

    def _lane_end(self, beat: Beat, account: LaneAccount, book: Book) -> Iterator[Comment]:
        found = book.verdict()
        dnf = found.dnf.get(account.track.facts.lane, "")
        if account.ended == "finished" and not dnf:
            text = f"{_name(account)} finishes after {duration(book.position_ns / NS_PER_MS)}"
            yield _comment(beat, book, "finish", "good", "quiet", text)
        else:
            why = f"; DNF: {printable(dnf)}" if dnf and account.ended != "died" else ""
            ended = "ends" if dnf and account.ended == "finished" else account.ended
            whose = "racelog's recorder of " if account.ended == "died" else ""
            text = f"{whose}{_name(account)} {ended} after {counted(account.done, 'request')}{why}"
            tone: Tone = "error" if account.ended == "died" or dnf else "warn"
            key = "finish" if account.ended == "finished" else account.ended
            yield _comment(beat, book, key, tone, "quiet", text)
        if all(lane.ended for lane in book.lanes.values()) and self._once("won"):
            yield from self._verdict(beat, book, found)

    def _verdict(self, beat: Beat, book: Book, found: Verdict) -> Iterator[Comment]:
        """Say who won, or why nobody did; a lane that raced alone won against nobody."""
        if found.winner is not None:
            winner = book.lanes[found.winner]
            said = "wins" if len(book.lanes) > 1 else "raced alone,"
            text = f"{_name(winner)} {said} with a median TTFT of {duration(winner.ttft_p50_ms() or 0.0)}"
            yield _comment(beat, book, "winner", "good", "quiet", text, lane=found.winner)
        elif len(book.lanes) > 1:
            yield _comment(beat, book, "no-winner", "warn", "quiet", printable(found.nobody), lane=None)

    def _once(self, what: str, lane: int | None = None, count: int = 0) -> bool:
        key = what, lane, count
        if key in self._said:
            return False
        self._said.add(key)
        return True


def of_anomaly(row: Anomaly) -> Comment:
    """Return an anomaly as a line of commentary; single outliers only for those who want every word."""
    level: Level = "verbose" if row.kind == "outlier" else "quiet"
    tone: Tone = "error" if row.kind == "error-rise" else "warn"
    return Comment(
        position_ns=row.position_ns,
        t_ns=row.t_ns,
        lane=row.lane,
        key=row.kind,
        tone=tone,
        level=level,
        text=row.text,
    )


def of_insight(row: Insight) -> Comment:
    """Return an insight as a line of commentary."""
    return Comment(
        position_ns=row.position_ns,
        t_ns=row.t_ns,
        lane=row.lane,
        key="insight",
        tone="info",
        level="normal",
        text=f"At {progress(row.share)}: {row.text}",
    )


def of_achievement(row: Achievement, engine: str) -> Comment:
    """Return an achievement as a line of commentary."""
    return Comment(
        position_ns=row.position_ns or 0,
        t_ns=row.unlocked_at_ns or 0,
        lane=row.lane,
        key="achievement",
        tone="good",
        level="normal",
        text=f"{printable(engine)} earns {row.name}: {row.told}",
    )


def _name(account: LaneAccount) -> str:
    return printable(account.engine)


def _comment(  # noqa: PLR0917 - a row has as many parts as it has
    beat: Beat, book: Book, key: str, tone: Tone, level: Level, text: str, *, lane: int | None = -1
) -> Comment:
    """Return a comment at ``beat``, about its lane unless another (or None, all) is named."""
    number = beat.lane if lane == -1 else lane
    clock = beat.lane if beat.lane is not None else number
    origin = book.lanes[clock].origin_ns if clock is not None else 0
    return Comment(
        position_ns=beat.position_ns,
        t_ns=origin + beat.position_ns,
        lane=number,
        key=key,
        tone=tone,
        level=level,
        text=text,
    )
