"""The leaderboard: who leads, by how much, and who has just moved. Pure."""

from racelog.views.race import LaneView, RaceView
from racelog_player.model.animation import AT_REST, Moved
from racelog_player.panes.lanes import name_cells
from racelog_player.panes.table import INDENT, Column, Row, fitting, lane_row, title_row
from racelog_player.panes.widgets import ms_text, rate_text
from racelog_player.terminal.canvas import Line, Span, Style
from racelog_player.terminal.cells import cut, flat
from racelog_player.terminal.style import BAD, FAINT, GOOD, WARN, lane_color

_COLUMNS = (
    Column("TTFT p50", 10, 0), Column("gap", 11, 1), Column("TTFT p99", 11, 5), Column("TPOT p50", 11, 2),
    Column("mean tok/s", 12, 6), Column("ok", 8, 4), Column("failed", 8, 3),
)  # fmt: skip
_EXPERT = (
    *_COLUMNS, Column("in flight", 11, 8), Column("req/s", 9, 7), Column("tokens", 11, 10), Column("slow", 7, 9),
)  # fmt: skip
"""What an expert sees beside them, as far as there is room."""

_MOVER_CELLS = 3
_BAR_FROM, _BAR_TO = 20, 60
"""A bar shorter than this says nothing that the number does not; a longer one is only louder."""


def board_pane(
    race: RaceView,
    movers: dict[int, int],
    columns: int,
    rows: int,
    moved: Moved = AT_REST,
    *,
    expert: bool = False,
) -> list[Line]:
    """Return the standings in at most ``rows`` rows, the head included.

    ``movers`` are lanes that changed places just now, +1 for up; ``moved`` has the lanes as they slide to their places. An ``expert`` gets more columns.
    """
    names = name_cells(race, columns)
    placed = any(lane.place for lane in race.lanes)  # else nobody leads, so nobody is behind
    wanted = [one for one in (_EXPERT if expert else _COLUMNS) if placed or one.title != "gap"]
    shown = fitting(wanted, columns - INDENT - names - _MOVER_CELLS)
    room = columns - INDENT - names - sum(column.cells for column in shown) - _MOVER_CELLS - 1
    lanes = {lane.lane: lane for lane in race.lanes}
    ranking = [lanes[lane] for lane in moved.order or race.standings]
    best = next((lane.ttft_p50_ms for lane in ranking if lane.place == 1), None)
    worst = max((lane.ttft_p50_ms or 0.0 for lane in ranking), default=0.0)
    lines = [title_row("STANDINGS", shown, names)]
    if room >= _BAR_FROM:
        lines[0].append(Span("   shorter is better", FAINT))
    listed = ranking if len(ranking) < rows else ranking[: max(1, rows - 2)]
    for lane in listed:
        row = lane_row(lane, _numbers(lane, best, moved), shown, names)
        row = [*row, _mover(movers.get(lane.lane, 0)), *_ratio(lane, worst, room)]
        lines.append(_raised(row) if lane.lane in moved.raised else row)
    if len(listed) < len(ranking):
        lines.append([Span(f"    … and {len(ranking) - len(listed)} more", FAINT)])
    if race.unlike and len(lines) < rows:
        lines.append([Span(" "), Span(cut(f"Not like for like: {flat(race.unlike)}", columns - 2), WARN)])
    return lines[:rows]


def _raised(row: Line) -> Line:
    """Return a row on a lighter ground, so that the eye follows it to its new place."""
    return [Span(text, style._replace(bg=style.bg or "raised")) for text, style in row]


def _numbers(lane: LaneView, best: float | None, moved: Moved) -> Row:
    first = Style(bold=lane.place == 1)
    row = {
        "TTFT p50": Span(ms_text(lane.ttft_p50_ms), first),
        "TTFT p99": Span(ms_text(lane.ttft_p99_ms), first),
        "TPOT p50": Span(ms_text(lane.tpot_p50_ms), first),
        "ok": Span(f"{moved.ok.get(lane.lane, lane.ok):,}", first),
    }
    if lane.elapsed_s > 0:
        row["mean tok/s"] = Span(rate_text(lane.output_tokens / lane.elapsed_s), first)
    if lane.ttft_p50_ms is not None and best is not None and lane.place is not None:
        leads = lane.place == 1
        row["gap"] = Span("leader", GOOD) if leads else Span(f"+{ms_text(lane.ttft_p50_ms - best)}")
    row["in flight"] = Span(f"{lane.active:,}", first)
    row["req/s"] = Span(rate_text(lane.requests_per_s), first)
    row["tokens"] = Span(f"{lane.output_tokens:,}", first)
    if lane.slow:
        row["slow"] = Span(f"{lane.slow:,}", WARN)
    if lane.failed:
        row["failed"] = Span(f"{lane.failed:,}", BAD)
    return row


def _mover(direction: int) -> Span:
    if not direction:
        return Span(" " * _MOVER_CELLS)
    return Span(" ▲ ", GOOD) if direction > 0 else Span(" ▼ ", WARN)


def _ratio(lane: LaneView, worst: float, room: int) -> Line:
    """Return a bar of the lane's TTFT next to the slowest lane's."""
    if room < _BAR_FROM or lane.ttft_p50_ms is None or worst <= 0:
        return []
    cells = lane.ttft_p50_ms / worst * min(room, _BAR_TO)
    half = "╸" if cells % 1 >= 0.5 else ""  # noqa: PLR2004 - half a cell
    return [Span("━" * int(cells) + half, Style(lane_color(lane)))]
