"""Themes: what each role's colour is. Panes name roles and lanes; only the canvas and the pictures know colours.

A colour is ``#rrggbb``, a role such as ``soft``, a lane such as ``lane:2:#4cc9f0`` (its number, and the colour it
asked for), or ``mix(one,other,0.25)`` of two. A theme turns each into ``#rrggbb``, or "" for the terminal's own.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from racelog.display.colours import ON_DARK, ON_LIGHT, SPARE, Ground, blend, lane_colors, readable
from racelog.errors import InputError

ROLES = ("text", "background", "soft", "faint", "good", "bad", "warn", "track", "accent", "raised")

_HEX = re.compile(r"#[0-9a-f]{6}")
_MIX = re.compile(r"mix\((.+),([^,]+),([0-9.]+)\)")

PALETTE = ON_DARK.lanes
"""A lane without a colour takes the one of its number; ten, as many as a race has lanes."""

USUAL_PAPER = ON_DARK.paper
"""A dark terminal's background; lighter than most, so what is readable on it is on those, too."""


@dataclass(frozen=True, slots=True)
class Theme:
    """One theme. ``own_colors``: lanes may have the colours they asked for; else all are taken from ``lanes``.

    ``cast`` are the lanes of one race with the colours they were given among each other.
    """

    name: str
    colors: tuple[tuple[str, str], ...]
    lanes: tuple[str, ...] = PALETTE
    own_colors: bool = True
    told: str = field(default="", compare=False)
    cast: tuple[tuple[str, str], ...] = ()

    @property
    def paper(self) -> str:
        """What is drawn on, as ``#rrggbb``: a usual dark terminal's where the theme leaves it the terminal's own."""
        return self.resolve("background") or USUAL_PAPER

    def resolve(self, color: str) -> str:
        """Return ``color`` as ``#rrggbb``, or "" where it is the terminal's own."""
        return _resolved(self, color)


@lru_cache(maxsize=8192)
def _resolved(theme: Theme, color: str) -> str:
    if not color or _HEX.fullmatch(color):
        return color
    if color.startswith("lane:"):
        if (given := dict(theme.cast).get(color)) is not None:
            return given
        _, number, own = color.split(":", 2)
        if own and theme.own_colors:
            return readable(own, theme.paper)
        return theme.lanes[int(number) % len(theme.lanes)]
    if parts := _MIX.fullmatch(color):
        one, other = (theme.resolve(part) or _stand_in(part) for part in parts.groups()[:2])
        return blend(one, other, float(parts[3]))
    return dict(theme.colors).get(color, "")


def _stand_in(role: str) -> str:
    """Return what to mix with where a role is the terminal's own colour, which nobody can know."""
    return "#000000" if role == "background" else "#c8ccd4"


@lru_cache(maxsize=64)
def cast_for(theme: Theme, lanes: tuple[str, ...]) -> Theme:
    """Return ``theme`` with a colour for each of the ``lanes`` of a race that asked for none, told from all others.

    ``lanes`` are colours as `racelog_player.terminal.style.color_of` has them. What was asked for stays; the red of failures is
    kept free too.
    """
    wishes: dict[str, tuple[int, str]] = {}
    for lane in lanes:
        _, number, own = lane.split(":", 2)
        wishes[lane] = (int(number), own if theme.own_colors else "")
    spare = SPARE if theme.own_colors else ()
    found = lane_colors(tuple(wishes.values()), Ground(theme.paper, theme.lanes, spare, theme.resolve("bad")))
    return replace(theme, cast=tuple((lane, found[number]) for lane, (number, _) in wishes.items()))


def _theme(
    name: str, told: str, roles: str, lanes: tuple[str, ...] = PALETTE, *, own_colors: bool = True
) -> Theme:
    colors = tuple(zip(ROLES, (value if value != "-" else "" for value in roles.split()), strict=True))
    return Theme(name, colors, lanes, own_colors, told)


_OKABE_ITO = ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#2f8fd6", "#d55e00", "#999999")
"""Okabe & Ito, "Color Universal Design" (2008): told apart with every kind of colour vision; its blue, made for paper, is lighter here."""

_GREENS = (
    "#39ff14",
    "#b6ff9e",
    "#00c853",
    "#e8ffd9",
    "#7dd87d",
    "#00ff9c",
    "#9acd32",
    "#4caf50",
    "#c6ff00",
    "#66bb6a",
)
_AMBERS = (
    "#ffb000",
    "#ffe0a3",
    "#ff7a00",
    "#fff4d6",
    "#d98e04",
    "#ffd060",
    "#ff9d5c",
    "#c97b00",
    "#ffc94d",
    "#e0a458",
)
_INKS = ON_LIGHT.lanes

