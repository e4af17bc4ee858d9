"""One request in full: every message of its prompt and all of its answer, to be scrolled through. Pure."""

from racelog.views.inspector import ReadingView, RequestView
from racelog_player.panes.pages.heads import lane_heading
from racelog_player.panes.pages.inspector import request_head, request_marks
from racelog_player.panes.widgets import scrolled
from racelog_player.terminal.canvas import Line, Span, Style
from racelog_player.terminal.cells import flat, wrap
from racelog_player.terminal.style import ACCENT, BAD, FAINT, HEADING, SOFT, color_of

_PROSE = 110
"""Lines of prose are not read well when they are longer."""

_ALL = 1_000_000


def reading_pane(view: ReadingView, columns: int, rows: int, scroll: int) -> list[Line]:
    """Return the request in at most ``rows`` rows, its text scrolled down by ``scroll``."""
    lane = (view.lane, view.engine, view.color, view.emoji)
    head: list[Line] = [
        lane_heading("ONE ANSWER", lane, "", columns),
        [Span(" "), *request_head(view.request, columns - 2)],
        [Span(" "), *request_marks(view.request, columns - 2)],
        [],
    ]
    cells = min(columns - 4, _PROSE)
    body = [line for role, text in view.messages for line in _message(role, text, cells)]
    body = body or [[Span(" the log does not hold the prompt", FAINT)], []]
    body += _answer(view.request, cells, color_of(view.lane, view.color))
    return [*head, *scrolled(body, rows - len(head), scroll)][:rows]


def _message(role: str, text: str, cells: int) -> list[Line]:
    rail = Span(" ▎ ", ACCENT)
    lines = [[rail, Span(line, SOFT)] for line in wrap(text, cells, _ALL)]
    return [[Span(f" {flat(role) or 'message'}", HEADING)], *lines, []]


def _answer(request: RequestView, cells: int, color: str) -> list[Line]:
    """Return all that came back: its first token in reverse, and how it ended where that was not well."""
    rail = Span(" ▎ ", Style(color))
    first = flat(request.first.lstrip())
    text = request.first.lstrip() + request.settled + request.fresh
    lines: list[Line] = [[rail, Span(line)] for line in wrap(text, cells, _ALL)] if text else []
    if lines and first and lines[0][1].text.startswith(first):
        lines[0] = [rail, Span(first, Style("warn", reverse=True)), Span(lines[0][1].text[len(first) :])]
    if request.status == "open":
        lines = [*lines[:-1], [*(lines[-1] if lines else [rail]), Span("▌", Style(color))]]
    if request.error:
        lines += [[rail, Span(line, BAD)] for line in wrap(request.error, cells, _ALL)]
    return [[Span(" answer", HEADING)], *lines]
