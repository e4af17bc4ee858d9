"""The small things panes are made of: bars, sparklines, numbers, and lines set side by side. Pure."""

from collections.abc import Sequence
from functools import lru_cache

from racelog.display.figures import duration, number, percent
from racelog_player.terminal.canvas import Line, Span, Style
from racelog_player.terminal.cells import take, width
from racelog_player.terminal.style import FAINT, TRACK, Look, mix

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_SPARKS = "▁▂▃▄▅▆▇"  # never the whole cell: it would grow into the bar above
NOTHING = "–"  # noqa: RUF001 - what stands where there is no number


def bar(look: Look, cells: int, done: float, flight: float, color: str) -> Line:
    """Return a bar of ``cells``: ``done`` of it solid, on to ``flight`` in a weaker shade, the rest empty.

    Both are shares of the whole, 0 to 1. An eighth of a cell is the smallest step where the terminal can show it.
    """
    done, flight = min(1.0, max(0.0, done)), min(1.0, max(done, flight))
    if not look.tracks:
        solid, weak = int(done * cells), int(flight * cells)
        return [
            Span("█" * solid, Style(color)),
            Span("▒" * (weak - solid), Style(color)),
            Span("░" * (cells - weak), FAINT),
        ]
    weaker = mix(color, TRACK, 0.55)
    solid, weak = int(done * cells * 8), int(flight * cells * 8)
    line = [Span("█" * (solid // 8), Style(color))]
    used = solid // 8
    if solid % 8:  # the cell where solid ends; what follows it shows as the background
        line.append(Span(_EIGHTHS[solid % 8], Style(color, weaker if weak // 8 > used else TRACK)))
        used += 1
    if weak // 8 > used:
        line.append(Span("█" * (weak // 8 - used), Style(weaker)))
        used = weak // 8
    if weak % 8 and used == weak // 8 and used < cells:
        line.append(Span(_EIGHTHS[weak % 8], Style(weaker, TRACK)))
        used += 1
    line.append(Span(" " * (cells - used), Style("", TRACK)))
    return line


def spark(history: Sequence[int], cells: int, peak: int) -> str:
    """Return the last ``cells`` values as blocks, ``peak`` the highest; as wide as there are values, at most ``cells``."""
    return _sparks(tuple(history[-cells:]), peak) if peak > 0 and cells > 0 else ""


@lru_cache(maxsize=256)
def _sparks(values: tuple[int, ...], peak: int) -> str:
    return "".join([_SPARKS[min(6, value * 7 // (peak + 1))] for value in values])


def ms_text(value: float | None) -> str:
    """Return milliseconds as `racelog.display.figures.duration` has them, or the sign for no number."""
    return NOTHING if value is None else duration(value)


def rate_text(value: float | None) -> str:
    """Return a rate without its unit as `racelog.display.figures.number` has it, or the sign for no number."""
    return NOTHING if value is None else number(value)


def share_text(value: float | None) -> str:
    """Return a share as `racelog.display.figures.percent` has it, or the sign for no number."""
    return NOTHING if value is None else percent(value)


def line_width(line: Line) -> int:
    """Return how many cells a line takes."""
    return sum([len(text) if text.isascii() else width(text) for text, _ in line])


def fitted(line: Line, cells: int) -> Line:
    """Return ``line`` in exactly ``cells`` cells: filled with blanks, or cut, and then its last sign is an ellipsis."""
    blank = cells - line_width(line)
    if blank >= 0:
        return [*line, Span(" " * blank)]
    fit: Line = []
    room = cells - 1
    for index, span in enumerate(line):
        size = width(span.text)
        if size > room:
            shown = take(span.text, room)
            lost = [span.text[len(shown) :], *(text for text, _ in line[index + 1 :])]
            sign = "…" if any(text.strip() for text in lost) else " "
            return [*fit, Span(shown + sign[:cells], span.style), Span(" " * (room - width(shown)))]
        fit.append(span)
        room -= size
    return fit


def between(start: Line, end: Line, cells: int) -> Line:
    """Return ``start`` flush left and ``end`` flush right in ``cells``; ``start`` gives way."""
    return [*fitted(start, cells - line_width(end)), *end]


def beside(boxes: Sequence[Sequence[Line]], cells: int, gap: int) -> list[Line]:
    """Return boxes of lines set side by side, each ``cells`` wide, ``gap`` blanks between."""
    height = max((len(box) for box in boxes), default=0)
    return [
        [
            span
            for index, box in enumerate(boxes)
            for span in ([Span(" " * gap)] if index else [])
            + fitted(box[row] if row < len(box) else [], cells)
        ]
        for row in range(height)
    ]


def beside_each(boxes: Sequence[tuple[Sequence[Line], int]], gap: int) -> list[Line]:
    """Return boxes of lines set side by side, each with a width of its own, ``gap`` blanks between."""
    height = max((len(lines) for lines, _ in boxes), default=0)
    rows: list[Line] = []
    for row in range(height):
        line: Line = []
        for index, (lines, cells) in enumerate(boxes):
            line += [
                *([Span(" " * gap)] if index else []),
                *fitted(lines[row] if row < len(lines) else [], cells),
            ]
        rows.append(line)
    return rows


def scrolled(lines: Sequence[Line], rows: int, scroll: int) -> list[Line]:
    """Return ``rows`` of the lines, from the one that ``scroll`` says on; where more follow, the last row says so."""
    first = max(0, min(scroll, len(lines) - rows))
    shown = list(lines[first : first + rows])
    if first + rows < len(lines):
        shown[-1] = [Span(f"   … {len(lines) - first - rows + 1} more rows, j scrolls", FAINT)]
    return shown


def spread_rows(total: int, parts: int) -> list[int]:
    """Return ``total`` shared out over ``parts`` as evenly as can be, the first ones larger."""
    return [total // parts + (index < total % parts) for index in range(parts)]
