"""Styled lines to terminal bytes: only the rows that changed, inside one synchronized update.

The canvas is the last door to the terminal. Whatever a pane forgot, nothing that a terminal would obey passes it.
Colours are names that the theme turns into ``#rrggbb``, and then what the terminal can show; where it cannot show
Unicode, plain ASCII stands in.
"""

import colorsys
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from racelog.display.signs import to_ascii
from racelog_player.terminal.cells import flat, take, width
from racelog_player.terminal.themes import DEFAULT, Theme


class Depth(IntEnum):
    """How many colours the terminal shows."""

    NONE = 0
    EIGHT = 8
    ANSI = 16
    INDEXED = 256
    TRUE = 1 << 24


class Style(NamedTuple):
    """How a span looks; an empty colour is the theme's for text and background, or the terminal's own."""

    fg: str = ""
    bg: str = ""
    bold: bool = False
    reverse: bool = False


PLAIN = Style()


class Span(NamedTuple):
    """Some text in one style."""

    text: str
    style: Style = PLAIN


Line = list[Span]

BEGIN_UPDATE = "\x1b[?2026h"
END_UPDATE = "\x1b[?2026l"
"""Terminals that know the mode show a frame at once (contour's synchronized output); others ignore it."""

_RESET = "\x1b[0m"
_CLEAR_REST = "\x1b[K"

_ANSI_RGB = (
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229),
    (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255),
)  # fmt: skip
"""xterm's defaults for the 16 colours; terminals differ, so this only has to be close."""

_HUES = ((1, 0), (3, 60), (2, 120), (6, 180), (4, 240), (5, 300), (1, 360))
"""The six colours that every terminal has, and where they lie on the circle of hues."""

_GREYS = (0, 8, 7, 15)
_LEAST_CHROMA = 64
"""Between the strongest and the weakest part of a colour, of 255; below, it reads as a grey."""

_BRIGHT_FROM = 190
"""A colour whose strongest part is above stands for itself in the brighter half of the sixteen."""

_STATES = ("warn", "bad", "good")
"""Roles that must differ on every terminal, the one with the least choice first."""

_CUBE = (0, 95, 135, 175, 215, 255)


class Canvas:
    """Remembers the last frame and returns what it takes to show the next."""

    def __init__(self, depth: Depth, *, ascii_only: bool = False, theme: Theme = DEFAULT) -> None:
        self._depth = depth
        self._theme = theme
        self._ascii = ascii_only
        self._last: Sequence[Line | None] = []
        self._size = (0, 0)

    @property
    def theme(self) -> Theme:
        """The theme it draws in."""
        return self._theme

    def wear(self, theme: Theme) -> None:
        """Draw in another theme from the next frame on."""
        self._theme = theme
        self.forget()

    def forget(self) -> None:
        """Draw every row anew next time: the terminal was resized or written to by someone else."""
        self._size = (0, 0)

    def frame(self, lines: Sequence[Line], columns: int, rows: int) -> str:
        """Return the bytes that turn the last frame into this one, as text; nothing when they are equal.

        Lines are cut at ``columns`` and ``rows``; missing ones are blank. Cost: encoding the rows that changed.
        """
        wanted = [*lines[:rows], *([[]] * (rows - len(lines)))]
        last = self._last if self._size == (columns, rows) else [None] * rows
        changed = [
            f"\x1b[{row};1H{self._encode(line, columns)}"
            for row, (before, line) in enumerate(zip(last, wanted, strict=True), 1)
            if before != line
        ]
        self._last, self._size = list(wanted), (columns, rows)
        return f"{BEGIN_UPDATE}{''.join(changed)}{END_UPDATE}" if changed else ""

    def encoded(self, line: Line, columns: int) -> str:
        """Return one line as it goes to the terminal."""
        return self._encode(line, columns)

    def _encode(self, line: Line, columns: int) -> str:
        painted = bool(self._theme.resolve("background")) and self._depth != Depth.NONE
        parts: list[str] = [self._sgr(PLAIN)] if painted else []
        column, present = 0, PLAIN
        for text, style in line:
            shown = take(flat(text), columns - column)
            if not shown:
                continue
            if style != present:
                parts.append(self._sgr(style))
                present = style
            cells = len(shown) if shown.isascii() else width(shown)
            column += cells
            parts.append(to_ascii(shown) if self._ascii else shown)
            if cells != len(shown) and not self._ascii and column < columns:
                # A terminal that thinks otherwise of a wide character's width is put right at once.
                parts.append(f"\x1b[{column + 1}G")
        if present != PLAIN:
            parts.append(self._sgr(PLAIN) if painted else _RESET)
        if column < columns:  # at the last column the cursor waits on it, and clearing would take it away
            parts.append(_CLEAR_REST)
        return "".join(parts)

    def _sgr(self, style: Style) -> str:
        return _dressed_sgr(style, self._theme, self._depth)


