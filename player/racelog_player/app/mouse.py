"""The mouse, where the terminal has one: what a report says, and what lies under the pointer. Pure.

Reports are SGR's (xterm's mode 1006), asked for with mode 1002: presses, drags and the wheel, but no idle motion. While
it is on, terminals keep selecting text with shift held.
"""

import re
from collections.abc import Sequence
from typing import Literal

from racelog_player.model.pointer import Mouse, Pointed
from racelog_player.model.scene import Scene
from racelog_player.panes.frame import rail_place
from racelog_player.terminal.canvas import Line
from racelog_player.terminal.cells import width

ON, OFF = "\x1b[?1002h\x1b[?1006h", "\x1b[?1006l\x1b[?1002l"
KEY = "<vt100-mouse-event>"
"""prompt_toolkit's name for a key press that is a report."""

_REPORT = re.compile(r"\x1b\[<(\d{1,3});(\d{1,5});(\d{1,5})([Mm])")
_MODIFIERS = 4 | 8 | 16
_KINDS: dict[int, Literal["press", "drag", "wheel-up", "wheel-down"]] = {
    0: "press", 32: "drag", 64: "wheel-up", 65: "wheel-down",
}  # fmt: skip
_LANE = re.compile(r"lane:(\d+):")


def mouse_of(report: str) -> Mouse | None:
    """Return what a terminal's report says; None for what nobody asked: releases, other buttons, odd bytes."""
    found = _REPORT.fullmatch(report)
    if found is None or found[4] == "m":
        return None
    kind = _KINDS.get(int(found[1]) & ~_MODIFIERS)
    return Mouse(kind, int(found[2]) - 1, int(found[3]) - 1) if kind is not None else None


def pointed_at(scene: Scene, lines: Sequence[Line], columns: int, mouse: Mouse) -> Pointed:
    """Return what ``mouse`` points at on ``lines``, the picture of ``scene``."""
    if mouse.row == len(lines) - 2:
        first, cells = rail_place(scene.transport, columns)
        inside = 0 <= mouse.column - first < cells
        return Pointed(share=(mouse.column - first) / max(1, cells - 1)) if inside else Pointed()
    return Pointed(lane=_lane_at(lines[mouse.row], mouse.column)) if mouse.row < len(lines) else Pointed()


def _lane_at(line: Line, column: int) -> int | None:
    """Return the lane that a row is about at a column: the last one begun before it, else the row's first."""
    lane, begin = None, 0
    for text, style in line:
        found = _LANE.search(f"{style.fg} {style.bg}")
        if found is not None and (lane is None or begin <= column):
            lane = int(found[1])
        begin += width(text)
    return lane