BUILT_IN: dict[str, Theme] = {
    theme.name: theme
    for theme in (
        _theme("default", "the terminal's own background",
               "- - #939aa6 #767d88 #51cf66 #ff6b6b #ffc94d #2c323d #8ab4f8 #1c2129"),
        _theme("dark", "blue-grey, easy on the eyes",
               "#d7dce5 #11151c #9aa3b2 #7b8494 #51cf66 #ff6b6b #ffc94d #262d39 #8ab4f8 #1a202b"),
        _theme("light", "ink on paper",
               "#1d2330 #fbfaf7 #5b6472 #6d7480 #1d7f3b #c62828 #a15c00 #e2e0da #2457c5 #efede7", _INKS),
        _theme("hacker", "green on black",
               "#5dff5d #000000 #2fbf4f #25893f #39ff14 #ff4d4d #d4ff00 #06290f #00ff9c #031a08", _GREENS, own_colors=False),
        _theme("retro", "an amber tube",
               "#ffb000 #1a0f00 #c98a10 #aa7311 #ffd35c #ff5a36 #fff0c2 #38230a #ffcf4d #281800", _AMBERS, own_colors=False),
        _theme("colour-blind", "told apart with every kind of colour vision",
               "- - #a6acb5 #767d88 #56b4e9 #e69f00 #f0e442 #2c323d #cc79a7 #1c2129", _OKABE_ITO, own_colors=False),
    )
}  # fmt: skip
DEFAULT = BUILT_IN["default"]

_OTHER_NAMES = {"color-blind": "colour-blind", "colorblind": "colour-blind", "colourblind": "colour-blind"}


def find_theme(name: str, folder: Path | None = None) -> Theme:
    """Return a theme by its name, from ``folder``'s ``NAME.toml``, or from a TOML file.

    Raises:
        InputError: there is no such theme, or its file is none.
    """
    known = _OTHER_NAMES.get(name, name)
    own = folder / f"{name}.toml" if folder is not None and name and "/" not in name else None
    if own is not None and own.is_file():
        return _read(own)
    if known in BUILT_IN:
        return BUILT_IN[known]
    path = Path(name).expanduser()
    if path.suffix == ".toml" and path.is_file():
        return _read(path)
    where = f", a file {own}," if own is not None else ","
    raise InputError(f"no theme {name!r}; give one of {', '.join(BUILT_IN)}{where} or a .toml file")


def theme_names(folder: Path | None = None) -> list[str]:
    """Return the names of all themes: the built-in ones, then the user's."""
    mine = (
        sorted(path.stem for path in folder.glob("*.toml")) if folder is not None and folder.is_dir() else []
    )
    return [*BUILT_IN, *(name for name in mine if name not in BUILT_IN)]


def _read(path: Path) -> Theme:
    """Return the theme a file describes; roles it leaves out are its ``base``'s (default: ``default``)."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"theme {path} is no TOML: {error}") from None
    base = BUILT_IN.get(str(document.get("base", "default")))
    if base is None:
        raise InputError(f"theme {path}: base is {document['base']!r}; give one of {', '.join(BUILT_IN)}")
    colors, lanes = document.get("colors", {}), document.get("lanes", list(base.lanes))
    if not isinstance(colors, Mapping) or not isinstance(lanes, list) or not lanes:
        raise InputError(f'theme {path}: colors is a table like soft = "#939aa6", lanes a list of colours')
    for role, color in colors.items():
        if role not in ROLES:
            raise InputError(f"theme {path}: no role {role!r}; there are {', '.join(ROLES)}")
        _checked(path, role, color)
    merged = dict(base.colors) | {role: str(color).lower() for role, color in colors.items()}
    checked = tuple(_checked(path, f"lanes[{number}]", color) for number, color in enumerate(lanes))
    own = bool(document.get("own_colors", base.own_colors))
    return Theme(path.stem, tuple(merged.items()), checked, own, "yours")


def _checked(path: Path, where: str, color: object) -> str:
    lowered = str(color).lower()
    if not (_HEX.fullmatch(lowered) or (lowered == "" and not where.startswith("lanes"))):
        raise InputError(f"theme {path}: {where} is {color!r}; write a colour like #4cc9f0")
    return lowered


class ThemeChoice:
    """The themes there are and the one that is worn; ``home`` is where the user's own lie.

    Raises:
        InputError: there is no theme that is called ``wanted``.
    """

    def __init__(self, home: Path, wanted: str = "") -> None:
        self.home = home
        self._folder = home / "themes"
        self.theme = find_theme(wanted or "default", self._folder)

    def names(self) -> tuple[str, ...]:
        """Return the names of all themes that can be worn; files that are none are left out."""
        return tuple(name for name in theme_names(self._folder) if self._found(name) is not None)

    def wear(self, name: str) -> bool:
        """Wear a theme; return whether that is another one. One that is gone is not worn."""
        found = self._found(name or "default")
        changed = found is not None and found != self.theme
        self.theme = found or self.theme
        return changed

    def _found(self, name: str) -> Theme | None:
        try:
            return find_theme(name, self._folder)
        except InputError:
            return None
