"""A race's result as lines of text: what `record` prints when the race is over."""

import click

from racelog.console.output import Heading, table_lines
from racelog.display.figures import UNKNOWN, duration, number, times
from racelog.display.text import printable, shortened
from racelog.views.evidence.health import health_line
from racelog.views.faults import FaultCount
from racelog.views.summary import LaneSummary, RaceSummary

MEDALS = ("1st", "2nd", "3rd")
EVEN_RATIO = 1.1
"""Below this ratio of medians "x times faster" says more than the race does."""

SAID = 120
"""How much of a failure's message the summary shows; ``racelog info`` and the log have more."""
HEADINGS = (
    Heading("", whole=True), Heading("engine", names=True),
    Heading("requests", right=True), Heading("failed", right=True), Heading("TTFT p50", right=True),
    Heading("TTFT p99", right=True, gives_way=1), Heading("TPOT p50", right=True), Heading("tok/s", right=True),
    Heading("tokens", right=True, gives_way=2),
)  # fmt: skip


def summary_lines(summary: RaceSummary, width: int | None = None) -> list[str]:
    """Return the winner, a table of all lanes by place in ``width`` cells where it can be, and what its columns mean."""
    by_id = {lane.lane: lane for lane in summary.lanes}
    header, _, *rows = map(
        click.unstyle, table_lines(HEADINGS, [_row(by_id[lane]) for lane in summary.standings], width)
    )
    lines = ["", _headline(summary, by_id), "", header, *rows]
    for lane in summary.lanes:
        if lane.dnf:
            died = f" ({lane.reason})" if lane.status == "died" and lane.reason else ""
            lines.append(printable(f"{lane.engine}: DNF: {lane.dnf}{died}"))
        lines += [_fault(lane, fault) for fault in lane.faults]
        if lane.cancelled:
            lines.append(
                f"{printable(lane.engine)}: {lane.cancelled:,} x cancelled (still open when the race ended)"
            )
    caveat = [f"{printable(summary.caveat)}."] if summary.caveat else []
    return [
        *lines,
        *caveat,
        "",
        f"TTFT: time to first token. TPOT: time per output token after the first.{_rule(summary)}",
        *_client(summary),
    ]


def _rule(summary: RaceSummary) -> str:
    """Say what places go by, where anyone has one."""
    return " Places go by median TTFT." if any(lane.place is not None for lane in summary.lanes) else ""


def _client(summary: RaceSummary) -> list[str]:
    """Say whether the numbers are the engines' alone."""
    verdict = printable(health_line(summary.health))
    return [f"{verdict[:1].upper()}{verdict[1:]}."] if verdict else []


def _fault(lane: LaneSummary, fault: FaultCount) -> str:
    """Return one kind of failure: how often, and what the first one said."""
    said = shortened(fault.message, SAID)
    return printable(f"{lane.engine}: {fault.count:,} x {fault.kind}{f' ({said})' if said else ''}")


def _headline(summary: RaceSummary, by_id: dict[int, LaneSummary]) -> str:
    if summary.winner is None:
        early = summary.status in ("stopped", "unfinished") and not any(lane.ok for lane in summary.lanes)
        return "stopped before any engine finished a request" if early else printable(summary.nobody)
    winner = by_id[summary.winner]
    name = f"{printable(winner.emoji)} {printable(winner.engine)}".strip()
    if not summary.won:
        return f"{name}: median TTFT {_ms(winner.ttft_ms.p50 if winner.ttft_ms else None)}"
    stopped = " (race stopped early)" if summary.status == "stopped" else ""
    return f"{name} wins{_lead(summary, winner)}{stopped}{_others_best(summary, winner)}"


def _others_best(summary: RaceSummary, winner: LaneSummary) -> str:
    """Say who was better than the winner at something else: first through, or more tokens a second."""
    rivals = [lane for lane in _rivals(summary, winner) if lane.ok]
    said: dict[str, list[str]] = {}
    if winner.tokens_per_s is not None:
        faster = max(rivals, key=lambda lane: lane.tokens_per_s or 0, default=None)
        if faster is not None and (faster.tokens_per_s or 0) > winner.tokens_per_s:
            said.setdefault(printable(faster.engine), []).append("made more tokens per second")
    if summary.requests_per_lane and summary.status == "finished":
        first = min(rivals, key=lambda lane: lane.duration_s, default=None)
        if first is not None and first.duration_s < winner.duration_s:
            said.setdefault(printable(first.engine), []).append("was through first")
    told = " and ".join(f"{name} {' and '.join(did)}" for name, did in said.items())
    return f"; {told}" if told else ""


def _lead(summary: RaceSummary, winner: LaneSummary) -> str:
    """Say how far ahead the winner is of the next lane; a ratio is cut, never rounded up."""
    others = [lane.ttft_ms.p50 for lane in _rivals(summary, winner) if lane.ttft_ms]
    if not others or winner.ttft_ms is None or not winner.ttft_ms.p50:
        return ""
    ratio = min(others) / winner.ttft_ms.p50
    return f", {times(ratio)} faster to the first token" if ratio >= EVEN_RATIO else ", by less than 1.1x"


def _rivals(summary: RaceSummary, winner: LaneSummary) -> list[LaneSummary]:
    """Return the lanes that a winner is compared with: those that finished."""
    return [lane for lane in summary.lanes if lane.lane != winner.lane and not lane.dnf]


def _row(lane: LaneSummary) -> tuple[str, ...]:
    place = (
        MEDALS[lane.place - 1]
        if lane.place and lane.place <= len(MEDALS)
        else f"{lane.place}th"
        if lane.place
        else "DNF"
        if lane.dnf
        else "-"
    )
    return (
        place,
        printable(lane.engine),
        f"{lane.ok:,}/{lane.requests:,}",
        f"{lane.failed:,}" if lane.failed else "-",
        _ms(lane.ttft_ms.p50 if lane.ttft_ms else None),
        _ms(lane.ttft_ms.p99 if lane.ttft_ms else None),
        _ms(lane.tpot_ms.p50 if lane.tpot_ms else None),
        number(lane.tokens_per_s) if lane.tokens_per_s else UNKNOWN,
        f"{lane.output_tokens:,}",
    )


def _ms(value: float | None) -> str:
    return UNKNOWN if value is None else duration(value)
