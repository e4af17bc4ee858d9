"""A CardSpec as a picture: every part to its place. No decisions about the race are left here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Literal

import matplotlib.style
from matplotlib.figure import Figure

from racelog.views.summary import RaceSummary
from racelog_cards.layout import FOOTER_LINE, Box, layout
from racelog_cards.medals import draw_medal, draw_podium
from racelog_cards.panels import draw_chart, draw_table
from racelog_cards.pen import DPI, Pen
from racelog_cards.spec import CardSpec, Hero
from racelog_cards.theme import SIZES_PX, THEMES, Theme, blend, lane_colors

FOOTER_PX = 12.5
ITEM_LINES = 3
"""Lines of small print that one item may take: a verdict with a reason a lane."""
SEPARATOR = "   ·   "


def render(
    spec: CardSpec,
    *,
    size: str = "x",
    theme: str = "dark",
    form: Literal["png", "svg"] = "png",
    drawn: Callable[[], Figure] | None = None,
) -> bytes:
    """Return the card as a PNG of exactly the size's pixels, or an SVG; equal specs give equal bytes.

    ``drawn`` draws it in place of the standard template.
    """
    with _own_style():
        figure = draw(spec, size=size, theme=theme) if drawn is None else drawn()
        # matplotlib writes its version and the date where it is not told otherwise.
        metadata = (
            {"Software": "racelog"}
            if form == "png"
            else {"Creator": "racelog", "Date": None, "Title": spec.title}
        )
        picture = BytesIO()
        figure.savefig(picture, format=form, dpi=DPI, metadata=metadata)
        return picture.getvalue() if form == "png" else _in_pixels(picture.getvalue())


def _in_pixels(svg: bytes) -> bytes:
    """Return an SVG with its size in pixels: matplotlib writes points, of which browsers make a third more."""
    begin = svg.index(b"<svg")
    end = svg.index(b">", begin)
    return svg[:begin] + svg[begin:end].replace(b'pt"', b'px"') + svg[end:]


def draw(spec: CardSpec, *, size: str = "x", theme: str = "dark") -> Figure:
    """Return the card as a Figure with an Agg canvas; one point is one pixel."""
    look = THEMES[theme]
    colors = lane_colors(spec.colors, look)
    pen = Pen(SIZES_PX[size], look.background)
    footer = _footer_lines(pen, spec.footer, SIZES_PX[size][0] - 112)
    places = layout(SIZES_PX[size], len(spec.rows), len(footer))
    accent = colors[spec.hero.lane] if spec.hero.lane is not None else look.faint
    pen.glow((places.hero.x, places.hero.y), places.hero.w * 1.5, accent, look.background, look.glow)
    _header(pen, places.header, spec, look)
    _hero(pen, places.hero, spec.hero, look, accent)
    if places.podium:
        draw_podium(pen, places.podium, spec.rows, look, colors)
    draw_chart(pen, places.chart, spec.chart, look, colors)
    draw_table(pen, places, spec, look, colors)
    for number, text in enumerate(footer):
        pen.text(
            (places.footer.x, places.footer.y + FOOTER_LINE * (number + 0.75)), text, FOOTER_PX, look.faint
        )
    return pen.figure


def draw_standard(spec: CardSpec, summary: RaceSummary, *, size: str, theme: str) -> Figure:  # noqa: ARG001 - every template's shape
    """Return the card as `draw` does: racelog's own template."""
    return draw(spec, size=size, theme=theme)


@contextmanager
def _own_style() -> Iterator[None]:
    """Draw by matplotlib's defaults whatever the user's matplotlibrc says; glyphs in an SVG are outlines."""
    own = {"svg.hashsalt": "racelog", "svg.fonttype": "path", "text.hinting": "none"}
    with matplotlib.style.context(own, after_reset=True):
        yield


def _header(pen: Pen, box: Box, spec: CardSpec, look: Theme) -> None:
    mark_w = _wordmark(pen, box, look)
    room = box.w - mark_w - 40
    size = pen.fit_size(spec.title, (38, 34, 30, 27, 24, 22), room, bold=True)
    title = pen.fit(spec.title, size, room, bold=True, both_ends=False)
    pen.text((box.x, box.y + 36), title, size, look.text, bold=True)
    notice_w = 0.0
    if spec.notice:
        notice_w = (
            pen.text((box.right, box.y + 70), spec.notice, 15, look.warn, bold=True, align="right") + 30
        )
    told, room = SEPARATOR.join(spec.subtitle), box.w - notice_w
    pen.text(
        (box.x, box.y + 70), told, pen.fit_size(told, (17, 16, 15, 14, 13), room), look.muted, room=room
    )  # fmt: skip


