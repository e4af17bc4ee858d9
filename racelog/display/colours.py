"""An engine's colour, the same on card, page, player and plot; and colours measured: contrast and distance. Pure.

Contrast is WCAG 2.2's ratio; distance is Euclid's in OKLab (Ottosson, 2020), where equal steps look about equal.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

TEXT_LEAST = 4.5
"""What text needs (WCAG 2.2, success criterion 1.4.3); lanes' names are written in their colours."""

APART = 0.07
"""Two colours nearer than this are taken for one in a thin line; the nearest two of our own palette have 0.074."""

_STEPS = 24


@lru_cache(maxsize=1024)
def luminance(color: str) -> float:
    """Return the relative luminance of ``#rrggbb``, 0 to 1."""
    red, green, blue = _linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the ratio of two colours' luminances, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=1024)
def readable(color: str, paper: str, least: float = TEXT_LEAST) -> str:
    """Return ``color``, made lighter or darker just so far that it has ``least`` contrast on ``paper``.

    The hue stays; the way is whichever of white and black is the farther from ``paper``.
    """
    end = max("#ffffff", "#000000", key=lambda other: contrast(other, paper))
    shades = (blend(color, end, step / _STEPS) for step in range(_STEPS + 1))
    return next((shade for shade in shades if contrast(shade, paper) >= least), end)


def blend(one: str, other: str, share: float) -> str:
    """Return the colour ``share`` of the way from ``one`` to ``other``."""
    parts = (
        round(int(one[i : i + 2], 16) * (1 - share) + int(other[i : i + 2], 16) * share) for i in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in parts)


@lru_cache(maxsize=4096)
def distance(one: str, other: str) -> float:
    """Return how far two colours are apart, 0 to about 1."""
    return math.dist(_oklab(one), _oklab(other))


def apart(wanted: str, others: list[str], choices: list[str]) -> str:
    """Return ``wanted`` if it is told from all ``others``, else that of ``choices`` which is the farthest from them."""

    def nearest(color: str) -> float:
        return min((distance(color, other) for other in others), default=1.0)

    return wanted if nearest(wanted) >= APART else max([wanted, *choices], key=nearest)


def _linear(color: str) -> tuple[float, float, float]:
    shares = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - where sRGB's line ends
        for part in shares
    )
    return red, green, blue


@lru_cache(maxsize=1024)
def _oklab(color: str) -> tuple[float, float, float]:
    red, green, blue = _linear(color)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


NAMED = {
    "red": "#ff6b6b", "green": "#51cf66", "yellow": "#ffd43b", "blue": "#5c9dff", "magenta": "#da77f2",
    "purple": "#b197fc", "violet": "#9775fa", "cyan": "#3bc9db", "teal": "#20c997", "orange": "#ffa94d",
    "pink": "#ff8fab", "lime": "#a9e34b", "gold": "#fcc419", "brown": "#c08a5a", "white": "#f1f3f5",
    "gray": "#adb5bd", "grey": "#adb5bd", "black": "#6c757d", "coral": "#ff8066", "indigo": "#748ffc",
}  # fmt: skip
"""What people call colours, in shades that read on dark and on light."""

_CSS = (
    "aliceblue f0f8ff antiquewhite faebd7 aqua 00ffff aquamarine 7fffd4 azure f0ffff beige f5f5dc bisque ffe4c4 "
    "black 000000 blanchedalmond ffebcd blue 0000ff blueviolet 8a2be2 brown a52a2a burlywood deb887 cadetblue 5f9ea0 "
    "chartreuse 7fff00 chocolate d2691e coral ff7f50 cornflowerblue 6495ed cornsilk fff8dc crimson dc143c cyan 00ffff "
    "darkblue 00008b darkcyan 008b8b darkgoldenrod b8860b darkgray a9a9a9 darkgreen 006400 darkgrey a9a9a9 "
    "darkkhaki bdb76b darkmagenta 8b008b darkolivegreen 556b2f darkorange ff8c00 darkorchid 9932cc darkred 8b0000 "
    "darksalmon e9967a darkseagreen 8fbc8f darkslateblue 483d8b darkslategray 2f4f4f darkslategrey 2f4f4f "
    "darkturquoise 00ced1 darkviolet 9400d3 deeppink ff1493 deepskyblue 00bfff dimgray 696969 dimgrey 696969 "
    "dodgerblue 1e90ff firebrick b22222 floralwhite fffaf0 forestgreen 228b22 fuchsia ff00ff gainsboro dcdcdc "
    "ghostwhite f8f8ff gold ffd700 goldenrod daa520 gray 808080 green 008000 greenyellow adff2f grey 808080 "
    "honeydew f0fff0 hotpink ff69b4 indianred cd5c5c indigo 4b0082 ivory fffff0 khaki f0e68c lavender e6e6fa "
    "lavenderblush fff0f5 lawngreen 7cfc00 lemonchiffon fffacd lightblue add8e6 lightcoral f08080 lightcyan e0ffff "
    "lightgoldenrodyellow fafad2 lightgray d3d3d3 lightgreen 90ee90 lightgrey d3d3d3 lightpink ffb6c1 "
    "lightsalmon ffa07a lightseagreen 20b2aa lightskyblue 87cefa lightslategray 778899 lightslategrey 778899 "
    "lightsteelblue b0c4de lightyellow ffffe0 lime 00ff00 limegreen 32cd32 linen faf0e6 magenta ff00ff maroon 800000 "
    "mediumaquamarine 66cdaa mediumblue 0000cd mediumorchid ba55d3 mediumpurple 9370db mediumseagreen 3cb371 "
    "mediumslateblue 7b68ee mediumspringgreen 00fa9a mediumturquoise 48d1cc mediumvioletred c71585 "
    "midnightblue 191970 mintcream f5fffa mistyrose ffe4e1 moccasin ffe4b5 navajowhite ffdead navy 000080 "
    "oldlace fdf5e6 olive 808000 olivedrab 6b8e23 orange ffa500 orangered ff4500 orchid da70d6 palegoldenrod eee8aa "
    "palegreen 98fb98 paleturquoise afeeee palevioletred db7093 papayawhip ffefd5 peachpuff ffdab9 peru cd853f "
    "pink ffc0cb plum dda0dd powderblue b0e0e6 purple 800080 rebeccapurple 663399 red ff0000 rosybrown bc8f8f "
    "royalblue 4169e1 saddlebrown 8b4513 salmon fa8072 sandybrown f4a460 seagreen 2e8b57 seashell fff5ee "
    "sienna a0522d silver c0c0c0 skyblue 87ceeb slateblue 6a5acd slategray 708090 slategrey 708090 snow fffafa "
    "springgreen 00ff7f steelblue 4682b4 tan d2b48c teal 008080 thistle d8bfd8 tomato ff6347 turquoise 40e0d0 "
    "violet ee82ee wheat f5deb3 white ffffff whitesmoke f5f5f5 yellow ffff00 yellowgreen 9acd32"
)
CSS = dict(zip(*[iter(_CSS.split())] * 2, strict=True))
"""The names of CSS Color Module Level 4, for those that have no shade of ours."""


