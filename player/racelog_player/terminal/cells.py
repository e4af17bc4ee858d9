"""Text laid out in terminal cells: flush left, flush right, wrapped. Pure; how wide text is, `racelog.display.cells` says."""

import re
from functools import lru_cache

from racelog.display.cells import cut, flat, shortened, take, width

__all__ = ["cut", "flat", "left", "named", "prose", "right", "take", "width", "wrap"]

_PIECES = re.compile(r" +|[^ ]*\d (?:%|ms|s|tok/s|req/s)(?![^ ,.;:)])[^ ]*|[^ ]+")
"""What a line is not broken within: blanks, words, and a figure with its unit."""


def left(text: str, cells: int) -> str:
    """Return ``text`` in exactly ``cells`` cells, flush left."""
    text = cut(text, cells)
    return text + " " * (cells - width(text))


def right(text: str, cells: int) -> str:
    """Return ``text`` in exactly ``cells`` cells, flush right."""
    text = cut(text, cells)
    return " " * (cells - width(text)) + text


@lru_cache(maxsize=4096)
def named(name: str, cells: int) -> str:
    """Return an engine's name, made flat, in exactly ``cells`` cells, flush left.

    Of one that does not fit the middle is left out, not the end: ``llama-ser…ild-3``; builds and sizes stand at the end.
    """
    return left(shortened(flat(name), cells), cells)


def wrap(text: str, cells: int, last: int) -> list[str]:
    r"""Return the last ``last`` lines of ``text`` wrapped to ``cells``.

    Lines break at spaces where they can and at every ``\n``. Wrapping starts at a line break and runs forward, so
    a text that grows at its end keeps the lines it has. Cost: the paragraphs that reach into those lines.
    """
    lines: list[str] = []
    for paragraph in text.rsplit("\n", last)[-last:] if last > 0 else []:
        lines += _wrap_paragraph(flat(paragraph), max(2, cells))
    return lines[-last:] if last > 0 else []


def prose(text: str, cells: int, most: int) -> list[str]:
    """Return the first ``most`` lines of ``text`` wrapped to ``cells``, at least one; what is left out has an ellipsis."""
    lines = wrap(text, cells, max(1, len(text)) + text.count("\n")) or [""]
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], cut(f"{lines[most - 1]} {lines[most]}", cells)]


def _wrap_paragraph(text: str, cells: int) -> list[str]:
    lines: list[str] = []
    line, used = "", 0
    for piece in _PIECES.findall(text):
        size = width(piece)
        if used + size > cells and piece[0] == " ":
            lines.append(line)
            line, used = "", 0
            continue
        if used + size > cells and used:
            lines.append(line.rstrip())
            line, used = "", 0
        rest = piece
        while size > cells:
            head = take(rest, cells)
            lines.append(head)
            rest = rest[len(head) :]
            size = width(rest)
        line, used = line + rest, used + size
    return [*lines, line]
