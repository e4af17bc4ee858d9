"""Styles and signs: what the terminal can show, and which colour is whose. Colours are names; themes know them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from racelog.display.colours import asked_color
from racelog.display.terminal import addressable, colours, speaks_unicode
from racelog.views.race import LaneView, RaceView
from racelog_player.terminal.canvas import Depth, Style

_EIGHT = re.compile(r"ansi|vt\d+.*|cons\d+.*|.*-8color")
"""Terminals of eight colours, by their terminfo; others of few have sixteen."""

STRONG = Style(bold=True)
SOFT = Style(fg="soft")
FAINT = Style(fg="faint")
GOOD = Style(fg="good")
BAD = Style(fg="bad", bold=True)
WARN = Style(fg="warn", bold=True)
ACCENT = Style(fg="accent")
HEADING = Style(fg="soft", bold=True)
TRACK = "track"

MEDALS = {1: "🥇", 2: "🥈", 3: "🥉"}


@dataclass(frozen=True, slots=True)
class Look:
    """What panes must know of the terminal: whether an empty bar can be a colour or needs a sign."""

    depth: Depth = Depth.TRUE
    ascii_only: bool = False

    @property
    def tracks(self) -> bool:
        """True when a bar's empty part can be drawn as a background shade, and parts of a cell as blocks."""
        return self.depth >= Depth.INDEXED and not self.ascii_only


def depth_of(environment: Mapping[str, str]) -> Depth:
    """Return how many colours the terminal of this environment shows; `racelog.display.terminal.colours` says whether any."""
    term = environment.get("TERM", "")
    if colours(environment) is False:
        return Depth.NONE
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        return Depth.TRUE
    if "256" in term:
        return Depth.INDEXED
    return Depth.EIGHT if _EIGHT.fullmatch(term) else Depth.ANSI


def shows_unicode(encoding: str | None, environment: Mapping[str, str]) -> bool:
    """Return whether output in ``encoding`` can carry our signs."""
    return speaks_unicode(encoding, environment) and addressable(environment)


def lane_color(lane: LaneView) -> str:
    """Return a lane's colour: its own when we can read it, else its number's; the theme decides which it shows."""
    return color_of(lane.lane, lane.color)


def colors_of(race: RaceView) -> tuple[str, ...]:
    """Return the colours of a race's lanes, for a theme to keep them apart."""
    return tuple(lane_color(lane) for lane in race.lanes)


@lru_cache(maxsize=256)
def color_of(number: int, asked: str) -> str:
    """Return the colour of lane ``number`` that asked for ``asked``, for a theme to resolve."""
    return f"lane:{number}:{asked_color(asked)}"


def mix(one: str, other: str, share: float) -> str:
    """Return the colour ``share`` of the way from ``one`` to ``other``, for a theme to resolve."""
    return f"mix({one},{other},{share})"
