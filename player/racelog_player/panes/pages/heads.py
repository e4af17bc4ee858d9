"""The row over a page: what it is, and which engine it is about. Pure."""

from racelog_player.terminal.canvas import Line, Span, Style
from racelog_player.terminal.cells import cut, flat, left, take
from racelog_player.terminal.style import FAINT, HEADING, SOFT, color_of

INDENT = " "


def heading(title: str, note: str = "") -> Line:
    """Return a page's first row."""
    return [Span(INDENT), Span(title, HEADING), Span(f"   {note}" if note else "", FAINT)]


def lane_heading(title: str, lane: tuple[int, str, str, str], note: str, columns: int) -> Line:
    """Return the first row of a page about one lane: ``lane`` is its number, engine, colour and emoji."""
    number, engine, color, emoji = lane
    name = cut(flat(engine), max(8, columns // 3))
    sign = lane_sign(number, color, emoji)
    return [Span(INDENT), Span(title, HEADING), Span("   "), sign, Span(" "),
            Span(name, Style(color_of(number, color), bold=True)), Span(f"   {note}" if note else "", SOFT)]  # fmt: skip


def lane_sign(number: int, color: str, emoji: str) -> Span:
    """Return a lane's emoji in two cells, or a sign in its colour."""
    sign = take(flat(emoji), 2).strip()
    return Span(left(sign, 2)) if sign else Span("◆ ", Style(color_of(number, color)))


def nothing(title: str, why: str) -> list[Line]:
    """Return a page that has nothing to show yet, and says why."""
    return [heading(title), [], [Span(f"   {why}", SOFT)]]
