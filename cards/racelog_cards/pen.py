"""Drawing in pixels: text that fits its room, and a few shapes, on one matplotlib Figure without pyplot."""

import re
from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.image import AxesImage
from matplotlib.patches import Circle, FancyBboxPatch, Polygon
from matplotlib.patches import Rectangle as Frame

from racelog_cards.fonts import font
from racelog_cards.layout import Box

DPI = 72
"""One point is one pixel."""
ELLIPSIS = "…"
_BREAK = re.compile(r"[\s\-_/.,:;]+")

Align = Literal["left", "center", "right"]
Point = tuple[float, float]


class Pen:
    """Draws on a fresh Figure of ``size_px``; y grows downwards; text stands on its baseline ``y``."""

    def __init__(self, size_px: tuple[int, int], background: str) -> None:
        self.size_px = size_px
        width, height = size_px
        self.figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=background)
        self._renderer: Any = cast("Any", RendererAgg)(width, height, DPI)  # matplotlib leaves it untyped
        FigureCanvasAgg(self.figure)
        self._axes: Axes = self.figure.add_axes((0, 0, 1, 1))
        self._axes.set_xlim(0, width)
        self._axes.set_ylim(height, 0)
        self._axes.set_axis_off()

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Return how wide ``text`` is."""
        measured = self._renderer.get_text_width_height_descent(text, _font(size, bold=bold), ismath=False)
        return float(measured[0])

    def fit(self, text: str, size: float, room: float, *, bold: bool = False, both_ends: bool = True) -> str:
        """Return ``text``, shortened by an ellipsis as far as ``room`` asks: in its middle, or at its end."""
        if self.width(text, size, bold=bold) <= room:
            return text
        low, high = 0, len(text)
        while low < high:
            keep = (low + high + 1) // 2
            if self.width(_shortened(text, keep, both_ends=both_ends), size, bold=bold) <= room:
                low = keep
            else:
                high = keep - 1
        return _shortened(text, low, both_ends=both_ends)

    def fit_size(self, text: str, sizes: Sequence[float], room: float, *, bold: bool = False) -> float:
        """Return the first of ``sizes`` (large to small) at which ``text`` fits, else the last."""
        return next((size for size in sizes if self.width(text, size, bold=bold) <= room), sizes[-1])

    def text(
        self,
        at: Point,
        text: str,
        size: float,
        color: str,
        *,
        bold: bool = False,
        align: Align = "left",
        room: float | None = None,
    ) -> float:
        """Draw ``text``, shortened to ``room``, and return its width. Nothing in it is markup."""
        shown = text if room is None else self.fit(text, size, room, bold=bold)
        if not shown:
            return 0.0
        self._axes.text(
            *at, shown, color=color, ha=align, va="baseline", fontproperties=_font(size, bold=bold),
            parse_math=False, zorder=10,
        )  # fmt: skip
        return self.width(shown, size, bold=bold)

    def panel(self, box: Box, color: str, radius: float, *, alpha: float = 1.0, level: int = 2) -> None:
        """Draw a rectangle with round corners."""
        radius = min(radius, box.h / 2, box.w / 2)
        self._axes.add_patch(
            FancyBboxPatch(
                (box.x, box.y), box.w, box.h, boxstyle=f"round,pad=0,rounding_size={radius}", facecolor=color,
                edgecolor="none", linewidth=0, alpha=alpha, zorder=level,
            )
        )  # fmt: skip

    def disc(self, center: Point, radius: float, color: str) -> None:
        """Draw a filled circle."""
        self._axes.add_patch(Circle(center, radius, facecolor=color, edgecolor="none", linewidth=0, zorder=6))

    def polygon(self, points: Sequence[Point], color: str, *, alpha: float = 1.0, level: int = 4) -> None:
        """Draw a filled polygon."""
        self._axes.add_patch(
            Polygon(list(points), closed=True, facecolor=color, edgecolor="none", alpha=alpha, zorder=level)
        )

    def line(self, points: Sequence[Point], color: str, width: float = 1.0, *, alpha: float = 1.0) -> None:
        """Draw a line through ``points``; hairlines below everything, strokes above the fills."""
        self._axes.plot(
            [x for x, _ in points], [y for _, y in points], color=color, linewidth=width, alpha=alpha,
            solid_capstyle="round", solid_joinstyle="round", zorder=3 if width <= 1 else 5,
            snap=width <= 1, scalex=False, scaley=False,
        )  # fmt: skip

    def glow(self, center: Point, radius: float, color: str, background: str, strength: float) -> None:
        """Lay a soft light of ``color`` on the background around ``center``, dithered so that no rings show."""
        width, height = self.size_px
        y, x = np.mgrid[0:height, 0:width]
        distance = np.hypot(x - center[0], y - center[1]) / radius
        light = strength * np.clip(1 - distance, 0, 1)[..., None] ** 2
        dark, bright = (np.array(to_rgb(c)) * 255 for c in (background, color))
        noise = np.random.default_rng(0).random(
            (height, width, 1)
        )  # one fixed pattern: same pixels each time
        pixels = np.floor(dark + (bright - dark) * light + noise).clip(0, 255).astype(np.uint8)
        image = AxesImage(
            self._axes, extent=(0, width, height, 0), origin="upper", interpolation="nearest", zorder=1
        )
        image.set_data(pixels)
        image.set_clip_path(Frame((0, 0), width, height, transform=self._axes.transData))
        self._axes.add_artist(image)


def _font(size: float, *, bold: bool) -> FontProperties:
    return font(size, "bold" if bold else "normal")


def _shortened(text: str, keep: int, *, both_ends: bool) -> str:
    """Return at most ``keep`` characters of ``text`` and an ellipsis: a third of them after it, or none.

    Words stay whole where whole ones use at least two thirds of the room.
    """
    tail = keep // 3 if both_ends else 0
    head = keep - tail
    start, end = text[:head], text[len(text) - tail :]
    if head < len(text) and text[head : head + 1].isalnum() and (at := _last_break(start)) >= head * 2 // 3:
        start = text[:at]
    if end and text[len(text) - tail - 1].isalnum() and (at := _first_break(end)) <= tail * 2 // 3:
        end = end[at:]
    return f"{start.rstrip()}{ELLIPSIS}{end.lstrip()}"


def _last_break(text: str) -> int:
    """Return where the last word of ``text`` begins; 0 where it is one word."""
    return max((found.end() for found in _BREAK.finditer(text)), default=0)


def _first_break(text: str) -> int:
    """Return where the first word of ``text`` ends; beyond it where it is one word."""
    found = _BREAK.search(text)
    return found.start() if found else len(text) + 1
