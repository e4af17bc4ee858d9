"""A race as a GIF: the frames of the cast as pixels, for where neither a terminal nor a player of casts is at hand.

The font is DejaVu Sans Mono, which matplotlib brings along; it has no emoji and no CJK: medals are drawn as numbers, letters
as their Unicode numbers, any other such sign as a dot.
Braille and blocks are drawn cell by cell, so that bars and charts have no seams. One palette of 256 colours serves all
frames: taken from three instants of the race, since a palette of each frame's own would flicker.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import matplotlib as mpl
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from racelog.clock import NS_PER_S
from racelog_player.film.codebox import code_boxes
from racelog_player.film.snapshot import INK, PAPER
from racelog_player.terminal.canvas import Line, Style, dressed
from racelog_player.terminal.cells import flat, take, width
from racelog_player.terminal.themes import Theme

SIZE_PX, CELL_PX, ROW_PX, MARGIN_PX = 13, 8, 17, 8
"""At 13 px DejaVu Sans Mono is hinted to 8 px a cell and 17 px a line."""

TICK_NS = 10_000_000
"""A GIF counts in hundredths of a second."""

SHORTEST_TICKS = 2
"""Browsers show frames of less than 20 ms for 100 ms."""

FPS = 10.0
"""A GIF is for a page: 10 frames a second keep it small."""

MOST_FPS = NS_PER_S / (SHORTEST_TICKS * TICK_NS)

LAST_TICKS = 300
"""The result stays 3 s before the film begins again."""

MOST_FRAMES = 3_000
"""Five minutes at 10 frames a second: some 30 s of work and 20 MB."""

COLORS = 256
UNKNOWN = "•"
_INSTEAD = {"🥇": "1", "🥈": "2", "🥉": "3"}

_BRAILLE = range(0x2800, 0x2900)
_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of the dots 1 to 8, by bit (The Unicode Standard, Braille Patterns)."""

_EIGHTHS_UP, _EIGHTHS_LEFT = "▁▂▃▄▅▆▇█", "▏▎▍▌▋▊▉"

Frame = tuple[int, Sequence[Line]]
"""When it is shown, in nanoseconds from the film's start, and its lines."""


class Painter:
    """Paints frames of one size in one theme; a row that did not change keeps its pixels."""

    def __init__(self, theme: Theme, size: tuple[int, int]) -> None:
        self._theme = theme
        self._columns, self._rows = size
        self._paper = theme.resolve("background") or PAPER
        pixels = (self._columns * CELL_PX + 2 * MARGIN_PX, self._rows * ROW_PX + 2 * MARGIN_PX)
        self._image = Image.new("RGB", pixels, self._paper)
        self._draw = ImageDraw.Draw(self._image)
        self._shown: list[Line] = [[] for _ in range(self._rows)]

    def painted(self, lines: Sequence[Line]) -> Image.Image:
        """Return the picture of a frame; it is painted over by the next call."""
        for row in range(self._rows):
            line = lines[row] if row < len(lines) else []
            if line != self._shown[row]:
                self._shown[row] = line
                self._row(row, line)
        return self._image

    def _row(self, row: int, line: Line) -> None:
        y = MARGIN_PX + row * ROW_PX
        self._draw.rectangle((0, y, self._image.width, y + ROW_PX - 1), self._paper)
        column = 0
        for text, style in line:
            shown = take(flat(text), self._columns - column)
            worn = dressed(style, self._theme)
            ink, back = worn.fg or INK, worn.bg
            if worn.reverse:
                ink, back = back or self._paper, ink
            x = MARGIN_PX + column * CELL_PX
            if back and shown:
                self._draw.rectangle((x, y, x + width(shown) * CELL_PX - 1, y + ROW_PX - 1), back)
            self._signs(shown, x, y, ink, worn)
            column += width(shown)

    def _signs(self, text: str, x: int, y: int, ink: str, style: Style) -> None:
        for sign in text:
            cells = width(sign)
            if sign != " " and cells:
                boxes = _boxes(sign)
                for left, top, right, bottom in boxes:
                    self._draw.rectangle((x + left, y + top, x + right - 1, y + bottom - 1), ink)
                if not boxes:
                    drawn = sign if _has(sign) else _INSTEAD.get(sign, UNKNOWN)
                    self._draw.text((x, y), drawn, ink, _font(bold=style.bold))
            x += cells * CELL_PX


