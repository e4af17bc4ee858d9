"""A frame as a picture: SVG or PNG as a terminal would show it, or its text, bare or in colours. Pure but for `save`."""

import re
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from racelog.errors import InputError
from racelog.log.write.atomic import publish
from racelog_player.terminal.canvas import Canvas, Depth, Line, Style, dressed
from racelog_player.terminal.cells import flat, take, width
from racelog_player.terminal.themes import Theme

CELL_PX, ROW_PX, SIZE_PX, MARGIN_PX = 8.4, 18, 14, 12
"""A monospaced font of 14 px is 0.6 em wide."""

PAPER, INK = "#0d1117", "#d7dce5"
"""What stands for the terminal's own colours, which a file cannot know."""

_WORD, _WORDS = re.compile(r"[^ ]+"), re.compile(r"[^ ]+(?: [^ ]+)*")
"""What is placed as one: words a blank apart, but signs alone, since their font may be wider than its blanks."""

FONTS = "ui-monospace, 'SF Mono', Menlo, 'DejaVu Sans Mono', Consolas, monospace"


def text_of(lines: Sequence[Line]) -> str:
    """Return a frame as plain text, a line a row, without blanks at the ends."""
    return "".join("".join(flat(span.text) for span in line).rstrip() + "\n" for line in lines)


def svg_of(lines: Sequence[Line], columns: int, rows: int, theme: Theme) -> str:
    """Return a frame as an SVG document, each span where its cells are."""
    wide, high = columns * CELL_PX + 2 * MARGIN_PX, rows * ROW_PX + 2 * MARGIN_PX
    paper = theme.resolve("background") or PAPER
    boxes: list[str] = []
    texts: list[str] = []
    for row, line in enumerate(lines[:rows]):
        column = 0
        for text, style in line:
            shown = take(flat(text), columns - column)
            box, drawn = _span(shown, dressed(style, theme), column, row, paper)
            boxes.append(box)
            texts.append(drawn)
            column += width(shown)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high}" width="{wide:g}" height="{high}">\n'
        f'<rect width="100%" height="100%" rx="8" fill="{paper}"/>\n'
        f'<g font-family={quoteattr(FONTS)} font-size="{SIZE_PX}" xml:space="preserve" style="white-space:pre">\n'
        f"{''.join(boxes)}{''.join(texts)}</g>\n</svg>\n"
    )


def _span(text: str, style: Style, column: int, row: int, paper: str) -> tuple[str, str]:
    """Return one span's background and its text, each where it belongs; "" where there is none."""
    ink, back = style.fg or INK, style.bg
    if style.reverse:
        ink, back = back or paper, ink
    x, y = MARGIN_PX + column * CELL_PX, MARGIN_PX + row * ROW_PX
    wide, bold = width(text) * CELL_PX, ' font-weight="700"' if style.bold else ""
    box = f'<rect x="{x:g}" y="{y}" width="{wide:g}" height="{ROW_PX}" fill="{back}"/>\n'
    drawn = "".join(
        f'<text x="{x + width(text[: found.start()]) * CELL_PX:g}" y="{y + ROW_PX - 5}" fill="{ink}"{bold} '
        f'textLength="{width(found[0]) * CELL_PX:g}">{escape(found[0])}</text>\n'
        for found in (_WORDS if text.isascii() else _WORD).finditer(text)
    )
    return box if wide and back and back != paper else "", drawn


def ansi_of(lines: Sequence[Line], columns: int, rows: int, theme: Theme) -> str:
    """Return a frame as text with its colours, to be shown by ``cat``."""
    canvas = Canvas(Depth.TRUE, theme=theme)
    return "".join(f"{canvas.encoded(line, columns)}\x1b[0m\n" for line in lines[:rows])


def _png_of(lines: Sequence[Line], columns: int, rows: int, theme: Theme) -> bytes:
    from racelog_player.film.gif import Painter  # noqa: PLC0415 - this form alone needs pixels, and gif needs our colours

    picture = BytesIO()
    Painter(theme, (columns, rows)).painted(lines).save(picture, "PNG")
    return picture.getvalue()


FORMS: dict[str, Callable[[Sequence[Line], int, int, Theme], bytes]] = {
    ".png": _png_of,
    ".svg": lambda *frame: svg_of(*frame).encode(),
    ".txt": lambda lines, *_: text_of(lines).encode(),
    ".ansi": lambda *frame: ansi_of(*frame).encode(),
}
"""What a frame can be saved as, by the suffix of the file."""


def form_of(path: Path) -> str:
    """Return the suffix that says how to save to ``path``.

    Raises:
        InputError: it has none that we know.
    """
    if (suffix := path.suffix.lower()) in FORMS:
        return suffix
    raise InputError(f"{path}: a screen is saved as {', '.join(FORMS)}, not {suffix or 'without a suffix'}")


def save(
    path: Path, lines: Sequence[Line], columns: int, rows: int, theme: Theme, *, force: bool = False
) -> None:
    """Write a frame to ``path`` in the form that its suffix names.

    Raises:
        InputError: it names none, there is a file already and ``force`` is not given, or there is no such folder.
        StorageError: it cannot be written.
    """
    publish(path, FORMS[form_of(path)](lines, columns, rows, theme), force=force)
