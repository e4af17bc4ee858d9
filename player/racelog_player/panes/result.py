"""The result: who won and by how much, and a row of numbers per lane. Pure."""

from racelog.display.figures import times
from racelog.views.race import RaceView
from racelog.views.summary import LaneSummary, RaceSummary, Spread, race_ending
from racelog_player.panes.lanes import name_cells
from racelog_player.panes.table import INDENT, Column, Row, fitting, lane_row, title_row
from racelog_player.panes.widgets import line_width, ms_text, rate_text, share_text
from racelog_player.terminal.canvas import Line, Span, Style
from racelog_player.terminal.cells import flat, named, prose, width
from racelog_player.terminal.style import BAD, FAINT, GOOD, SOFT, STRONG, WARN

_COLUMNS = (
    Column("requests", 9, 4), Column("TTFT p50", 10, 0), Column("TTFT p99", 10, 5), Column("TPOT p50", 10, 2),
    Column("E2E p50", 10, 7), Column("tok/s", 7, 3), Column("tokens", 10, 6), Column("success", 9, 1),
)  # fmt: skip


def result_pane(summary: RaceSummary, race: RaceView, columns: int, rows: int) -> list[Line]:
    """Return the result in at most ``rows`` rows; ``race`` is the view at the end."""
    names = name_cells(race, columns)
    shown = fitting(_COLUMNS, columns - INDENT - names)
    lanes = {lane.lane: lane for lane in summary.lanes}
    views = {lane.lane: lane for lane in race.lanes}
    table = [title_row("RESULT", shown, names)]
    table += [lane_row(views[lane], _numbers(lanes[lane]), shown, names) for lane in summary.standings]
    head = _head(summary, columns, max(1, rows - len(table) - 1))
    lines = [*head, [], *table] if len(head) + 1 + len(table) <= rows else [*head, *table]
    if (left := len(lines) - rows + 1) > 1 and left <= len(summary.standings):
        lines[-left:] = [[Span(f"    … and {left:,} more", FAINT)]]
    notes = _notes(summary, columns)
    if notes and len(lines) + len(notes) < rows:
        lines += [[], *notes]
    return lines[:rows]


def _notes(summary: RaceSummary, columns: int) -> list[Line]:
    """Return why lanes did not finish, and what of the comparison cannot be known."""
    notes: list[Line] = []
    for lane in summary.lanes:
        if lane.dnf:
            words = prose(f"{flat(lane.engine)} DNF: {flat(lane.dnf)}", columns - 2, 2)
            notes += [[Span(" "), Span(text, BAD)] for text in words]
    if summary.caveat:
        notes += [[Span(" "), Span(text, WARN)] for text in prose(flat(summary.caveat), columns - 2, 2)]
    return notes


def _head(summary: RaceSummary, columns: int, rows: int) -> list[Line]:
    """Return who won, or why nobody did in as many of ``rows`` rows as that takes."""
    if summary.winner is not None:
        return [_headline(summary, columns)]
    return [[Span(" "), Span(text, WARN)] for text in prose(flat(summary.nobody), columns - 2, min(rows, 3))]


def _headline(summary: RaceSummary, columns: int) -> Line:
    """Return who won and by how much, the second part where there is room."""
    lanes = {lane.lane: lane for lane in summary.lanes}
    ranked = [lanes[lane] for lane in summary.standings if lanes[lane].place is not None]
    medians = [lane.ttft_ms.p50 for lane in ranked if lane.ttft_ms is not None]
    cup, wins = (" 🏆 ", " wins") if summary.won else (" ", "")
    name = flat(ranked[0].engine)
    room = columns - width(cup + wins)
    line: Line = [
        Span(cup),
        Span((name if width(name) <= room else named(name, room).rstrip()) + wins, STRONG),
    ]
    early = [Span(f"  · {race_ending(summary)}", WARN)] if summary.status != "finished" else []
    figure = [Span("  TTFT p50 ", SOFT), Span(ms_text(medians[0] if medians else None), STRONG)]
    ahead = (
        [Span(f", {times(medians[1] / medians[0])} ahead of {flat(ranked[1].engine)}", SOFT)]
        if len(medians) > 1 and medians[0] > 0
        else []
    )
    for more in (early, figure, ahead):  # in whole or not at all: a label without its number says nothing
        if line_width([*line, *more]) > columns:
            break
        line += more
    return line


def _numbers(lane: LaneSummary) -> Row:
    row = {
        "requests": Span(f"{lane.requests:,}"),
        "TTFT p50": _median(lane.ttft_ms, Style(bold=lane.place == 1)),
        "TTFT p99": Span(ms_text(lane.ttft_ms.p99 if lane.ttft_ms else None)),
        "TPOT p50": _median(lane.tpot_ms),
        "E2E p50": _median(lane.e2e_ms),
        "tok/s": Span(rate_text(lane.tokens_per_s)),
        "tokens": Span(f"{lane.output_tokens:,}"),
    }
    if lane.success_rate is not None:
        style = GOOD if lane.success_rate == 1 else BAD if lane.dnf else WARN
        row["success"] = Span(share_text(lane.success_rate), style)
    return row


def _median(spread: Spread | None, style: Style | None = None) -> Span:
    return Span(ms_text(spread.p50 if spread else None), style or Style())