def _wordmark(pen: Pen, box: Box, look: Theme) -> float:
    """Draw three speed stripes and the name at the top right; return their width."""
    width = pen.text((box.right, box.y + 33), "racelog", 21, look.text, bold=True, align="right")
    for number, (length, color) in enumerate(zip((24, 34, 18), look.lanes, strict=False)):
        right, y = box.right - width - 10, box.y + 16 + number * 6.5
        slant = 2.5
        pen.polygon(
            [(right - length + slant, y), (right + slant, y), (right, y + 4), (right - length, y + 4)], color
        )
        box_left = right - 34
    return box.right - box_left


_MOST_LINES = 5
"""Lines of a caption where no number stands above it: why there is no winner."""


def _hero(pen: Pen, box: Box, hero: Hero, look: Theme, accent: str) -> None:
    """Draw the headline: label, name, number, what it measures, the lead. All sizes follow the box's height."""
    scale = min(1.15, max(0.5, box.h / 268))
    x, y = box.x, box.y + 15 * max(scale, 0.8)
    if hero.medal:
        radius = 13 * max(scale, 0.75)
        draw_medal(pen, (x + radius, y - 6), radius, 1, look, ribbon=accent if scale > 0.7 else "")  # noqa: PLR2004 - no room for it
        x += 2 * radius + 12
    pen.text((x, y), "\N{HAIR SPACE}".join(hero.label), max(13.0, 15 * scale), look.muted, bold=True)
    y += 54 * scale
    size = pen.fit_size(hero.name, [s * scale for s in (40, 36, 32, 28)], box.w - 10, bold=True)
    pen.text((box.x, y), hero.name, size, look.text, bold=True, room=box.w - 10)
    if hero.value:
        y += 96 * scale
    number_w = pen.text((box.x - 3, y), hero.value, 92 * scale, accent, bold=True)
    pen.text((box.x + number_w + 10 * scale, y), hero.unit, 40 * scale, accent, bold=True)
    y += 34 * scale
    size = max(13.0, 18 * scale)
    lines = [hero.caption] if hero.value else _wrapped(pen, hero.caption, size, box.w)
    for place, line in enumerate(lines[:_MOST_LINES]):
        pen.text((box.x, y + place * 1.45 * size), line, size, look.muted, room=box.w)
    y += (min(len(lines), _MOST_LINES) - 1) * 1.45 * size
    if hero.lead:
        _pill(pen, Box(box.x, y + 18 * scale, box.w, 38 * scale), (hero.lead, hero.rival), look, accent)


def _wrapped(pen: Pen, text: str, size: float, room: float) -> list[str]:
    """Return ``text`` in lines that fit ``room``, broken between words."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and pen.width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines or [""]


def _pill(pen: Pen, box: Box, said: tuple[str, str], look: Theme, accent: str) -> None:
    size = max(12.5, 16.5 * box.h / 38)
    pad = box.h * 0.45
    lead, rival = said
    room = box.w - 2 * pad - pen.width(f"{lead} ", size, bold=True)
    shown = f"{lead} {pen.fit(rival, size, room, bold=True)}" if rival else lead
    width = pen.width(shown, size, bold=True) + 2 * pad
    pen.panel(Box(box.x, box.y, width, box.h), blend(look.background, accent, 0.2), box.h / 2)
    pen.text(
        (box.x + pad, box.y + box.h / 2 + size * 0.36), shown, size, blend(accent, look.text, 0.35), bold=True
    )


def _footer_lines(pen: Pen, items: tuple[str, ...], room: float) -> list[str]:
    """Return the items in as few lines as they need, broken between words where one is longer than a line.

    One of more than `ITEM_LINES` is shortened.
    """
    lines: list[str] = []
    for item in items:
        joined = f"{lines[-1]}{SEPARATOR}{item}" if lines else item
        if lines and pen.width(joined, FOOTER_PX) <= room:
            lines[-1] = joined
        else:
            lines += _broken(pen, item, room)
    return lines


def _broken(pen: Pen, text: str, room: float) -> list[str]:
    """Return a text in lines of whole words; the last takes what is left, shortened at its end if it must be."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if pen.width(longer, FOOTER_PX) <= room or not lines[-1] or len(lines) == ITEM_LINES:
            lines[-1] = longer
        else:
            lines.append(word)
    return [pen.fit(line, FOOTER_PX, room, both_ends=False) for line in lines]
