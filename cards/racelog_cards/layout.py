"""Where each part of a card goes, in pixels from the top left corner. Pure."""

from dataclasses import dataclass

MARGIN = 56.0
HEADER = 84.0
GUTTER = 26.0
FOOTER_LINE = 19.0
TABLE_HEAD = 30.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: left, top, width, height."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.h


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts of one card; ``row_h`` is the height of a table row, ``base`` the size of its text."""

    header: Box
    hero: Box
    podium: Box | None
    chart: Box
    table: Box
    footer: Box
    row_h: float
    base: float


def layout(size_px: tuple[int, int], rows: int, footer_lines: int) -> Layout:
    """Return the parts' places: header, hero beside chart (or above it when tall), table, footer.

    The table takes what its rows need at the best size that leaves the hero its room; the hero and the chart share
    the rest.
    """
    width, height = size_px
    tall = height > 0.8 * width
    inner = width - 2 * MARGIN
    edge = MARGIN * 0.75 if not tall else MARGIN
    header = Box(MARGIN, edge, inner, HEADER)
    footer_h = FOOTER_LINE * footer_lines
    footer = Box(MARGIN, height - edge * 0.8 - footer_h, inner, footer_h)
    row_h = _row_height(rows, height - 2 * edge - HEADER - footer_h - 3 * GUTTER, tall=tall)
    table_h = TABLE_HEAD + row_h * max(rows, 1)
    table = Box(MARGIN, footer.y - GUTTER * 0.7 - table_h, inner, table_h)
    top = header.bottom + GUTTER * 0.5
    room = table.y - GUTTER * 0.8 - top
    if tall:
        hero = Box(MARGIN, top + 12, inner * 0.47, min(282.0, room * 0.46))
        podium = Box(hero.right + GUTTER, hero.y, inner - hero.w - GUTTER, hero.h)
        chart = Box(MARGIN, hero.bottom + GUTTER, inner, room - hero.h - GUTTER - 12)
    else:
        podium = None
        hero = Box(MARGIN, top, inner * 0.41, room)
        chart = Box(hero.right + GUTTER, top, inner - hero.w - GUTTER, room)
    return Layout(
        header, hero, podium, chart, table, footer, row_h, min(20.0, inner * 0.0184, max(13.5, row_h * 0.46))
    )


def _row_height(rows: int, room: float, *, tall: bool) -> float:
    """Return a row's height: generous for a few lanes, and at most half the room (two fifths when tall) in all."""
    share = 0.45 if tall else 0.62
    return min(62.0 if tall or rows == 1 else 50.0, max(21.0, (room * share - TABLE_HEAD) / max(rows, 1)))
