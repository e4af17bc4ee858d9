"""A teacher's callout: the word to look for, and what to see there, in at most three rows. Pure."""

from racelog_player.panes.lessons import Callout
from racelog_player.terminal.canvas import Line, Span
from racelog_player.terminal.cells import left, width, wrap
from racelog_player.terminal.style import ACCENT, STRONG, WARN

_PROSE = 100


def callout_pane(callout: Callout | None, columns: int, rows: int) -> list[Line]:
    """Return the callout; nothing where there is none, or no room to say it whole."""
    if callout is None:
        return []
    head = width(callout.word) + 6
    cells = min(columns - head - 1, _PROSE)
    lines = wrap(callout.text, cells, 99)
    if len(lines) > rows:
        return []
    return [
        [Span(" ▌ ", WARN), Span(left(callout.word if not at else "", head - 3), STRONG), Span(line, ACCENT)]
        for at, line in enumerate(lines)
    ]