@lru_cache(maxsize=256)
def asked_color(wish: str) -> str:
    """Return ``#rrggbb`` for what a plan asks for: a hex colour, a name of ours or of CSS in any case; else ""."""
    wanted = wish.strip().lower()
    if re.fullmatch(r"#[0-9a-f]{3}", wanted):
        return "#" + "".join(digit * 2 for digit in wanted[1:])
    if re.fullmatch(r"#[0-9a-f]{6}", wanted):
        return wanted
    name = wanted.removeprefix("bright").strip("-_ ")
    return NAMED.get(name) or (f"#{CSS[wanted]}" if wanted in CSS else "")


@dataclass(frozen=True, slots=True)
class Ground:
    """What lanes are drawn on: ``paper``, the palette for it, what stands in where that is taken, and the red of failures."""

    paper: str
    lanes: tuple[str, ...]
    spare: tuple[str, ...]
    red: str


SPARE = ("#f1f3f5", "#8a8a3c", "#d83cff", "#ff3cb1", "#638ab1", "#8affff", "#b18a8a")
"""Taken where one of the palette would be taken for a colour that was asked for."""

ON_DARK = Ground(
    "#1e1e1e",
    (
        "#8dd0f2", "#dc6e03", "#c04dfa", "#56f69a", "#f3fb62",
        "#b195fa", "#fb1b9d", "#c06f6d", "#9abb50", "#5c9abd",
    ),
    SPARE, "#ff6b6b",
)  # fmt: skip
ON_LIGHT = Ground(
    "#f7f8fc",
    (
        "#042ed5", "#976610", "#884dcd", "#0d806a", "#563d00",
        "#270c55", "#c434a0", "#5f0720", "#697843", "#224059",
    ),
    SPARE, "#c62828",
)  # fmt: skip
"""Lanes without a wish take the colour of their number, of one hue on dark and on light.

Each is told from all before it by normal, protan, deutan and tritan eyes (at least 18 in CIELAB, Delta E 1976; Machado
et al. 2009), has contrast 4.5, and keeps from the red of failures. ``paper`` is the hardest of its kind, so that what is
read on it is read on all.
"""


@lru_cache(maxsize=64)
def lane_colors(wishes: tuple[tuple[int, str], ...], ground: Ground) -> dict[int, str]:
    """Return a ``#rrggbb`` for each lane number: what it asks for, made readable, unless a lane before has it; else its own.

    A colour of the palette that would be taken for one already there gives way to the farthest from all.
    """
    found: dict[int, str] = {}
    for lane, wish in wishes:
        asked = asked_color(wish)
        if asked and (seen := readable(asked, ground.paper)) not in found.values():
            found[lane] = seen
    taken = [*found.values(), ground.red]
    spare = [readable(color, ground.paper) for color in ground.spare]
    for lane in sorted({lane for lane, _ in wishes} - found.keys()):
        found[lane] = apart(ground.lanes[lane % len(ground.lanes)], taken, [*ground.lanes, *spare])
        taken.append(found[lane])
    return found


def colors_of(wishes: Sequence[tuple[int, str]], ground: Ground = ON_DARK) -> dict[int, str]:
    """Return `lane_colors` of any sequence."""
    return lane_colors(tuple(wishes), ground)
