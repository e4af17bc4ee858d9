"""The settings, one a row, with what each does. Pure."""

from racelog_player.panes.pages.heads import heading
from racelog_player.settings.options import OptionRow, OptionsView
from racelog_player.terminal.canvas import Line, Span
from racelog_player.terminal.cells import cut, flat, left, width
from racelog_player.terminal.style import ACCENT, FAINT, SOFT, STRONG

_TOLD_FROM = 100
"""From this many columns on what a setting does stands beside it; below, under the list, for the one that is looked at."""


def options_pane(view: OptionsView, columns: int, rows: int) -> list[Line]:
    """Return the page in at most ``rows`` rows."""
    lines: list[Line] = [heading("SETTINGS", "apply at once and are remembered"), []]
    titles = max(width(row.title) for row in view.rows)
    values = min(24, max(width(flat(row.value)) for row in view.rows))
    beside = columns >= _TOLD_FROM
    for row in view.rows:
        lines += [
            _row(row, titles, values, columns if beside else 0),
            *([[]] if rows >= 2 * len(view.rows) + 8 else []),
        ]
    if not beside:
        chosen = next(row for row in view.rows if row.chosen)
        lines += [
            *([[]] if len(lines) + 2 <= rows else []),
            [Span(f"   {cut(chosen.told, columns - 4)}", SOFT)],
        ]
    return lines[:rows]


def _row(row: OptionRow, titles: int, values: int, columns: int) -> Line:
    sign, ends = ("▸", ("◂ ", " ▸")) if row.chosen else (" ", ("  ", "  "))
    line = [
        Span(f" {sign} ", ACCENT),
        Span(left(row.title, titles + 2), STRONG if row.chosen else SOFT),
        Span(ends[0], ACCENT),
        Span(cut(flat(row.value), values), STRONG if row.chosen else ACCENT),
        Span(ends[1], ACCENT),
    ]
    if columns:
        used = width(cut(flat(row.value), values))
        line.append(Span(" " * (values - used + 1) + cut(row.told, columns - titles - values - 13), FAINT))
    return line
