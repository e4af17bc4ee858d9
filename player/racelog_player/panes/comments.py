"""The commentary's last lines, the newest below. Pure."""

from collections.abc import Sequence

from racelog.views.story.rows import Comment, Tone
from racelog_player.model.times import clock_text
from racelog_player.panes.widgets import fitted
from racelog_player.terminal.canvas import Line, Span, Style
from racelog_player.terminal.cells import cut, flat, width
from racelog_player.terminal.style import BAD, FAINT, GOOD, HEADING, SOFT, WARN

TONES: dict[Tone, tuple[str, Style]] = {
    "info": ("·", SOFT), "good": ("▲", GOOD), "warn": ("!", WARN), "error": ("✗", BAD),
}  # fmt: skip
_FADED = 2
"""Lines older than the newest two step back."""


def comments_pane(comments: Sequence[Comment], columns: int, rows: int, newer: int = 0) -> list[Line]:
    """Return a title and the newest lines in at most ``rows`` rows; nothing where there is nothing to say.

    Scrolled back it says how many ``newer`` lines there are.
    """
    if rows < 1 or not comments:
        return []
    shown = comments[-(rows - 1) :] if rows > 1 else comments[-1:]
    back = Span(f"   ↓ {newer} newer, j" if newer else "", WARN)
    lines: list[Line] = [[Span(" COMMENTARY", HEADING), back]] if rows > 1 else []
    room = columns if rows > 1 else columns - width(back.text)
    for age, one in zip(range(len(shown) - 1, -1, -1), shown, strict=True):
        lines.append(_line(one, room, faded=age >= _FADED and not newer))
    if rows == 1 and newer:
        lines[0] = [*fitted(lines[0], room - 1), back]
    return lines


def _line(one: Comment, columns: int, *, faded: bool) -> Line:
    sign, style = TONES[one.tone]
    clock = clock_text(one.position_ns).split(".")[0]
    text = cut(flat(one.text), columns - len(clock) - 7)
    return [Span(f" {clock} ", FAINT), Span(f" {sign} ", style), Span(text, SOFT if faded else Style())]
