"""Toasts: a few words in the upper right corner that come and go by themselves. Pure."""

from collections.abc import Sequence

from racelog.views.story.rows import Tone
from racelog_player.model.animation import Toast
from racelog_player.panes.widgets import fitted, line_width
from racelog_player.terminal.canvas import Line, Span, Style
from racelog_player.terminal.cells import cut, flat

_SIGNS: dict[Tone, tuple[str, str]] = {
    "info": ("·", "soft"), "good": ("▲", "good"), "warn": ("!", "warn"), "error": ("✗", "bad"),
}  # fmt: skip
_MOST_CELLS = 64
_ROW = 1


def with_toasts(lines: list[Line], toasts: Sequence[Toast], columns: int) -> list[Line]:
    """Return the picture with ``toasts`` in its blank second row: as many as fit it, the newest at the right."""
    laid: Line = []
    for toast in toasts:
        wider = [*_toast(toast, columns), Span(" "), *laid]
        if line_width(wider) > columns - 1:
            break
        laid = wider
    if laid:
        lines[_ROW] = [*fitted(lines[_ROW], columns - line_width(laid)), *laid]
    return lines


def _toast(toast: Toast, columns: int) -> Line:
    sign, color = ("★", "warn") if toast.key == "achievement" else _SIGNS[toast.tone]
    text = cut(flat(toast.text), min(_MOST_CELLS, columns - 12))
    paper = Style(color, "raised", bold=True, reverse=toast.fresh)
    return [Span(f" {sign} ", paper), Span(f"{text} ", paper if toast.fresh else Style("text", "raised"))]
