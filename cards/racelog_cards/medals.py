"""Medals and the podium, drawn as shapes: no emoji font is needed and none can fail."""

from collections.abc import Sequence

from racelog_cards.layout import Box
from racelog_cards.pen import Pen
from racelog_cards.spec import Row
from racelog_cards.theme import Theme, blend

PLACES_WITH_MEDAL = 3
STEPS = {2: (0, 0.62), 1: (1, 1.0), 3: (2, 0.42)}
"""Where each place stands on a podium, from the left, and how high its step is."""


def draw_podium(pen: Pen, box: Box, rows: Sequence[Row], look: Theme, colors: dict[int, str]) -> None:
    """Draw the first three on their steps; one lane alone has no podium."""
    placed = [row for row in rows if row.place in STEPS]
    if len(placed) < 2:  # noqa: PLR2004 - nobody to stand above
        return
    gap, crown = 10.0, 62.0
    width = (box.w - 2 * gap) / 3
    for row in placed:
        column, height = STEPS[row.place or 1]
        top = box.y + crown + (box.h - crown) * (1 - height)
        step = Box(box.x + column * (width + gap), top, width, box.bottom - top)
        color = colors[row.lane]
        pen.panel(step, blend(look.panel, color, 0.3), 10)
        pen.panel(Box(step.x, step.y, step.w, 5), color, 2.5)
        middle = step.x + step.w / 2
        draw_medal(pen, (middle, top - 44), 17, row.place or 1, look)
        name = pen.fit(row.name, 15, step.w - 4, bold=True)
        pen.text((middle, top - 11), name, 15, look.text, bold=True, align="center")
        pen.text((middle, top + 33), row.cells[0].text, 17, look.text, align="center", room=step.w - 12)


def draw_place(pen: Pen, center: tuple[float, float], radius: float, row: Row, look: Theme) -> None:
    """Draw a medal for the first three, else the row's mark."""
    if row.place is not None and row.place <= PLACES_WITH_MEDAL:
        draw_medal(pen, center, radius, row.place, look)
        return
    size = max(radius * 1.25, 12.5)
    pen.text((center[0], center[1] + size * 0.36), row.mark, size, look.faint, bold=True, align="center")


def draw_medal(
    pen: Pen, center: tuple[float, float], radius: float, place: int, look: Theme, *, ribbon: str = ""
) -> None:
    """Draw a medal with its number, hung on two ribbon ends when ``ribbon`` names their colour."""
    x, y = center
    if ribbon:
        for side in (-1, 1):
            near, far = x + side * radius * 0.15, x + side * radius * 0.95
            pen.polygon(
                [(near, y), (far, y), (far + side * radius * 0.15, y + radius * 1.5), ((near + far) / 2 + side * radius * 0.1, y + radius * 1.2), (near, y + radius * 1.5)],
                ribbon,
            )  # fmt: skip
    metal = look.medals[place - 1]
    pen.disc(center, radius, metal)
    pen.text((x, y + radius * 0.43), str(place), radius * 1.2, look.medal_text, bold=True, align="center")
