"""Text measured in terminal cells: how wide it is, where to cut it, how to wrap it. Pure.

Joiners and variation selectors are dropped: terminals disagree on how wide the emoji they build are, and a cell
counted wrong bends every column after it.
"""

import re
from functools import lru_cache

from wcwidth import wcwidth

from racelog.text import printable

_JOINERS = str.maketrans(
    "", "", "\N{ZERO WIDTH JOINER}\N{VARIATION SELECTOR-15}\N{VARIATION SELECTOR-16}\u200b\ufeff"
)
_KEPT = 200
"""Texts up to this long are remembered: our signs and the lanes' names come again in every frame, answers do not."""
_PIECES = re.compile(r" +|[^ ]+")


def flat(text: str) -> str:
    """Return outside text as one line that is safe to draw and as wide on every terminal."""
    if text.isascii() and text.isprintable():
        return text
    return _flattened(text) if len(text) <= _KEPT else _flattened.__wrapped__(text)


@lru_cache(maxsize=4096)
def _flattened(text: str) -> str:
    return printable(text).translate(_JOINERS)


@lru_cache(maxsize=4096)
def _cells(character: str) -> int:
    return max(0, wcwidth(character))


def width(text: str) -> int:
    """Return how many cells ``text`` takes."""
    if text.isascii():
        return len(text)
    return _wide_width(text) if len(text) <= _KEPT else _wide_width.__wrapped__(text)


@lru_cache(maxsize=4096)
def _wide_width(text: str) -> int:
    return sum(map(_cells, text))


def take(text: str, cells: int) -> str:
    """Return the longest beginning of ``text`` that fits ``cells``."""
    if text.isascii():
        return text[: max(0, cells)]
    if width(text) <= cells:
        return text
    used = 0
    for index, character in enumerate(text):
        used += _cells(character)
        if used > cells:
            return text[:index]
    return text


def cut(text: str, cells: int) -> str:
    """Return ``text``, its end replaced by an ellipsis where it does not fit ``cells``."""
    if width(text) <= cells:
        return text
    return take(text, cells - 1) + "…" if cells > 0 else ""


def left(text: str, cells: int) -> str:
    """Return ``text`` in exactly ``cells`` cells, flush left."""
    text = cut(text, cells)
    return text + " " * (cells - width(text))


def right(text: str, cells: int) -> str:
    """Return ``text`` in exactly ``cells`` cells, flush right."""
    text = cut(text, cells)
    return " " * (cells - width(text)) + text


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