@lru_cache(maxsize=4096)
def _dressed_sgr(style: Style, theme: Theme, depth: Depth) -> str:
    worn = dressed(style, theme)
    if depth in (Depth.EIGHT, Depth.ANSI) and style.fg in _STATES:
        return f"{sgr(worn._replace(fg=''), depth)[:-1]};{30 + _states(theme)[style.fg]}m"
    return sgr(worn, depth)


@lru_cache(maxsize=64)
def _states(theme: Theme) -> dict[str, int]:
    """Return for each state the nearest of the six colours that no state before it has."""
    chosen: dict[str, int] = {}
    for role in _STATES:
        hue = _hue(rgb_of(theme.resolve(role) or "#ffffff"))
        chosen[role] = min(
            (index for index, _ in _HUES if index not in chosen.values()),
            key=lambda index, hue=hue: min(abs(hue - at) for one, at in _HUES if one == index),  # type: ignore[misc]
        )
    return chosen


def _hue(rgb: tuple[int, int, int]) -> float:
    """Return the hue in degrees."""
    return colorsys.rgb_to_hsv(*(part / 255 for part in rgb))[0] * 360


def _nearest_ansi(rgb: tuple[int, int, int], depth: Depth) -> int:
    """Return the nearest of the 16 or 8 colours by what one sees first: grey or not, and then the hue.

    The nearest by plain distance would be a grey for every colour that is a little pale.
    """
    if max(rgb) - min(rgb) < _LEAST_CHROMA:
        greys = _GREYS if depth == Depth.ANSI else (0, 7)
        return min(greys, key=lambda index: _distance(rgb, _ANSI_RGB[index]))
    hue = _hue(rgb)
    index = min(_HUES, key=lambda one: abs(hue - one[1]))[0]
    return index + 8 if depth == Depth.ANSI and max(rgb) >= _BRIGHT_FROM else index


@lru_cache(maxsize=4096)
def dressed(style: Style, theme: Theme) -> Style:
    """Return ``style`` with its colours as the theme has them."""
    return style._replace(fg=theme.resolve(style.fg or "text"), bg=theme.resolve(style.bg or "background"))


@lru_cache(maxsize=1024)
def sgr(style: Style, depth: Depth) -> str:
    """Return the sequence that sets exactly this style."""
    codes = ["0"]
    if style.bold:
        codes.append("1")
    if style.reverse:
        codes.append("7")
    if depth != Depth.NONE:
        codes += [_color(style.fg, 38, depth)] if style.fg else []
        codes += [_color(style.bg, 48, depth)] if style.bg else []
    return f"\x1b[{';'.join(codes)}m"


def _color(value: str, base: int, depth: Depth) -> str:
    """Return the SGR parameters for ``#rrggbb``; ``base`` is 38 for the foreground, 48 for the background."""
    rgb = rgb_of(value)
    if depth == Depth.TRUE:
        return f"{base};2;{rgb[0]};{rgb[1]};{rgb[2]}"
    if depth == Depth.INDEXED:
        return f"{base};5;{_nearest_indexed(rgb)}"
    index = _nearest_ansi(rgb, depth)
    return str(base - 8 + index if index < 8 else base + 52 + index - 8)  # noqa: PLR2004 - 30-37 then 90-97


def rgb_of(value: str) -> tuple[int, int, int]:
    """Return the three parts of ``#rrggbb``."""
    return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)


def _distance(one: tuple[int, int, int], other: tuple[int, int, int]) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _nearest_indexed(rgb: tuple[int, int, int]) -> int:
    """Return the nearest of xterm's 6x6x6 cube (16-231) and its 24 greys (232-255)."""
    steps = [min(range(6), key=lambda i, part=part: abs(_CUBE[i] - part)) for part in rgb]  # type: ignore[misc]
    cube = (_CUBE[steps[0]], _CUBE[steps[1]], _CUBE[steps[2]])
    shade = min(23, max(0, (sum(rgb) // 3 - 3) // 10))
    grey = 8 + 10 * shade
    if _distance(rgb, (grey, grey, grey)) < _distance(rgb, cube):
        return 232 + shade
    return 16 + 36 * steps[0] + 6 * steps[1] + steps[2]
