"""How a card looks: colours, sizes and the room each part gets. No words, no numbers of a race."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.colors import to_hex, to_rgb

from racelog.display.colours import ON_DARK, ON_LIGHT, colors_of

SIZES_PX = {"x": (1200, 675), "linkedin": (1200, 627), "square": (1080, 1080)}


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one look; ``lanes`` are those of `racelog.display.colours`."""

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
    lanes=ON_DARK.lanes,
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
    lanes=ON_LIGHT.lanes,
)  # fmt: skip

THEMES = {"dark": DARK, "light": LIGHT}


def lane_colors(wishes: Sequence[tuple[int, str]], theme: Theme) -> dict[int, str]:
    """Return a ``#rrggbb`` per lane, as player and page have them on such a ground."""
    return colors_of(wishes, ON_DARK if theme is DARK else ON_LIGHT)


def blend(color: str, other: str, share: float) -> str:
    """Return ``color`` with ``share`` (0 to 1) of ``other`` mixed in."""
    mixed = [a + (b - a) * share for a, b in zip(to_rgb(color), to_rgb(other), strict=True)]
    return str(to_hex((mixed[0], mixed[1], mixed[2])))
