"""Tables of lanes: a medal, who it is, and as many columns of numbers as there is room for. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from racelog.views.race import LaneView
from racelog_player.panes.lanes import emoji
from racelog_player.panes.widgets import NOTHING
from racelog_player.terminal.canvas import Line, Span, Style
from racelog_player.terminal.cells import left, named, right
from racelog_player.terminal.style import BAD, FAINT, HEADING, MEDALS, SOFT, lane_color

INDENT = 9
"""Cells of a row beside the name and the numbers: medal, emoji and the blanks between."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of numbers: what stands over it, how wide it is, and how early it gives way (higher: earlier)."""

    title: str
    cells: int
    gives_way: int


Row = Mapping[str, Span]
"""A lane's numbers by column title; a missing one is shown as nothing."""


def fitting(columns: Sequence[Column], room: int) -> list[Column]:
    """Return the columns that ``room`` holds, in order; those that give way early are left out first."""
    kept = list(columns)
    while kept and sum(column.cells for column in kept) > room:
        kept.remove(max(kept, key=lambda column: column.gives_way))
    return kept


def title_row(heading: str, columns: Sequence[Column], names: int) -> Line:
    """Return the row over a table."""
    head = Span(" " + left(heading, names + INDENT - 1), HEADING)
    return [head, *(Span(right(column.title, column.cells), SOFT) for column in columns)]


def lane_row(lane: LaneView, row: Row, columns: Sequence[Column], names: int) -> Line:
    """Return one lane's row."""
    medal = MEDALS.get(lane.place or 0, f"{lane.place:<2}" if lane.place else "  ")
    place = Span("DNF ", BAD) if lane.dnf else Span(f" {right(medal, 2)} ", SOFT)
    line: Line = [
        place, emoji(lane), Span(" "),
        Span(named(lane.engine, names), Style(lane_color(lane), bold=True)), Span("  "),
    ]  # fmt: skip
    for column in columns:
        text, style = row.get(column.title, Span(NOTHING))
        line.append(Span(right(text, column.cells), FAINT if text == NOTHING else style))
    return line
