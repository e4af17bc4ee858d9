"""The race as running lines, for pipes, logs and screen readers: a line when something happens, then the result."""

from collections.abc import Iterator, Sequence

import click

from racelog.clock import NS_PER_S
from racelog.console.output import Heading, table_lines
from racelog.display.figures import MS_PER_S, duration
from racelog.display.text import counted
from racelog.views.evidence.health import health_line
from racelog.views.race import LaneView, RaceView
from racelog.views.summary import LaneSummary, RaceSummary, race_ending
from racelog.views.verdict import status_word
from racelog_player.model.times import clock_text
from racelog_player.panes.widgets import NOTHING, ms_text, rate_text, share_text
from racelog_player.terminal.cells import cut, flat, left, width

NAME_CELLS = 60
"""Widest name that is told whole; a log may hold one of a megabyte."""


class Narrator:
    """Compares each view with the one before and says what happened in between, in lines."""

    def __init__(self) -> None:
        self._before: dict[int, LaneView] = {}
        self._told: dict[int, tuple[int, float]] = {}
        self._leader: int | None = None
        self._coming: tuple[int, float] | None = None
        self._names = 0
        self._doubted = False

    def lines(self, race: RaceView) -> list[str]:
        """Return a line per lane for a start, a first token, finished requests (once a second) and an end.

        And one, once, when the client turns out to be the bottleneck.
        """
        self._names = max((width(_name(lane)) for lane in race.lanes), default=0)
        told = [line for lane in race.lanes for line in self._lane(lane, race.position_s)]
        told += self._lead(race)
        if race.health.client_limited and not self._doubted:
            self._doubted = True
            told.append(flat(health_line(race.health)))
        self._before = {lane.lane: lane for lane in race.lanes}
        stamp = clock_text(round(race.position_s * NS_PER_S))
        return [f"{stamp}  {line}" for line in told]

    def _lead(self, race: RaceView) -> Iterator[str]:
        """Say who leads now, once that has held for a second: the first answers of all change it all the time."""
        leader = next((lane for lane in race.lanes if lane.place == 1), None)
        if leader is None or leader.lane == self._leader:
            self._coming = None
            return
        if self._coming is None or self._coming[0] != leader.lane:
            self._coming = leader.lane, race.position_s
        if self._leader is None or race.finished or race.position_s - self._coming[1] >= 1:
            if self._leader is not None:
                yield self._said(leader, f"takes the lead, TTFT p50 {ms_text(leader.ttft_p50_ms)}")
            self._leader, self._coming = leader.lane, None

    def _lane(self, lane: LaneView, position_s: float) -> Iterator[str]:
        before = self._before.get(lane.lane)
        status = before.status if before else "waiting"
        if status == "waiting" and lane.status != "waiting":
            yield self._said(lane, "started")
        if lane.ttft_p50_ms is not None and (before is None or before.ttft_p50_ms is None):
            yield self._said(lane, f"first token after {ms_text(lane.ttft_p50_ms)}")
        ended = lane.status not in ("waiting", "racing")
        told, told_s = self._told.get(lane.lane, (0, -1.0))
        if lane.requests_done > told and (
            ended or position_s - told_s >= 1
        ):  # a burst of finishes is one line
            self._told[lane.lane] = (lane.requests_done, position_s)
            yield self._said(lane, _progress(lane))
        if ended and status in ("waiting", "racing"):
            why = f": {flat(lane.dnf or lane.reason)}" if lane.dnf or lane.reason else ""
            how = "DNF" if lane.dnf and lane.status == "finished" else status_word(lane.status)
            yield self._said(lane, f"{how} after {duration(lane.elapsed_s * MS_PER_S)}{why}")

    def _said(self, lane: LaneView, what: str) -> str:
        return f"{left(_name(lane), self._names)}  {what}"


def _progress(lane: LaneView) -> str:
    done = counted(lane.requests_done, "request")
    if lane.target_requests:
        done = f"{lane.requests_done:,}/{counted(lane.target_requests, 'request')}"
    kinds = ", ".join(f"{count:,} {flat(kind)}" for kind, count in lane.errors.items())
    failed = f", {lane.failed:,} failed ({kinds})" if lane.failed else ""
    return f"{done}{failed}, TTFT p50 {ms_text(lane.ttft_p50_ms)}, {rate_text(lane.tokens_per_s)} tok/s"


