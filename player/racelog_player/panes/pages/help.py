"""Help: every key and what it does, every word and what it means. Pure."""

from racelog_player.panes.frame import GLOSSARY
from racelog_player.panes.widgets import beside
from racelog_player.terminal.canvas import Line, Span
from racelog_player.terminal.cells import cut, left, width
from racelog_player.terminal.style import FAINT, HEADING, STRONG

PLAYING = (
    ("space", "pause, go on, play again"),
    ("← →", "5 s; shift 1, ctrl 0.1"),
    (", .", "event before, after"),
    ("↑ ↓", "faster, slower"),
    ("{ } =", "half, double, normal"),
    ("[ ]", "previous, next moment"),
    ("0 - 9", "0 % - 90 % of the race"),
    ("home end", "start, end (also g G)"),
    (":", "go to 1m2s, 50%, @finish"),
    ("u", "undo the last seek"),
    ("l L", "loop A to B; loop it all"),
    ("A", "next way to align lanes"),
    ("mouse", "seek; shift selects text"),
)
VIEWS = (
    ("i enter", "answers; one in full"),
    ("t c", "timeline, GPU; charts"),
    ("d", "one engine in detail"),
    ("e", "what the numbers mean"),
    ("a n", "achievements, insights"),
    ("H", "recorder health"),
    ("tab", "next engine"),
    ("j k", "scroll"),
    ("F1-F3", "novice, expert, teacher"),
    ("o T", "settings; next theme"),
    ("s", "save the screen"),
    ("q esc", "leave; back to the race"),
)
LIVE = (
    ("p", "pause the race, go on"),
    ("r", "start over (asks)"),
    ("x", "take one out (asks)"),
    ("m f", "mark; back to live"),
    ("1-3", "novice, expert, teacher"),
    ("q", "stop the race (asks)"),
)
_TWO = 76
"""From this many columns on two lists stand side by side."""

_MOST_CELLS = 46
"""Wider than this the eye loses the row."""


def help_pane(columns: int, rows: int, scroll: int) -> list[Line]:
    """Return the keys and the words, scrolled down by ``scroll`` rows where they do not fit."""
    cells = min((columns - 4) // 2, _MOST_CELLS)
    if columns >= _TWO:
        air: list[Line] = [[]] if rows > len(PLAYING) + len(GLOSSARY) + 2 else []
        playing = [*_list("PLAYING", PLAYING, cells), *air, *_list("WORDS", GLOSSARY, cells)]
        views = [*_list("VIEWS", VIEWS, cells), *air, *_list("WHILE IT IS RECORDED", LIVE, cells)]
        lines = beside([playing, views], cells, 2)
    else:
        lists = (("PLAYING", PLAYING), ("VIEWS", VIEWS), ("WHILE IT IS RECORDED", LIVE), ("WORDS", GLOSSARY))
        lines = [line for title, keys in lists for line in _list(title, keys, columns)]
    first = max(0, min(scroll, len(lines) - rows))
    shown = lines[first : first + rows]
    if first + rows < len(lines):
        shown[-1] = [Span(f"   … {len(lines) - first - rows + 1} more, j scrolls", FAINT)]
    return shown


def _list(title: str, keys: tuple[tuple[str, str], ...], columns: int) -> list[Line]:
    size = max(width(key) for key, _ in (*PLAYING, *VIEWS))
    rows: list[Line] = [
        [Span("   "), Span(left(key, size), STRONG), Span("  "), Span(cut(meaning, columns - size - 5))]
        for key, meaning in keys
    ]
    return [[Span(f" {title}", HEADING)], *rows]
