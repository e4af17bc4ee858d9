"""A card with the table alone: one line a lane, large enough to read in a chat."""

from matplotlib.figure import Figure

from racelog.views.summary import RaceSummary
from racelog_cards.pen import Pen
from racelog_cards.spec import CardSpec
from racelog_cards.theme import SIZES_PX, THEMES, lane_colors

MARGIN = 60


def draw_plain(spec: CardSpec, summary: RaceSummary, *, size: str, theme: str) -> Figure:
    """Return the card: the title, what must be known of the race, then each lane's median TTFT, first to last."""
    look, (width, height) = THEMES[theme], SIZES_PX[size]
    colors = lane_colors(spec.colors, look)
    pen = Pen((width, height), look.background)
    pen.text((MARGIN, 90), spec.title, 44, look.text, bold=True, room=width - 2 * MARGIN)
    told = " · ".join(filter(None, (f"{summary.duration_s:.0f} s", "TTFT median", spec.notice)))
    pen.text((MARGIN, 130), told, 22, look.warn if spec.notice else look.muted, room=width - 2 * MARGIN)
    step = min(130.0, (height - 230) / max(1, len(spec.rows)))
    for number, row in enumerate(spec.rows):
        y = 230 + number * step
        name = " · ".join(filter(None, (row.mark, row.name, row.tag)))
        pen.text((MARGIN, y), name, step * 0.5, colors[row.lane], bold=True, room=width - 2 * MARGIN - 300)
        pen.text((width - MARGIN, y), row.cells[0].text, step * 0.5, look.text, align="right")
    return pen.figure