_STANDINGS = (
    Heading("", whole=True), Heading("engine", names=True), Heading("status", whole=True, gives_way=1),
    Heading("requests", right=True), Heading("ok", right=True, gives_way=3), Heading("failed", right=True, gives_way=2),
    Heading("TTFT p50", right=True), Heading("TTFT p99", right=True, gives_way=4), Heading("TPOT p50", right=True),
    Heading("tokens", right=True, gives_way=5), Heading("tok/s", right=True),
)  # fmt: skip
_RESULT = (
    Heading("", whole=True), Heading("engine", names=True), Heading("requests", right=True, gives_way=1),
    Heading("TTFT p50", right=True), Heading("TTFT p99", right=True, gives_way=2), Heading("TPOT p50", right=True),
    Heading("tok/s", right=True), Heading("success", right=True),
)  # fmt: skip


def standings_table(race: RaceView, columns: int | None = None) -> list[str]:
    """Return the race at one instant as a readable table, best lane first, in ``columns`` cells where it can be."""
    lanes = {lane.lane: lane for lane in race.lanes}
    rows = []
    for lane_id in race.standings:
        lane = lanes[lane_id]
        of = f"/{lane.target_requests:,}" if lane.target_requests else ""
        rows.append([
            _place(lane), _name(lane), status_word(lane.status), f"{lane.requests_done:,}{of}", f"{lane.ok:,}",
            f"{lane.failed:,}", ms_text(lane.ttft_p50_ms), ms_text(lane.ttft_p99_ms), ms_text(lane.tpot_p50_ms),
            f"{lane.output_tokens:,}", rate_text(lane.tokens_per_s),
        ])  # fmt: skip
    head = f"{flat(race.name)}  {clock_text(round(race.position_s * NS_PER_S))} / {clock_text(round(race.duration_s * NS_PER_S))}"
    dnf = [f"{_name(lane)} DNF: {flat(lane.dnf)}" for lane in race.lanes if lane.dnf]
    unlike = [f"Not like for like: {flat(race.unlike)}"] if race.unlike else []
    notes = [*dnf, *unlike]
    return [head, "", *_table(_STANDINGS, rows, columns), *([""] if notes else []), *notes]


def _name(lane: LaneView | LaneSummary) -> str:
    return cut(flat(lane.engine), NAME_CELLS)


def _place(lane: LaneView | LaneSummary) -> str:
    return "DNF" if lane.dnf else str(lane.place or NOTHING)


def result_table(summary: RaceSummary, columns: int | None = None) -> list[str]:
    """Return the result as a readable table, the winner first, and what its words mean; in ``columns`` cells where it can be."""
    lanes = {lane.lane: lane for lane in summary.lanes}
    rows = []
    for lane_id in summary.standings:
        lane = lanes[lane_id]
        rows.append([
            _place(lane), _name(lane), f"{lane.requests:,}",
            ms_text(lane.ttft_ms.p50 if lane.ttft_ms else None), ms_text(lane.ttft_ms.p99 if lane.ttft_ms else None),
            ms_text(lane.tpot_ms.p50 if lane.tpot_ms else None), rate_text(lane.tokens_per_s), share_text(lane.success_rate),
        ])  # fmt: skip
    verdict = _verdict(summary, lanes)
    note = "" if summary.status == "finished" else f" ({race_ending(summary)})"
    return [
        f"{verdict}{note}", "", *_table(_RESULT, rows, columns), "",
        *(f"{_name(lane)} DNF: {flat(lane.dnf)}" for lane in summary.lanes if lane.dnf),
        *([sentence(summary.caveat)] if summary.caveat else []),
        "TTFT: time to first token, ranks the lanes. TPOT: time per output token after it. p50: half were faster.",
        *([sentence(line)] if (line := health_line(summary.health)) else []),
    ]  # fmt: skip


def _verdict(summary: RaceSummary, lanes: dict[int, LaneSummary]) -> str:
    """Return who won, or why nobody did; of a lane that raced alone what it reached."""
    if summary.winner is None:
        return flat(summary.nobody)
    first = lanes[summary.winner]
    if summary.won:
        return f"{_name(first)} wins"
    return f"{_name(first)}: median TTFT {ms_text(first.ttft_ms.p50 if first.ttft_ms else None)}"


def sentence(text: str) -> str:
    """Return ``text`` made flat, with a capital and a full stop."""
    return f"{flat(text[:1].upper() + text[1:])}."


def _table(headings: Sequence[Heading], rows: list[list[str]], columns: int | None) -> list[str]:
    """Return rows of cells below their titles, without a rule."""
    title, _, *lines = map(click.unstyle, table_lines(headings, rows, columns))
    return [title, *lines]
