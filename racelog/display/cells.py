"""Text measured in terminal cells: how wide it is and where to cut it, the same for every table and screen. Pure.

Joiners and variation selectors are dropped: terminals disagree on how wide the emoji they build are, and a cell
counted wrong bends every column after it.
"""

from functools import lru_cache

from racelog.display.text import printable

_JOINERS = str.maketrans(
    "", "", "\N{ZERO WIDTH JOINER}\N{VARIATION SELECTOR-15}\N{VARIATION SELECTOR-16}\u200b\ufeff"
)
_LEAST_TAIL = 3
"""A shorter end of a name tells nothing."""

_KEPT = 200
"""Texts up to this long are remembered: our signs and the lanes' names come again in every frame, answers do not."""


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
    from wcwidth import wcwidth  # noqa: PLC0415 - its tables are only needed once something is drawn

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


def shortened(name: str, cells: int) -> str:
    """Return a name, its middle replaced by an ellipsis where it does not fit ``cells``: ``llama-ser…ild-3``.

    Builds and sizes stand at the end of a name, and tell names of one beginning apart.
    """
    tail = (cells - 1) // 3
    if width(name) <= cells or tail < _LEAST_TAIL:
        return cut(name, cells)
    end = take(name[::-1], tail)[::-1]
    return take(name, cells - 1 - width(end)) + "…" + end