def write_gif(
    path: Path,
    frames: Iterable[Frame],
    samples: Iterable[Sequence[Line]],
    painter: Painter,
    *,
    seen: Callable[[int], None] = lambda _ns: None,
) -> None:
    """Write the film that ``frames`` are, in the colours of ``samples``; ``seen`` is told when each frame is due.

    Cost: 10 ms a frame of 120 x 36; memory: what changed from frame to frame.

    Raises:
        OSError: the file cannot be written.
    """
    palette = _palette([painter.painted(lines).copy() for lines in samples])
    pictures = _pictures(frames, painter, palette, seen)
    first = next(pictures)
    first.save(
        path, "GIF", save_all=True, append_images=pictures, loop=0, optimize=False, duration=None, disposal=1
    )


def _pictures(
    frames: Iterable[Frame], painter: Painter, palette: Image.Image, seen: Callable[[int], None]
) -> Iterator[Image.Image]:
    """Yield each frame that differs from the one before as a picture that knows how long it is shown."""
    waiting: Image.Image | None = None
    since = 0
    before: Sequence[Line] | None = None
    for t_ns, lines in frames:
        seen(t_ns)
        tick = t_ns // TICK_NS
        if lines == before or (waiting is not None and tick - since < SHORTEST_TICKS):
            continue
        before = lines
        if waiting is not None:
            yield _lasting(waiting, tick - since)
        waiting, since = painter.painted(lines).quantize(palette=palette, dither=Image.Dither.NONE), tick
    if waiting is not None:
        yield _lasting(waiting, LAST_TICKS)


def _lasting(picture: Image.Image, ticks: int) -> Image.Image:
    picture.info["duration"] = ticks * 10
    return picture


def _palette(pictures: Sequence[Image.Image]) -> Image.Image:
    """Return a picture whose palette holds what these pictures need."""
    wall = Image.new("RGB", (pictures[0].width, sum(picture.height for picture in pictures)))
    for number, picture in enumerate(pictures):
        wall.paste(picture, (0, number * picture.height))
    return wall.quantize(COLORS, Image.Quantize.MEDIANCUT)


@lru_cache(maxsize=4096)
def _boxes(sign: str) -> tuple[tuple[int, int, int, int], ...]:
    """Return the rectangles, in pixels of a cell, that a sign is made of: blocks, Braille, letters that the font lacks."""
    code = ord(sign)
    if code in _BRAILLE:
        return tuple(
            (1 + 4 * column, 1 + 4 * row, 3 + 4 * column, 3 + 4 * row)
            for bit, (column, row) in enumerate(_DOTS)
            if (code - _BRAILLE.start) >> bit & 1
        )
    if (eighths := _EIGHTHS_UP.find(sign) + 1) > 0:
        return ((0, ROW_PX - ROW_PX * eighths // 8, CELL_PX, ROW_PX),)
    if (eighths := _EIGHTHS_LEFT.find(sign) + 1) > 0:
        return ((0, 0, CELL_PX * eighths // 8, ROW_PX),)
    return code_boxes(sign, width(sign), CELL_PX, ROW_PX) if sign.isalnum() and not _has(sign) else ()


@lru_cache
def _font(*, bold: bool) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_file(bold=bold), SIZE_PX, layout_engine=ImageFont.Layout.BASIC)


def _file(*, bold: bool) -> str:
    name = "DejaVuSansMono-Bold.ttf" if bold else "DejaVuSansMono.ttf"
    return str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name)


@lru_cache(maxsize=4096)
def _has(sign: str) -> bool:
    return _signs_of_the_font().get_char_index(ord(sign)) > 0


@lru_cache
def _signs_of_the_font() -> FT2Font:
    return FT2Font(_file(bold=False))
