"""Insights so far, each with the numbers it rests on, and the anomalies with what may explain them. Pure."""

from racelog.display.figures import progress
from racelog.views.story.engine import Story
from racelog.views.story.insights import LEAST
from racelog.views.story.rows import Anomaly, Insight
from racelog_player.model.times import clock_text
from racelog_player.panes.pages.heads import heading
from racelog_player.panes.widgets import scrolled
from racelog_player.terminal.canvas import Line, Span
from racelog_player.terminal.cells import cut, flat, left, prose
from racelog_player.terminal.style import ACCENT, BAD, FAINT, HEADING, SOFT, STRONG, WARN

_PRIORITIES = {"high": BAD, "medium": WARN, "low": SOFT}
_LAST_ANOMALIES = 20


def insights_pane(view: Story, columns: int, rows: int, scroll: int, *, over: bool = False) -> list[Line]:
    """Return the page, the newest first, scrolled down by ``scroll`` rows; ``over``: nothing can come any more."""
    body = _insights(view.insights, columns, over=over) + _anomalies(view.anomalies, columns)
    head = heading("INSIGHTS", "computed at each quarter of the race")
    return [head, [], *scrolled(body, rows - 2, scroll)]


def _insights(rows: list[Insight], columns: int, *, over: bool) -> list[Line]:
    if not rows:
        coming = "the first ones appear after a quarter of the race"
        told = f"none: they need a quarter of the race, and {LEAST} answers of an engine" if over else coming
        return [[Span(f"   {told}", SOFT)], []]
    lines: list[Line] = []
    for share in sorted({row.share for row in rows}, reverse=True):
        lines.append([Span(f"   at {progress(share)}", ACCENT)])
        for row in (row for row in rows if row.share == share):
            first, *more = prose(row.text, columns - 26, 2)
            lines.append([
                Span("   " + left(row.priority, 8), _PRIORITIES[row.priority]), Span(left(row.category, 13), SOFT),
                Span(first, STRONG),
            ])  # fmt: skip
            lines += [[Span(" " * 24), Span(line, STRONG)] for line in more]
            lines += [[Span(" " * 24), Span(line, FAINT)] for line in prose(row.reason, columns - 26, 2)]
        lines.append([])
    return lines


def _anomalies(rows: list[Anomaly], columns: int) -> list[Line]:
    lines: list[Line] = [[Span(" ANOMALIES", HEADING)]]
    if not rows:
        return [*lines, [Span("   none so far", SOFT)]]
    for row in rows[: -_LAST_ANOMALIES - 1 : -1]:
        clock = clock_text(row.position_ns).split(".")[0]
        lines.append(
            [
                Span(f"   {clock}  ", FAINT),
                Span("! ", WARN),
                Span(cut(flat(row.text), columns - len(clock) - 9)),
            ]
        )
        indent = " " * (len(clock) + 7)
        lines += [
            [Span(indent), Span(cut(flat(cause), columns - len(indent) - 1), SOFT)] for cause in row.causes
        ]
        lines.append([Span(indent), Span(cut(row.advice, columns - len(indent) - 1), FAINT)])
    return lines
