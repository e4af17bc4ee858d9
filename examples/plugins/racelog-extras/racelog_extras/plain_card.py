"""A card with the table alone: one line a lane, large enough to read in a chat."""

from matplotlib.figure import Figure

from racelog.views.summary import RaceSummary
from racelog_cards.pen import Pen
from racelog_cards.spec import CardSpec
from racelog_cards.theme import SIZES_PX, THEMES, lane_colors

MARGIN = 60


def draw_plain(spec: CardSpec, summary: RaceSummary, *, size: str, theme: str) -> Figure:
    """Return the card: the title, then each lane's name and median TTFT, first to last."""
    look, (width, height) = THEMES[theme], SIZES_PX[size]
    colors = lane_colors(spec.colors, look)
    pen = Pen((width, height), look.background)
    pen.text((MARGIN, 90), spec.title, 44, look.text, bold=True, room=width - 2 * MARGIN)
    pen.text(
        (MARGIN, 130), f"{summary.duration_s:.0f} s, TTFT median", 22, look.muted, room=width - 2 * MARGIN
    )
    step = min(90.0, (height - 220) / max(1, len(spec.rows)))
    for number, row in enumerate(spec.rows):
        y = 220 + number * step
        pen.text(
            (MARGIN, y), row.name, step * 0.5, colors[row.lane], bold=True, room=width - 2 * MARGIN - 300
        )
        pen.text((width - MARGIN, y), row.cells[0].text, step * 0.5, look.text, align="right")
    return pen.figure
