"""How a card looks: colours, sizes and the room each part gets. No words, no numbers of a race."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.colors import CSS4_COLORS, to_hex, to_rgb

LEAST_CONTRAST = 3.0
"""WCAG 2.1's floor for graphics and large text; a plan's colour is moved towards the text colour until it holds."""

SIZES_PX = {"x": (1200, 675), "linkedin": (1200, 627), "square": (1080, 1080)}

ALIKE = 0.2
"""Squared distance in RGB (each 0 to 1) under which a palette colour comes last when a plan took its like."""

_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})")


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one look; ``lanes`` are picked farthest first, as the least of four kinds of sight sees them.

    Each colour lies at least 18 (CIELAB, Delta E 1976) from those before it for normal, protan, deutan and tritan
    eyes (Machado et al. 2009, "A Physiologically-based Model for Simulation of Color Vision Deficiency").
    """

    background: str
    panel: str
    line: str
    text: str
    muted: str
    faint: str
    warn: str
    glow: float
    fill: float
    medals: tuple[str, str, str]
    medal_text: str
    lanes: tuple[str, ...]


DARK = Theme(
    background="#0b1020",
    panel="#121930",
    line="#26304d",
    text="#f4f6fc",
    muted="#a3aecb",
    faint="#7d89aa",
    warn="#ff9d5c",
    glow=0.16,
    fill=0.16,
    medals=("#f6c650", "#c5cfdf", "#d7925f"),
    medal_text="#1b1405",
    lanes=(
        "#35c9f0", "#ffb224", "#8c54fc", "#df4962", "#bdeb8e",
        "#977e02", "#0380bf", "#fd7ca7", "#9090fd", "#b2b24d",
    ),
)  # fmt: skip

LIGHT = Theme(
    background="#f7f8fc",
    panel="#ffffff",
    line="#d9deea",
    text="#10162a",
    muted="#4d5872",
    faint="#626d88",
    warn="#b3470b",
    glow=0.10,
    fill=0.12,
    medals=("#e9b634", "#b7c2d3", "#cf8a57"),
    medal_text="#1b1405",
    lanes=(
        "#0077b6", "#d55e00", "#8a18fb", "#794034", "#bf6986",
        "#97027e", "#c454fc", "#ab0303", "#8003bf", "#967940",
    ),
)  # fmt: skip

THEMES = {"dark": DARK, "light": LIGHT}


def lane_colors(wishes: Sequence[tuple[int, str]], theme: Theme) -> dict[int, str]:
    """Return a ``#rrggbb`` per lane: its wish (a CSS name or hex) if it is one and still free, else the palette's next.

    A wish too close to the background is moved towards the text colour until it can be seen.
    """
    taken: dict[int, str] = {}
    for lane, wish in wishes:
        asked = css_color(wish)
        if asked and (seen := visible(asked, theme)) not in taken.values():
            taken[lane] = seen
    spare = sorted(theme.lanes, key=lambda color: any(_alike(color, other) for other in taken.values()))
    waiting = [lane for lane, _ in wishes if lane not in taken]
    for place, lane in enumerate(waiting):
        taken[lane] = spare[place % len(spare)]
    return taken


def _alike(one: str, other: str) -> bool:
    """Return True for two colours that a glance could confuse."""
    return sum((a - b) ** 2 for a, b in zip(to_rgb(one), to_rgb(other), strict=True)) < ALIKE


def css_color(text: str) -> str | None:
    """Return ``#rrggbb`` for a CSS colour name or hex colour in any case, None for anything else."""
    wish = text.strip().lower()
    if _HEX.fullmatch(wish):
        return str(to_hex(wish))
    return str(to_hex(CSS4_COLORS[wish])) if wish in CSS4_COLORS else None


def visible(color: str, theme: Theme) -> str:
    """Return ``color``, moved towards the text colour as far as contrast with the background asks."""
    for step in range(11):
        moved = blend(color, theme.text, step / 10)
        if contrast(moved, theme.background) >= LEAST_CONTRAST:
            return moved
    return theme.text


def blend(color: str, other: str, share: float) -> str:
    """Return ``color`` with ``share`` (0 to 1) of ``other`` mixed in."""
    mixed = [a + (b - a) * share for a, b in zip(to_rgb(color), to_rgb(other), strict=True)]
    return str(to_hex((mixed[0], mixed[1], mixed[2])))


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast ratio of two colours, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]  # noqa: PLR2004 - sRGB
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
