"""Help: every key and what it does, every word and what it means. Pure."""

from racelog_player.canvas import Line, Span
from racelog_player.cells import cut, left, width
from racelog_player.chrome import GLOSSARY
from racelog_player.look import FAINT, HEADING, STRONG
from racelog_player.parts import beside

PLAYING = (
    ("space", "pause, go on, play again"),
    ("← →", "5 s; shift 1, ctrl 0.1"),
    (", .", "an event back, forward"),
    ("↑ ↓", "faster, slower"),
    ("{ } =", "half, double, normal"),
    ("[ ]", "last, next moment"),
    ("0 - 9", "0 % - 90 % of the race"),
    ("home end", "start, end (also g G)"),
    (":", "go to 1m2s, 50%, @finish"),
    ("u", "undo the last seek"),
    ("l L", "loop A to B; loop it all"),
    ("A", "align the lanes anew"),
    ("f m", "live edge; mark (live)"),
)
VIEWS = (
    ("i", "answers, token by token"),
    ("t", "timeline, with the GPU"),
    ("c", "charts of the race"),
    ("d", "one engine in detail"),
    ("e", "what the numbers mean"),
    ("a n", "achievements, insights"),
    ("H", "can they be trusted?"),
    ("tab", "next engine"),
    ("j k", "scroll"),
    ("F1-F3", "novice, expert, teacher"),
    ("1-3", "the same, live"),
    ("T s", "theme; save the screen"),
    ("q", "leave (Ctrl+C too)"),
)
_TWO = 76
"""From this many columns on the two lists stand side by side."""


def help_pane(columns: int, rows: int, scroll: int) -> list[Line]:
    """Return the keys and the words, scrolled down by ``scroll`` rows where they do not fit."""
    cells = (columns - 4) // 2
    if columns >= _TWO:
        lines = beside([_list("PLAYING", PLAYING, cells), _list("VIEWS", VIEWS, cells)], cells, 2)
        lines += _words(columns)
    else:
        lines = [*_list("PLAYING", PLAYING, columns), *_list("VIEWS", VIEWS, columns)]
        lines += _words(columns)
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


def _words(columns: int) -> list[Line]:
    lines: list[Line] = [[Span(" WORDS", HEADING)]]
    return lines + [
        [Span("   "), Span(left(word, 11), STRONG), Span(cut(meaning, columns - 14))]
        for word, meaning in GLOSSARY
    ]
