"""A frame as a picture: SVG as a terminal would show it, or its bare text. Pure but for `save`."""

import re
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from racelog.errors import InputError
from racelog_player.canvas import Line, Style, dressed
from racelog_player.cells import flat, take, width
from racelog_player.themes import Theme

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


def save(
    path: Path, lines: Sequence[Line], columns: int, rows: int, theme: Theme, *, force: bool = False
) -> None:
    """Write a frame to ``path``: SVG for ``.svg``, else text.

    Raises:
        InputError: there is a file already and ``force`` is not given, or it cannot be written.
    """
    document = svg_of(lines, columns, rows, theme) if path.suffix == ".svg" else text_of(lines)
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(document)
    except FileExistsError:
        raise InputError(f"{path} exists; give another name, or --force to replace it") from None
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
